//! `oz agent delete`: deletes an agent and its keys.

use crate::{cli::Format, cmd::Outcome, out};
use clap::Args;
use oz_client::Client;
use oz_core::api::DeleteIdentity;

/// Delete an agent and its keys.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz agent delete UID")]
pub(crate) struct DeleteArgs {
    /// The agent
    uid: String,
}

pub(super) async fn run(client: &Client, args: DeleteArgs, format: Format) -> Outcome {
    let request = DeleteIdentity { uid: args.uid };
    client.send(&request).await?;
    out::deleted("uid", "Agent", &request.uid, format)?;
    Ok(true)
}
