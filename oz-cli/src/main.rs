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
use std::process::ExitCode;

/// The store's writer allocates and frees the same few megabytes with every commit; the system's allocator gives them back
/// to the kernel each time, which halves the number of runs per second.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The guard of an agent, and what makes the network of one, must be plain, small processes: nothing may run before them.
    let mut args = std::env::args_os();
    let (program, first) = (args.next(), args.next());
    match first.as_ref().and_then(|word| word.to_str()) {
        Some("guard") => return oz_worker::guard(args.collect()),
        Some("bring") => return oz_worker::bring(&args.collect::<Vec<_>>()),
        Some("egress") => return oz_agent::egress::main(args.collect()),
        _ => {}
    }
    if cmd::AgentWorker::is_meant(program.as_deref(), first.as_deref()) {
        return match cmd::AgentWorker::try_parse() {
            Ok(worker) => cmd::run_worker(worker),
            Err(e) => refuse(&e),
        };
    }
    match cli::Cli::try_parse() {
        Ok(cli) => cmd::run(cli),
        Err(e) => {
            let words: Vec<_> =
                std::env::args_os().skip(1).map(|w| w.to_string_lossy().into_owned()).collect();
            refuse(&cli::hints::explain(e, &words))
        }
    }
}

/// Prints what is wrong with the arguments, or the help that they ask for.
fn refuse(e: &clap::Error) -> ExitCode {
    let _ = e.print();
    ExitCode::from(if e.use_stderr() { error::USAGE } else { 0 })
}
