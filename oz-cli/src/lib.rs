//! The command lines: `oz`, and `oz-agent-worker`, which is `oz worker` alone. A thin layer: each command reads its
//! arguments, calls a library, and prints. It decides nothing about runs; the control plane and the agent do.

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

/// `oz`: does what the arguments of this process say, and returns its exit code.
#[must_use]
pub fn oz() -> ExitCode {
    // The guard of an agent, and what makes the network of one, must be plain, small processes: nothing may run before them.
    let mut args = std::env::args_os();
    let (_, first) = (args.next(), args.next());
    match first.as_ref().and_then(|word| word.to_str()) {
        Some("guard") => return oz_worker::guard(args.collect()),
        Some("bring") => return oz_worker::bring(&args.collect::<Vec<_>>()),
        Some("egress") => return oz_agent::egress::main(args.collect()),
        _ => {}
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

/// `oz-agent-worker`: takes runs as the arguments of this process say, and returns its exit code. The program holds nothing
/// of agents and the control plane, which keeps it small beside the runs that it starts.
#[must_use]
pub fn oz_agent_worker() -> ExitCode {
    match cmd::AgentWorker::try_parse() {
        Ok(worker) => cmd::run_worker(worker),
        Err(e) => refuse(&e),
    }
}

/// Prints what is wrong with the arguments, or the help that they ask for.
fn refuse(e: &clap::Error) -> ExitCode {
    let _ = e.print();
    ExitCode::from(if e.use_stderr() { error::USAGE } else { 0 })
}
