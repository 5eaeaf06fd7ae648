//! `oz run followup`: gives a run more to do.

use crate::{cli::Format, cmd::Outcome, out};
use clap::Args;
use oz_client::Client;
use oz_core::api::SubmitFollowup;

/// Give a run more to do. A queued run gets it with its prompt, a working one between two steps or after its work, an
/// ended one goes on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run followup 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e -m \"now fix the docs, too\"
  oz run followup 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --interrupt -m \"stop, that is the wrong branch\"")]
pub(crate) struct FollowupArgs {
    /// The run
    run_id: String,
    /// What else to do
    #[arg(short, long, value_name = "TEXT")]
    message: String,
    /// Let a working agent leave what it is at
    #[arg(long)]
    interrupt: bool,
}

pub(super) async fn run(client: &Client, args: FollowupArgs, format: Format) -> Outcome {
    let run_id = args.run_id.parse()?;
    let interrupt = args.interrupt.then_some(true);
    client.send(&SubmitFollowup { run_id, message: Some(args.message), mode: None, interrupt }).await?;
    if format.is_json() {
        out::json(format, &serde_json::json!({ "run_id": run_id, "submitted": true }))?;
    } else {
        out::line(format!("Run {run_id} got it. See it work with `oz run watch {run_id}`."));
    }
    Ok(true)
}
