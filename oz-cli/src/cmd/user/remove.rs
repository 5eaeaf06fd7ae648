//! `oz user remove`: removes a person from the caller's team.

use crate::{
    cli::Format,
    cmd::{Outcome, confirm::confirm},
    out,
};
use clap::Args;
use oz_client::Client;
use oz_core::api::RemoveUser;

/// Remove a person from your team; its keys for the team end at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz user remove UID
  oz user remove UID --force")]
pub(crate) struct RemoveArgs {
    /// The person
    uid: String,
    /// Don't ask
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(client: &Client, args: RemoveArgs, format: Format) -> Outcome {
    if !confirm("remove", "user", &args.uid, args.force)? {
        return Ok(true);
    }
    let request = RemoveUser { uid: args.uid };
    client.send(&request).await?;
    out::deleted("uid", "User", &request.uid, format)?;
    Ok(true)
}
