//! `oz environment delete`: deletes an environment. What uses it is a reason to ask.

use crate::{
    cli::Format,
    cmd::{Outcome, confirm::confirm},
    error::CliError,
    out,
};
use clap::Args;
use oz_client::Client;
use oz_core::api::{DeleteEnvironment, ListIdentities, ListSchedules};

/// Delete an environment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz environment delete ID
  oz environment delete ID --force")]
pub(crate) struct DeleteArgs {
    /// The environment
    id: String,
    /// Don't ask, even when schedules or agents use it
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(client: &Client, args: DeleteArgs, format: Format) -> Outcome {
    if !args.force {
        let users = users(client, &args.id).await?;
        if !users.is_empty() {
            out::note(format!("It is used by {}.", out::plain(&users.join(", "))));
            if !confirm("delete", "environment", &args.id, false)? {
                return Ok(true);
            }
        }
    }
    let request = DeleteEnvironment { uid: args.id };
    client.send(&request).await?;
    out::deleted("id", "Environment", &request.uid, format)?;
    Ok(true)
}

/// The schedules and agents whose runs would miss it.
async fn users(client: &Client, id: &str) -> Result<Vec<String>, CliError> {
    let unknown = |e: oz_client::Error| {
        CliError::from(e).hint("pass --force to delete it without a look at what uses it")
    };
    let schedules = client.send(&ListSchedules {}).await.map_err(unknown)?.schedules;
    let agents = client.send(&ListIdentities::default()).await.map_err(unknown)?.agents;
    let schedules = schedules.into_iter().filter_map(|schedule| {
        let used = schedule.agent_config?.environment_id? == id;
        used.then(|| format!("schedule '{}'", schedule.name))
    });
    let agents = agents.into_iter().filter_map(|agent| {
        let used = agent.profile.environment_id? == id;
        used.then(|| format!("agent '{}'", agent.name))
    });
    Ok(schedules.chain(agents).collect())
}
