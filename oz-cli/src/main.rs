//! `oz`: the command line. A thin layer: each command reads its arguments, calls a library, and prints.

mod cli;
mod cmd;
mod error;
mod live;
mod out;
mod settings;

use clap::Parser as _;
use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    // The guard of an agent must be a plain, small process: nothing may run before it.
    let mut args = std::env::args_os();
    if args.nth(1).is_some_and(|a| a == "guard") {
        let command: Vec<OsString> = args.skip_while(|a| a == "--").collect();
        return oz_worker::guard(command);
    }
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { 2 } else { 0 });
        }
    };
    cmd::run(cli)
}
