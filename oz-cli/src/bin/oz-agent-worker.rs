//! `oz-agent-worker`.

use std::process::ExitCode;

fn main() -> ExitCode {
    oz_cli::oz_agent_worker()
}
