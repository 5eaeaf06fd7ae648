//! `oz harness-support ping`: shows the run, which also tells the platform that its agent lives.

use crate::{cli::Format, cmd::Outcome, error::CliError, out};
use oz_client::Client;
use oz_core::{
    RunId,
    api::{GetOwnRun, GetRun},
};

pub(super) async fn run(client: &Client, run_id: RunId, format: Format) -> Outcome {
    let run = match client.send(&GetOwnRun {}).await {
        // A key, rather than the run's own token: it may look, but is no sign of life.
        Err(e) if e.status() == Some(403) => client.send(&GetRun { run_id }).await?,
        answer => answer?,
    };
    if run.run_id != run_id {
        return Err(CliError::new(format!("the token is of the run {}, not of {run_id}", run.run_id)));
    }
    out::json(format, &run)?;
    Ok(true)
}
