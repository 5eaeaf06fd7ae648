//! `oz run list`: a page of runs, with every filter of the API.

use crate::{
    cli::{Format, Order, pair, timestamp, unique},
    cmd::Outcome,
    out::{self, jq::JqArgs},
};
use clap::{Args, ValueEnum};
use oz_client::Client;
use oz_core::{
    RunState, Timestamp,
    api::{ListRuns, RunSort},
    artifact::ArtifactType,
    run::{ExecutionLocation, RunSource},
};

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
        File => ArtifactType::File, ExternalReference => ArtifactType::ExternalReference } -> ArtifactType;
    Sort { UpdatedAt => RunSort::UpdatedAt, CreatedAt => RunSort::CreatedAt, Title => RunSort::Title,
        Agent => RunSort::Agent } -> RunSort;
}

/// List runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run list --state in-progress --state queued
  oz run list --executor UID --metadata team=web --artifact-type pull-request
  oz run list --name nightly --created-after 2026-01-01T00:00:00Z --output-format json
  oz run list --state failed --jq \".runs[] | [.run_id, .status_message.message]\"")]
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
    /// Executed as this user or agent
    #[arg(long, value_name = "UID")]
    executor: Option<String>,
    /// In this environment
    #[arg(long, value_name = "ID")]
    environment: Option<String>,
    /// With this skill
    #[arg(long)]
    skill: Option<String>,
    /// Of this schedule
    #[arg(long, value_name = "ID")]
    schedule: Option<String>,
    /// Of this automation
    #[arg(long, value_name = "ID")]
    automation: Option<String>,
    /// With this label; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
    /// Started by this run
    #[arg(long, value_name = "RUN_ID")]
    ancestor_run: Option<String>,
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
    #[command(flatten)]
    jq: JqArgs,
}

pub(super) async fn run(client: &Client, args: ListArgs, format: Format) -> Outcome {
    let filter = args.jq.compile()?;
    let request = ListRuns {
        limit: Some(args.limit),
        cursor: args.cursor,
        sort_by: args.sort_by.map(Into::into),
        sort_order: args.sort_order.map(Into::into),
        state: args.state.into_iter().map(Into::into).collect(),
        name: args.name,
        model_id: args.model,
        creator: args.creator,
        executor: args.executor,
        source: args.source.map(Into::into),
        execution_location: args.execution_location.map(Into::into),
        created_after: args.created_after,
        created_before: args.created_before,
        updated_after: args.updated_after,
        environment_id: args.environment,
        skill_spec: args.skill,
        schedule_id: args.schedule,
        automation_id: args.automation,
        metadata: unique("--metadata", args.metadata)?,
        ancestor_run_id: args.ancestor_run.as_deref().map(str::parse).transpose()?,
        artifact_type: args.artifact_type.map(Into::into),
        q: args.query,
        ..ListRuns::default()
    };
    let page = client.send(&request).await?;
    if filter.print(&page)? {
        return Ok(true);
    }
    out::run::LIST.print(&page, &page.runs, format)?;
    if let Some(cursor) = page.page_info.next_cursor.filter(|_| !format.is_json()) {
        out::note(format!("There are more: --cursor {}", out::plain(&cursor)));
    }
    Ok(true)
}
