//! `oz schedule run`: makes a run of a schedule now.

use super::id;
use crate::{
    cli::Format,
    cmd::{Outcome, agent::announce, run::watch},
};
use clap::Args;
use oz_client::Client;

/// Make a run of a schedule now, whether or not it is paused; its times stay as they are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz schedule run ID\n  oz schedule run ID --wait")]
pub(super) struct RunArgs {
    /// The schedule
    #[arg(value_name = "ID")]
    id: String,
    /// Show the run live, until its end; the exit code is then 0 only when it succeeded
    #[arg(long, visible_alias = "follow")]
    wait: bool,
}

pub(super) async fn run(client: &Client, args: RunArgs, format: Format) -> Outcome {
    let created = client.schedules().run(id(args.id)?).await?;
    announce(&created, args.wait, format)?;
    if args.wait { watch::until_end(client, created.run_id, 0, format).await } else { Ok(true) }
}
