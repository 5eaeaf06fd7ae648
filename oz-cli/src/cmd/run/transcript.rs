//! `oz run transcript`: prints what a run said and did.

use crate::{cli::Format, cmd::Outcome, error::CliError, live::render, out};
use clap::Args;
use futures_util::StreamExt as _;
use oz_client::Client;
use oz_core::{harness::HarnessEvent, transcript::TranscriptEntry};
use std::{io::Write as _, pin::pin};

/// Print what a run said and did.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run transcript 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
  oz run transcript 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --output-format ndjson > run.jsonl
  oz run transcript 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --raw > session")]
pub(crate) struct TranscriptArgs {
    /// The run
    run_id: String,
    /// The harness's own record of the conversation instead, byte for byte
    #[arg(long)]
    raw: bool,
}

pub(super) async fn run(client: &Client, args: &TranscriptArgs, format: Format) -> Outcome {
    if args.raw {
        return raw(client, args).await;
    }
    let mut chunks = pin!(client.transcript(args.run_id.parse()?).await?);
    let mut rest = Vec::new();
    while let Some(chunk) = chunks.next().await {
        rest.extend_from_slice(&chunk?);
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            if format.is_json() {
                if std::io::stdout().write_all(&line).is_err() {
                    // The reader has seen enough.
                    return Ok(true);
                }
                continue;
            }
            let entry: TranscriptEntry = serde_json::from_slice(&line).map_err(CliError::new)?;
            if let Some(text) = entry.event.known().and_then(shown) {
                out::line(text);
            }
        }
    }
    Ok(true)
}

async fn raw(client: &Client, args: &TranscriptArgs) -> Outcome {
    let mut chunks = pin!(client.raw_transcript(args.run_id.parse()?).await?);
    while let Some(chunk) = chunks.next().await {
        if std::io::stdout().write_all(&chunk?).is_err() {
            break;
        }
    }
    Ok(true)
}

/// An entry for people: unlike a live view, it includes what was asked and how it ended.
fn shown(event: &HarnessEvent) -> Option<String> {
    match event {
        HarnessEvent::Prompt { text } => {
            Some(format!("> {}\n", out::plain(text.trim_end()).replace('\n', "\n> ")))
        }
        HarnessEvent::State { state, message: Some(message), .. } if state.is_final() => {
            Some(format!("\n[{state}] {}", out::plain(message.trim_end())))
        }
        other => render::event(other, render::Long::Whole),
    }
}
