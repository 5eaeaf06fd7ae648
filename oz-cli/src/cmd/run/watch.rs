//! `oz run watch`: shows a run live, until its end. Whoever else waits for a run does it from here.

use crate::{
    cli::Format,
    cmd::Outcome,
    error::CliError,
    live::Live,
    out::{self, run::card},
    signals,
};
use clap::Args;
use futures_util::StreamExt as _;
use oz_client::Client;
use oz_core::{Run, RunId, RunState, event::EventType, transcript::LogItem};
use std::{pin::pin, time::Duration};

/// How often is asked why a run waits.
const LOOK: Duration = Duration::from_secs(2);

/// Show a run live, until its end. The exit code is 0 only when it succeeded.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run watch 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
  oz run watch 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --since 42 --output-format ndjson")]
pub(crate) struct WatchArgs {
    /// The run
    run_id: String,
    /// Only what comes after this sequence
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
    since: i64,
}

pub(super) async fn run(client: &Client, args: &WatchArgs, format: Format) -> Outcome {
    until_end(client, args.run_id.parse()?, args.since, format).await
}

/// Shows a run until its end, then its record. `true` only when it succeeded. Ctrl-C leaves the run alone.
pub(crate) async fn until_end(client: &Client, run_id: RunId, since: i64, format: Format) -> Outcome {
    let interrupt = signals::interrupt()?;
    let live = Live::new("waiting for a worker");
    let followed = interrupt.run_until_cancelled(follow(client, run_id, since, format, &live)).await;
    live.finish();
    let Some(run) = followed else {
        out::note(format!(
            "Run {run_id} goes on without you. Come back with `oz run watch {run_id}`, end it with `oz run cancel {run_id}`."
        ));
        return Ok(false);
    };
    let run = run?;
    if format.is_json() {
        out::json_line(&run)?;
    } else {
        out::line(format!("\n{}", card(&run)));
    }
    Ok(run.state == RunState::Succeeded)
}

/// Whether an item is no sign that a worker has the run.
fn is_queued(item: &LogItem) -> bool {
    matches!(item, LogItem::Event { event, .. } if event.event_type == EventType::RunQueued)
}

/// Shows a run until it has ended or waits for a human.
pub(crate) async fn follow(
    client: &Client,
    run_id: RunId,
    since: i64,
    format: Format,
    live: &Live,
) -> Result<Run, CliError> {
    live.recorded(run_id);
    let view = live.clone();
    let mut items = pin!(client.watch_with(run_id, since, move |e| view.lost(e)));
    let mut queued = !format.is_json();
    loop {
        let item = tokio::select! {
            item = items.next() => item,
            () = tokio::time::sleep(LOOK), if queued => {
                // Nothing in the log tells why a run waits; what can't be read now can be read later.
                if let Ok(Run { queue: Some(queue), .. }) = client.runs().get(run_id).await {
                    live.waits(&queue.reason);
                }
                continue;
            }
        };
        let Some(item) = item.transpose()? else { break };
        queued = !format.is_json() && is_queued(&item);
        if format.is_json() {
            out::json_line(&item)?;
        } else {
            live.item(&item);
        }
        if let LogItem::Event { event, .. } = &item
            && event.event_type == EventType::RunBlocked
        {
            let run = client.runs().get(run_id).await?;
            if run.state.is_over() {
                return Ok(run);
            }
        }
    }
    Ok(client.runs().get(run_id).await?)
}
