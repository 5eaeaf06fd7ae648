//! `oz run`: looking at runs and steering them.

use super::{Outcome, on_signals};
use crate::{
    cli::{Format, Global},
    error::CliError,
    live::Live,
    out,
};
use clap::{Args, Subcommand, ValueEnum};
use futures_util::StreamExt as _;
use oz_client::Client;
use oz_core::{
    RunId, RunState, Timestamp,
    api::{GetRunConversation, ListRuns, RunSort, SortOrder},
    artifact::ArtifactType,
    run::{ExecutionLocation, RunSource},
    transcript::TranscriptEntry,
};
use std::{io::Write as _, pin::pin};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum RunCommand {
    /// List runs, the last changed first
    List(Box<ListArgs>),
    /// Show one run
    #[command(
        after_help = "Examples:\n  oz run get 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --output-format json"
    )]
    Get {
        /// The run
        run_id: String,
        /// Show its conversation instead (JSON)
        #[arg(long)]
        conversation: bool,
    },
    /// Cancel a run
    #[command(after_help = "Examples:\n  oz run cancel 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e")]
    Cancel {
        /// The run
        run_id: String,
    },
    /// Show a run live, until its end; exit code 0 only when it succeeded
    #[command(after_help = "Examples:\n  oz run watch 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e")]
    Watch {
        /// The run
        run_id: String,
        /// Only what comes after this sequence
        #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
        since: i64,
    },
    /// Print what a run said and did
    #[command(
        after_help = "Examples:\n  oz run transcript RUN_ID\n  oz run transcript RUN_ID --output-format ndjson"
    )]
    Transcript {
        /// The run
        run_id: String,
    },
}

/// Choices in the command line's spelling.
macro_rules! choices {
    ($($name:ident { $($variant:ident => $wire:expr),+ $(,)? } -> $to:ty;)*) => {$(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
        #[allow(missing_docs)]
        pub(crate) enum $name { $($variant),+ }
        impl From<$name> for $to {
            fn from(value: $name) -> Self { match value { $($name::$variant => $wire),+ } }
        }
    )*};
}

choices! {
    State { Queued => RunState::Queued, Pending => RunState::Pending, Claimed => RunState::Claimed,
        InProgress => RunState::InProgress, Succeeded => RunState::Succeeded, Failed => RunState::Failed,
        Error => RunState::Error, Blocked => RunState::Blocked, Cancelled => RunState::Cancelled } -> RunState;
    Source { Api => RunSource::Api, Cli => RunSource::Cli, Slack => RunSource::Slack, Linear => RunSource::Linear,
        ScheduledAgent => RunSource::ScheduledAgent, WebApp => RunSource::WebApp, CloudMode => RunSource::CloudMode,
        GithubAction => RunSource::GithubAction, Interactive => RunSource::Local } -> RunSource;
    Location { Local => ExecutionLocation::Local, Remote => ExecutionLocation::Remote } -> ExecutionLocation;
    Kind { Plan => ArtifactType::Plan, PullRequest => ArtifactType::PullRequest, Screenshot => ArtifactType::Screenshot,
        File => ArtifactType::File } -> ArtifactType;
    Sort { UpdatedAt => RunSort::UpdatedAt, CreatedAt => RunSort::CreatedAt, Title => RunSort::Title,
        Agent => RunSort::Agent } -> RunSort;
    Order { Asc => SortOrder::Asc, Desc => SortOrder::Desc } -> SortOrder;
}

fn timestamp(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|e| format!("invalid RFC 3339 timestamp '{text}': {e}"))
}

/// List runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run list --state in-progress --state queued
  oz run list --name nightly --created-after 2026-01-01T00:00:00Z --output-format json")]
pub(crate) struct ListArgs {
    /// At most this many
    #[arg(short = 'L', long, default_value_t = 10, allow_negative_numbers = true)]
    limit: i64,
    /// In this state; repeatable
    #[arg(long)]
    state: Vec<State>,
    /// Made by
    #[arg(long)]
    source: Option<Source>,
    /// Where the agent works
    #[arg(long)]
    execution_location: Option<Location>,
    /// Asked for by this user
    #[arg(long, value_name = "UID")]
    creator: Option<String>,
    /// In this environment
    #[arg(long, value_name = "ID")]
    environment: Option<String>,
    /// With this skill
    #[arg(long)]
    skill: Option<String>,
    /// Of this schedule
    #[arg(long, value_name = "ID")]
    schedule: Option<String>,
    /// Started by this run
    #[arg(long, value_name = "RUN_ID")]
    ancestor_run: Option<RunId>,
    /// With this name
    #[arg(long)]
    name: Option<String>,
    /// With this model
    #[arg(long)]
    model: Option<String>,
    /// With an artifact of this kind
    #[arg(long)]
    artifact_type: Option<Kind>,
    /// Created at or after
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    created_after: Option<Timestamp>,
    /// Created before
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    created_before: Option<Timestamp>,
    /// Changed at or after
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    updated_after: Option<Timestamp>,
    /// With these words in title, prompt or skill
    #[arg(short, long)]
    query: Option<String>,
    /// Sort by
    #[arg(long)]
    sort_by: Option<Sort>,
    /// Direction
    #[arg(long)]
    sort_order: Option<Order>,
    /// Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
}

pub(crate) async fn run(command: RunCommand, global: &Global) -> Outcome {
    let client = global.client()?;
    match command {
        RunCommand::List(args) => list(&client, *args, global.output_format).await,
        RunCommand::Get { run_id, conversation } => {
            get(&client, run_id.parse()?, conversation, global.output_format).await
        }
        RunCommand::Cancel { run_id } => cancel(&client, run_id.parse()?, global.output_format).await,
        RunCommand::Watch { run_id, since } => {
            follow(&client, run_id.parse()?, since, global, on_signals()?).await
        }
        RunCommand::Transcript { run_id } => transcript(&client, run_id.parse()?, global.output_format).await,
    }
}

async fn list(client: &Client, args: ListArgs, format: Format) -> Outcome {
    let request = ListRuns {
        limit: Some(args.limit),
        cursor: args.cursor,
        sort_by: args.sort_by.map(Into::into),
        sort_order: args.sort_order.map(Into::into),
        state: args.state.into_iter().map(Into::into).collect(),
        name: args.name,
        model_id: args.model,
        creator: args.creator,
        source: args.source.map(Into::into),
        execution_location: args.execution_location.map(Into::into),
        created_after: args.created_after,
        created_before: args.created_before,
        updated_after: args.updated_after,
        environment_id: args.environment,
        skill_spec: args.skill,
        schedule_id: args.schedule,
        ancestor_run_id: args.ancestor_run,
        artifact_type: args.artifact_type.map(Into::into),
        q: args.query,
        ..ListRuns::default()
    };
    let page = client.send(&request).await?;
    match format {
        Format::Json => out::json(format, &page)?,
        Format::Ndjson => page.runs.iter().for_each(out::json_line),
        Format::Pretty if page.runs.is_empty() => out::line("No runs found."),
        Format::Pretty | Format::Text => {
            out::line(out::runs(&page.runs, format));
            if let Some(cursor) = page.page_info.next_cursor {
                out::note(format!("There are more: --cursor {cursor}"));
            }
        }
    }
    Ok(true)
}

async fn get(client: &Client, run_id: RunId, conversation: bool, format: Format) -> Outcome {
    if conversation {
        out::json(Format::Json, &client.send(&GetRunConversation { run_id }).await?)?;
        return Ok(true);
    }
    let run = client.runs().get(run_id).await?;
    if format.is_json() {
        out::json(format, &run)?
    } else {
        out::line(out::card(&run))
    }
    Ok(true)
}

async fn cancel(client: &Client, run_id: RunId, format: Format) -> Outcome {
    client.runs().cancel(run_id).await?;
    let run = client.runs().get(run_id).await?;
    if format.is_json() {
        out::json(format, &run)?
    } else {
        out::line(format!("Run {run_id} is {}.", run.state))
    }
    Ok(true)
}

async fn transcript(client: &Client, run_id: RunId, format: Format) -> Outcome {
    let mut chunks = pin!(client.transcript(run_id).await?);
    let live = Live::new();
    let mut rest = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if format.is_json() {
            std::io::stdout().write_all(&chunk)?;
            continue;
        }
        rest.extend_from_slice(&chunk);
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let entry: TranscriptEntry = serde_json::from_slice(&line).map_err(CliError::new)?;
            if let Some(event) = entry.event.known() {
                live.harness(event);
            }
        }
    }
    live.finish();
    Ok(true)
}

/// Shows a run live until its end. `true` only when it succeeded. Ctrl-C leaves the run alone.
pub(crate) async fn follow(
    client: &Client,
    run_id: RunId,
    since: i64,
    global: &Global,
    interrupt: CancellationToken,
) -> Outcome {
    let live = Live::new();
    let mut items = pin!(client.watch(run_id, since));
    loop {
        let item = tokio::select! {
            item = items.next() => item,
            () = interrupt.cancelled() => {
                live.finish();
                out::note(format!("Left run {run_id}, which goes on. Come back with `oz run watch {run_id}`, end it with `oz run cancel {run_id}`."));
                return Ok(true);
            }
        };
        let Some(item) = item else { break };
        let item = item.inspect_err(|_| live.finish())?;
        if global.output_format.is_json() { out::json_line(&item) } else { live.item(&item) }
    }
    live.finish();
    let run = client.runs().get(run_id).await?;
    if global.output_format.is_json() {
        out::json_line(&run);
    } else {
        out::line(format!("\n{}", out::card(&run)));
    }
    Ok(run.state == RunState::Succeeded)
}
