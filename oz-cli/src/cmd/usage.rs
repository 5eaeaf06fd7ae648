//! `oz usage`: what runs used.

use super::Outcome;
use crate::{
    cli::{Global, ago_or_timestamp, timestamp},
    connection,
    out::{self, spending},
};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use oz_core::{
    Timestamp,
    api::{GetUsage, UsageGroup},
};

/// What runs used: calls, tokens, dollars.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz usage
  oz usage --by day --since 7d
  oz usage --by run --since 2026-03-01T00:00:00Z --until 2026-04-01T00:00:00Z -L 10")]
pub(crate) struct UsageArgs {
    /// What it is added up by; model when absent
    #[arg(long, value_name = "WHAT",
        value_parser = PossibleValuesParser::new(UsageGroup::KNOWN).map(|by| UsageGroup::from(by.as_str())))]
    by: Option<UsageGroup>,
    /// From when, or how long ago, such as 7d; from the beginning of this month when absent
    #[arg(long, value_name = "TIME|DURATION", value_parser = ago_or_timestamp)]
    since: Option<Timestamp>,
    /// Until when; now when absent
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    until: Option<Timestamp>,
    /// At most this many rows, up to 500, the most expensive first
    #[arg(short = 'L', long, default_value_t = 100, hide_default_value = true)]
    limit: i64,
}

pub(crate) async fn run(args: UsageArgs, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    let request =
        GetUsage { group_by: args.by, since: args.since, until: args.until, limit: Some(args.limit) };
    let report = client.budgets().usage(&request).await?;
    if format.is_json() {
        spending::json(&report, format)?;
    } else {
        out::line(spending::usage(&report, format));
    }
    Ok(true)
}
