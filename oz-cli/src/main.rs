//! `oz`: the command line. A thin layer: each command reads its arguments, calls a library, and prints. It decides
//! nothing about runs; the control plane and the agent do.

mod cli;
mod cmd;
mod connection;
mod error;
mod live;
mod out;
mod settings;
mod signals;

use clap::Parser as _;
use std::{ffi::OsString, process::ExitCode};

/// The store's writer allocates and frees the same few megabytes with every commit; the system's allocator gives them back
/// to the kernel each time, which halves the number of runs per second.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The guard of an agent must be a plain, small process: nothing may run before it.
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|a| a == "guard") {
        let words: Vec<OsString> = args.collect();
        return oz_worker::guard(words);
    }
    match cli::Cli::try_parse() {
        Ok(cli) => cmd::run(cli),
        Err(e) => {
            let words: Vec<_> =
                std::env::args_os().skip(1).map(|w| w.to_string_lossy().into_owned()).collect();
            let e = cli::hints::explain(e, &words);
            let _ = e.print();
            ExitCode::from(if e.use_stderr() { error::USAGE } else { 0 })
        }
    }
}
