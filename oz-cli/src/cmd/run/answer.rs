//! `oz run approve`, `oz run deny` and `oz run answer`: answers to what the agent of a run needs.

use crate::{
    cli::Format,
    cmd::Outcome,
    error::CliError,
    out::{self, one_line},
};
use clap::Args;
use oz_client::Client;
use oz_core::{
    RunId,
    api::{AnswerRunRequest, ListRunRequests, RunRequest},
    request::{Answer, Decision},
};
use uuid::Uuid;

/// Let the agent of a run do what it asks leave for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run approve 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
  oz run approve 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --always")]
pub(crate) struct ApproveArgs {
    /// The run
    run_id: String,
    /// What it asked; not needed when only one thing is open
    request_id: Option<String>,
    /// The like of it, too, for the rest of the run
    #[arg(long)]
    always: bool,
    /// What the agent should know
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

/// Refuse the agent of a run what it asks.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run deny 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e -m \"use the staging database\"")]
pub(crate) struct DenyArgs {
    /// The run
    run_id: String,
    /// What it asked; not needed when only one thing is open
    request_id: Option<String>,
    /// What the agent should do instead
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

/// Answer a question of the agent of a run.
#[derive(Debug, Args)]
#[command(
    override_usage = "oz run answer [OPTIONS] <RUN_ID> [REQUEST_ID] <TEXT>",
    after_help = "Examples:
  oz run answer 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e \"the second one\"
  oz run answer 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8f \"the second one\""
)]
pub(crate) struct AnswerArgs {
    /// The run
    run_id: String,
    /// The answer; the question before it when several are open
    #[arg(required = true, num_args = 1..=2, value_names = ["REQUEST_ID", "TEXT"])]
    words: Vec<String>,
}

pub(super) async fn approve(client: &Client, args: ApproveArgs, format: Format) -> Outcome {
    let decision = if args.always { Decision::ApproveAlways } else { Decision::Approve };
    let answer = Answer { decision, text: args.message };
    give(client, &args.run_id, args.request_id.as_deref(), answer, format).await
}

pub(super) async fn deny(client: &Client, args: DenyArgs, format: Format) -> Outcome {
    let answer = Answer { decision: Decision::Deny, text: args.message };
    give(client, &args.run_id, args.request_id.as_deref(), answer, format).await
}

pub(super) async fn answer(client: &Client, mut args: AnswerArgs, format: Format) -> Outcome {
    let text = args.words.pop();
    let answer = Answer { decision: Decision::Answer, text };
    give(client, &args.run_id, args.words.first().map(String::as_str), answer, format).await
}

async fn give(
    client: &Client,
    run_id: &str,
    request_id: Option<&str>,
    answer: Answer,
    format: Format,
) -> Outcome {
    let run_id: RunId = run_id.parse()?;
    let request_id = match request_id {
        Some(id) => id.parse().map_err(|_| {
            CliError::new(format!("'{id}' is no request id; `oz run requests {run_id}` lists them"))
        })?,
        None => {
            let open = ListRunRequests { run_id, open: Some(true) };
            only(run_id, &client.send(&open).await?.requests)?
        }
    };
    let given = client.send(&AnswerRunRequest { run_id, request_id, answer }).await?;
    if format.is_json() {
        out::json(format, &given)?;
    } else {
        let title = one_line(&given.request.title, 60);
        out::line(format!("Answered '{title}'. See it go on with `oz run watch {run_id}`."));
    }
    Ok(true)
}

/// The only one that is open.
fn only(run_id: RunId, open: &[RunRequest]) -> Result<Uuid, CliError> {
    match open {
        [one] => Ok(one.request.request_id),
        [] => Err(CliError::new(format!("run {run_id} asks nothing now"))),
        many => {
            let lines = many.iter().map(|asked| {
                format!("  {} {}", asked.request.request_id, one_line(&asked.request.title, 60))
            });
            let lines: Vec<String> = lines.collect();
            Err(CliError::new(format!("run {run_id} asks several things; name one:\n{}", lines.join("\n"))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_id_it_is_the_only_one() {
        let asked = |id: &str| -> RunRequest {
            serde_json::from_value(serde_json::json!({
                "run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e", "request_id": id, "kind": "question",
                "title": "Which\nof them?", "created_at": "2026-03-02T08:00:00Z"
            }))
            .unwrap()
        };
        let run_id = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e".parse().unwrap();
        let (a, b) =
            (asked("0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8f"), asked("0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d90"));
        assert_eq!(only(run_id, std::slice::from_ref(&a)).unwrap(), a.request.request_id);
        let many = only(run_id, &[a, b]).unwrap_err().to_string();
        assert!(many.contains("0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d90 Which"), "{many}");
        assert!(only(run_id, &[]).unwrap_err().to_string().contains("asks nothing"));
    }
}
