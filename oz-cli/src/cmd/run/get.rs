//! `oz run get`: shows one run.

use crate::{
    cli::Format,
    cmd::Outcome,
    out::{self, jq::JqArgs, run::card},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::GetRunConversation;

/// Show one run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run get 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
  oz run get 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --output-format json
  oz run get 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --jq .state")]
pub(crate) struct GetArgs {
    /// The run
    run_id: String,
    /// Show its conversation instead, as JSON
    #[arg(long)]
    conversation: bool,
    #[command(flatten)]
    jq: JqArgs,
}

pub(super) async fn run(client: &Client, args: &GetArgs, format: Format) -> Outcome {
    let filter = args.jq.compile()?;
    let run_id = args.run_id.parse()?;
    if args.conversation {
        out::json(Format::Json, &client.send(&GetRunConversation { run_id }).await?)?;
        return Ok(true);
    }
    let run = client.runs().get(run_id).await?;
    if filter.print(&run)? {
        return Ok(true);
    }
    if format.is_json() {
        out::json(format, &run)?;
    } else {
        out::line(card(&run));
    }
    Ok(true)
}
