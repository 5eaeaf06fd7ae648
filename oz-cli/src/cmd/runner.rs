//! `oz runner`: what runs compute on.

mod create;
mod find;
mod list;
mod machine;
mod update;

use super::{Outcome, confirm::confirm};
use crate::{cli::Global, connection, out};
use clap::{Args, Subcommand};
use oz_core::api::DeleteRunner;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum RunnerCommand {
    /// List runners
    List(list::ListArgs),
    /// Make a runner
    Create(create::CreateArgs),
    /// Change a runner
    Update(update::UpdateArgs),
    /// Delete a runner
    Delete(DeleteArgs),
}

/// Delete a runner.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz runner delete UID
  oz runner delete UID --force")]
pub(crate) struct DeleteArgs {
    /// The runner
    uid: String,
    /// Don't ask
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(command: RunnerCommand, global: &Global) -> Outcome {
    let format = global.output_format;
    let client = || connection::of(global).client();
    match command {
        RunnerCommand::List(args) => list::run(&client()?, &args, format).await,
        RunnerCommand::Create(args) => create::run(&client()?, args, format).await,
        RunnerCommand::Update(args) => update::run(&client()?, args, format).await,
        RunnerCommand::Delete(DeleteArgs { uid, force }) => {
            let client = client()?;
            if confirm("delete", "runner", &uid, force)? {
                let request = DeleteRunner { uid };
                client.send(&request).await.map_err(|e| find::missing(e, &request.uid))?;
                out::deleted("uid", "Runner", &request.uid, format)?;
            }
            Ok(true)
        }
    }
}
