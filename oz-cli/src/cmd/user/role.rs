//! `oz user role`: changes the role of a person.

use super::Role;
use crate::{
    cli::Format,
    cmd::Outcome,
    out::{self, api_key::who, table::print_one},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::UpdateUser;

/// Change the role of a person.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz user role UID admin")]
pub(crate) struct RoleArgs {
    /// The person
    uid: String,
    /// What the person may do
    role: Role,
}

pub(super) async fn run(client: &Client, args: RoleArgs, format: Format) -> Outcome {
    let member = client.send(&UpdateUser { uid: args.uid, role: args.role.into() }).await?;
    print_one(&member, format, |member| {
        format!("The role of {} is {}.", out::one_line(&who(&member.principal), 100), member.role)
    })?;
    Ok(true)
}
