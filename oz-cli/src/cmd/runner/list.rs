//! `oz runner list`: runners.

use crate::{
    cli::Format,
    cmd::Outcome,
    out::{
        jq::JqArgs,
        runner::{Entry, LIST},
    },
};
use clap::{Args, ValueEnum};
use oz_client::Client;

/// By what runners are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SortBy {
    /// Name
    Name,
    /// When it last changed; newest first
    LastUpdated,
}

/// List runners.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz runner list
  oz runner list --sort-by last-updated
  oz runner list --jq \".[].uid\"")]
pub(crate) struct ListArgs {
    /// Sort by
    #[arg(long, default_value = "name")]
    sort_by: SortBy,
    #[command(flatten)]
    jq: JqArgs,
}

pub(super) async fn run(client: &Client, args: &ListArgs, format: Format) -> Outcome {
    let filter = args.jq.compile()?;
    let mut runners = client.runners().list().await?.runners;
    match args.sort_by {
        SortBy::Name => runners.sort_by(|a, b| a.config.name.cmp(&b.config.name)),
        SortBy::LastUpdated => runners.sort_by_key(|runner| std::cmp::Reverse(runner.last_updated)),
    }
    let entries: Vec<Entry> = runners.into_iter().map(Entry::from).collect();
    if !filter.print(&entries)? {
        LIST.print(&entries, &entries, format)?;
    }
    Ok(true)
}
