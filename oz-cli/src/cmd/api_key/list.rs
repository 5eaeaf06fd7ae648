//! `oz api-key list`: keys, without their values.

use crate::{
    cli::{Format, Order},
    cmd::Outcome,
    out::{api_key, jq::JqArgs},
};
use clap::{Args, ValueEnum};
use oz_client::Client;
use oz_core::api::{ApiKey, ListApiKeys};
use std::cmp::Ordering;

/// By what keys are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SortBy {
    /// Name
    Name,
    /// When it was made
    CreatedAt,
    /// When it was last used
    LastUsedAt,
    /// When it ends
    ExpiresAt,
    /// Whether it acts as a person or as an agent
    Scope,
}

/// List your keys and those of the team's agents.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz api-key list
  oz api-key list --sort-by expires-at
  oz api-key list --jq \".api_keys[] | select(.expires_at == null).name\"")]
pub(crate) struct ListArgs {
    /// Sort by
    #[arg(long, default_value = "name", hide_default_value = true)]
    sort_by: SortBy,
    /// Direction
    #[arg(long, default_value = "asc", hide_default_value = true)]
    sort_order: Order,
    #[command(flatten)]
    jq: JqArgs,
}

pub(super) async fn run(client: &Client, args: &ListArgs, format: Format) -> Outcome {
    let filter = args.jq.compile()?;
    let mut list = client.send(&ListApiKeys {}).await?;
    list.api_keys.sort_by(|a, b| args.sort_order.of(compare(a, b, args.sort_by)));
    if !filter.print(&list)? {
        api_key::LIST.print(&list, &list.api_keys, format)?;
    }
    Ok(true)
}

fn compare(a: &ApiKey, b: &ApiKey, by: SortBy) -> Ordering {
    match by {
        SortBy::Name => a.name.cmp(&b.name),
        SortBy::CreatedAt => a.created_at.cmp(&b.created_at),
        SortBy::LastUsedAt => a.last_used_at.cmp(&b.last_used_at),
        // A key that never ends comes after those that do.
        SortBy::ExpiresAt => {
            (a.expires_at.is_none(), a.expires_at).cmp(&(b.expires_at.is_none(), b.expires_at))
        }
        SortBy::Scope => a.scope.as_str().cmp(b.scope.as_str()),
    }
}
