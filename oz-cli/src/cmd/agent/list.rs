//! `oz agent list`: the team's agents.

use crate::{
    cli::{Format, Order},
    cmd::Outcome,
    error::CliError,
    out::{self, identity, jq::JqArgs},
};
use clap::{Args, ValueEnum};
use oz_client::Client;
use oz_core::api::{Identity, ListIdentities};

/// By what agents are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SortBy {
    /// Name
    Name,
    /// When it was made; newest first
    CreatedAt,
}

/// List the team's agents.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz agent list
  oz agent list --sort-by created-at
  oz agent list --jq \".agents[].name\"")]
pub(crate) struct ListArgs {
    /// Sort by
    #[arg(long)]
    sort_by: Option<SortBy>,
    /// Direction
    #[arg(long)]
    sort_order: Option<Order>,
    #[command(flatten)]
    jq: JqArgs,
}

pub(super) async fn run(client: &Client, args: &ListArgs, format: Format) -> Outcome {
    let filter = args.jq.compile()?;
    if (format == Format::Json || filter.is_given()) && (args.sort_by.is_some() || args.sort_order.is_some())
    {
        return Err(CliError::new(
            "--sort-by and --sort-order don't go with JSON and --jq, which are as the server sends it",
        ));
    }
    let mut list = client.send(&ListIdentities::default()).await?;
    if filter.print(&list)? {
        return Ok(true);
    }
    if format != Format::Json {
        sort(&mut list.agents, args.sort_by, args.sort_order);
    }
    if !format.is_json() {
        let all = list.agents.len();
        list.agents.retain(|agent| agent.available);
        let hidden = all - list.agents.len();
        if hidden > 0 {
            out::note(format!("Not shown because runs can't execute as them: {hidden}"));
        }
    }
    identity::LIST.print(&list, &list.agents, format)?;
    Ok(true)
}

fn sort(agents: &mut [Identity], by: Option<SortBy>, order: Option<Order>) {
    if by == Some(SortBy::CreatedAt) {
        let order = order.unwrap_or(Order::Desc);
        agents.sort_by(|a, b| order.of(a.created_at.cmp(&b.created_at)));
    } else {
        let order = order.unwrap_or(Order::Asc);
        agents.sort_by(|a, b| order.of(a.name.cmp(&b.name)));
    }
}
