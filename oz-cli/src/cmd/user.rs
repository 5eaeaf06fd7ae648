//! `oz user`: the people of the caller's team.

mod accept;
mod invite;
mod remove;
mod role;
mod withdraw;

use super::Outcome;
use crate::{cli::Global, connection, out::team};
use clap::{Subcommand, ValueEnum};
use oz_core::api::{self, ListInvitations, ListUsers};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum UserCommand {
    /// List the people of your team
    #[command(after_help = "Examples:\n  oz user list")]
    List,
    /// Invite a person to your team
    Invite(invite::InviteArgs),
    /// List open invitations
    #[command(after_help = "Examples:\n  oz user invitations")]
    Invitations,
    /// Withdraw an invitation; its code can't be accepted any more
    Withdraw(withdraw::WithdrawArgs),
    /// Accept an invitation; your key is shown once
    Accept(accept::AcceptArgs),
    /// Change the role of a person
    Role(role::RoleArgs),
    /// Remove a person from your team; its keys for the team end at once
    Remove(remove::RemoveArgs),
}

/// What a member of a team may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Everything
    Admin,
    /// Everything but managing the team
    Member,
}

impl From<Role> for api::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::Member => Self::Member,
        }
    }
}

pub(crate) async fn run(command: UserCommand, global: &Global) -> Outcome {
    let format = global.output_format;
    let client = || connection::of(global).client();
    match command {
        UserCommand::List => {
            let list = client()?.send(&ListUsers {}).await?;
            team::MEMBERS.print(&list, &list.users, format)?;
            Ok(true)
        }
        UserCommand::Invitations => {
            let list = client()?.send(&ListInvitations {}).await?;
            team::INVITATIONS.print(&list, &list.invitations, format)?;
            Ok(true)
        }
        UserCommand::Invite(args) => invite::run(&client()?, args, format).await,
        UserCommand::Withdraw(args) => withdraw::run(&client()?, args, format).await,
        // Who accepts has no key yet.
        UserCommand::Accept(args) => accept::run(connection::of(global), args, format).await,
        UserCommand::Role(args) => role::run(&client()?, args, format).await,
        UserCommand::Remove(args) => remove::run(&client()?, args, format).await,
    }
}
