//! `oz environment delete`: deletes an environment. What uses it is a reason to ask.

use super::users;
use crate::{cli::Format, cmd::Outcome, out};
use clap::Args;
use oz_client::Client;
use oz_core::api::DeleteEnvironment;

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
    if !users::confirmed(client, "delete", &args.id, args.force).await? {
        return Ok(true);
    }
    let request = DeleteEnvironment { uid: args.id };
    client.send(&request).await?;
    out::deleted("id", "Environment", &request.uid, format)?;
    Ok(true)
}
