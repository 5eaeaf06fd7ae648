//! `oz worker`: takes runs from a control plane on this machine.

use super::{Outcome, on_signals};
use crate::{
    cli::{Global, duration},
    error::CliError,
};
use clap::Args;
use oz_worker::{Config, DirectConfig};
use std::{path::PathBuf, time::Duration};

/// Take runs from a control plane on this machine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz worker --worker-id build-1
  oz agent run-cloud --host build-1 -p \"…\"          dispatches to it")]
pub(crate) struct WorkerArgs {
    /// Its name; runs with `--host NAME` come here
    #[arg(long, value_name = "NAME")]
    worker_id: String,
    /// How many runs it takes at once; 0 means no limit
    #[arg(long, value_name = "N", default_value_t = 0)]
    max_concurrent_tasks: u32,
    /// Directory of the workspaces
    #[arg(long, value_name = "DIR", default_value = "/var/lib/oz/workspaces")]
    workspace_root: PathBuf,
    /// Shell command to run in each workspace before the agent
    #[arg(long, value_name = "COMMAND")]
    setup_command: Option<String>,
    /// Shell command to run in each workspace after the agent
    #[arg(long, value_name = "COMMAND")]
    teardown_command: Option<String>,
    /// Further environment of the agents; KEY alone takes the value from here
    #[arg(short, long = "env", value_name = "KEY[=VALUE]", value_parser = variable)]
    env: Vec<(String, String)>,
    /// How long agents stay after their work
    #[arg(long, value_name = "DURATION")]
    idle_on_complete: Option<String>,
    /// Keep the workspaces
    #[arg(long)]
    no_cleanup: bool,
    /// The control plane's lease
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration, hide = true)]
    lease: Duration,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, value.to_owned()),
        None => (text, std::env::var(text).unwrap_or_default()),
    };
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err(format!("'{text}' is not KEY=VALUE"));
    }
    Ok((key.to_owned(), value))
}

pub(crate) async fn run(args: WorkerArgs, global: &Global) -> Outcome {
    let api_key =
        global.key().ok_or_else(|| CliError::new("a key is required").hint("set OZ_API_KEY or --api-key"))?;
    let config = Config {
        worker_id: args.worker_id,
        server_url: global.server_url(),
        api_key,
        max_concurrent_tasks: args.max_concurrent_tasks,
        idle_on_complete: args.idle_on_complete,
        cleanup: !args.no_cleanup,
        lease: args.lease,
        embedded: false,
        backend: DirectConfig {
            workspace_root: args.workspace_root,
            target_dir: None,
            oz_path: std::env::current_exe()?,
            setup_command: args.setup_command,
            teardown_command: args.teardown_command,
            environment: args.env.into_iter().collect(),
        },
    };
    oz_worker::run(config, on_signals()?).await.map_err(CliError::new)?;
    Ok(true)
}
