//! `oz user withdraw`: withdraws an invitation.

use crate::{
    cli::Format,
    cmd::{Outcome, confirm::confirm},
    out,
};
use clap::Args;
use oz_client::Client;
use oz_core::api::DeleteInvitation;

/// Withdraw an invitation; its code can't be accepted any more.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz user withdraw INVITATION_ID
  oz user withdraw INVITATION_ID --force")]
pub(crate) struct WithdrawArgs {
    /// The invitation, as `oz user invitations` lists it
    invitation_id: String,
    /// Don't ask
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(client: &Client, args: WithdrawArgs, format: Format) -> Outcome {
    if !confirm("withdraw", "invitation", &args.invitation_id, args.force)? {
        return Ok(true);
    }
    let request = DeleteInvitation { uid: args.invitation_id };
    client.send(&request).await?;
    out::deleted("uid", "Invitation", &request.uid, format)?;
    Ok(true)
}
