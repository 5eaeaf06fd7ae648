//! What uses an environment: a reason to ask before it is changed or deleted.

use crate::{cmd::confirm::confirm, error::CliError, out};
use oz_client::Client;
use oz_core::api::{ListIdentities, ListSchedules};

/// Whether to go on: nothing uses it, the person says so, or `force`.
pub(super) async fn confirmed(client: &Client, act: &str, id: &str, force: bool) -> Result<bool, CliError> {
    if force {
        return Ok(true);
    }
    let users = of(client, id).await.map_err(|e| {
        CliError::from(e).hint(format!("pass --force to {act} it without a look at what uses it"))
    })?;
    if users.is_empty() {
        return Ok(true);
    }
    out::note(format!("It is used by {}.", out::plain(&users.join(", "))));
    confirm(act, "environment", id, false)
}

/// The schedules and agents whose runs it is for.
async fn of(client: &Client, id: &str) -> Result<Vec<String>, oz_client::Error> {
    let schedules = client.send(&ListSchedules {}).await?.schedules;
    let agents = client.send(&ListIdentities::default()).await?.agents;
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
