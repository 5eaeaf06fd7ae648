//! `oz user invite`: invites a person to the caller's team.

use super::Role;
use crate::{
    cli::Format,
    cmd::Outcome,
    out::{
        self,
        table::{card, print_one, utc},
    },
};
use clap::Args;
use oz_client::Client;
use oz_core::api::{CreateInvitation, InvitationCreated};

/// Invite a person to your team.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz user invite ann@example.com
  oz user invite ann@example.com --role admin")]
pub(crate) struct InviteArgs {
    /// Whom
    email: String,
    /// What the person may do; `member` by default
    #[arg(long)]
    role: Option<Role>,
}

pub(super) async fn run(client: &Client, args: InviteArgs, format: Format) -> Outcome {
    let request = CreateInvitation { email: args.email, role: args.role.map(Into::into) };
    print_one(&client.send(&request).await?, format, created)?;
    if !format.is_json() {
        let url = client.server_url();
        out::note(format!(
            "Send the code to the person, who accepts with `oz user accept CODE --server-root-url {url}`. It is not shown again."
        ));
    }
    Ok(true)
}

fn created(created: &InvitationCreated) -> String {
    let invitation = &created.invitation;
    card(&[
        ("Code", created.code.clone()),
        ("Invitation", invitation.uid.clone()),
        ("Email", invitation.email.clone()),
        ("Role", invitation.role.to_string()),
        ("Expires", utc(invitation.expires_at)),
    ])
}
