//! `oz schedule history`: what became of the times of a schedule.

use super::id;
use crate::{cli::Format, cmd::Outcome, out::schedule};
use clap::Args;
use oz_client::Client;
use oz_core::api::ListScheduleHistory;

/// Show what became of the times of a schedule, the newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz schedule history ID\n  oz schedule history ID -L 100")]
pub(super) struct HistoryArgs {
    /// The schedule
    #[arg(value_name = "ID")]
    id: String,
    /// At most this many, up to 500
    #[arg(short = 'L', long, default_value_t = 20)]
    limit: i64,
}

pub(super) async fn run(client: &Client, args: HistoryArgs, format: Format) -> Outcome {
    let request = ListScheduleHistory { schedule_id: id(args.id)?, limit: Some(args.limit) };
    let list = client.schedules().history(&request).await?;
    schedule::TICKS.print(&list, &list.ticks, format)?;
    Ok(true)
}
