//! The conformance suite of the worker protocol as a program: against a control plane at an address, or against a worker
//! that a command line starts.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what a developer reads")]

use oz_tests::conformance::{Verdict, server, worker};
use std::{process::ExitCode, time::Duration};

const USAGE: &str = "cargo xtask conformance server --url URL --key KEY [--lease SECONDS]
cargo xtask conformance worker -- COMMAND…

The first plays workers against a control plane; KEY is that of an admin or an agent, and SECONDS, 30 when absent, how long
after the last sign of life it gives a run to another worker. The second plays a control plane against the worker that
COMMAND starts. In its words {url} stands for the address of the control plane, {ws} for that of its socket, {id} and {key} for
the worker's id and key, {setup} for the setup command that it must run before each agent, {dir} for a directory for it. It
must take one run at a time and, asked to end, give up its runs within seconds:

  cargo xtask conformance worker -- oz worker --worker-id {id} --setup-command {setup} --workspace-root {dir}/workspaces
    --max-concurrent-tasks 1 --drain-timeout 1s";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let verdicts = match (&args.split_first(), runtime) {
        (_, Err(e)) => Err(e.to_string()),
        (Some((what, rest)), Ok(runtime)) if *what == "server" => {
            subject(rest).and_then(|subject| runtime.block_on(subject.run()))
        }
        (Some((what, rest)), Ok(runtime)) if *what == "worker" && rest.len() > 1 => {
            let command = rest.iter().skip(usize::from(rest[0] == "--")).cloned().collect();
            Ok(runtime.block_on(worker::Subject { command }.run()))
        }
        _ => Err(USAGE.to_owned()),
    };
    match verdicts {
        Ok(verdicts) => {
            verdicts.iter().for_each(|verdict| println!("{verdict}"));
            if verdicts.iter().all(|Verdict { check, .. }| check.is_ok()) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn subject(args: &[String]) -> Result<server::Subject, String> {
    let value = |name: &str| args.iter().skip_while(|arg| *arg != name).nth(1).cloned();
    let lease = value("--lease").map_or(Ok(30), |text| {
        text.parse().map_err(|_| format!("--lease: '{text}' is not a number of seconds"))
    })?;
    match (value("--url"), value("--key")) {
        (Some(url), Some(key)) => Ok(server::Subject { url, key, lease: Duration::from_secs(lease) }),
        _ => Err(USAGE.to_owned()),
    }
}
