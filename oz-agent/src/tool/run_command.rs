//! `run_command`: a shell command in the workspace. It judges no command; what may run is a matter of where the agent
//! runs.

use super::{Desk, Done, Failed, Tool, arguments, object, schema};
use crate::command::{self, Command};
use async_trait::async_trait;
use oz_core::{harness::ActionCategory, permission::Ask};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

const DEFAULT_SECONDS: u64 = 120;
const MAX_SECONDS: u64 = 3600;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The command, for `sh -c`.
    command: String,
    /// When to kill it; 120 by default, at most 3600.
    timeout_seconds: Option<u64>,
}

pub(super) struct RunCommand;

#[async_trait]
impl Tool for RunCommand {
    fn name(&self) -> &str {
        "run_command"
    }

    fn description(&self) -> &str {
        "Runs a shell command in the workspace and returns its exit code and output. There is no terminal and no input. \
         Start servers in the background with `&`."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Command
    }

    fn asks(&self, _: &Desk, input: &Map<String, Value>) -> Vec<Ask> {
        let command = input.get("command").and_then(Value::as_str).unwrap_or_default().to_owned();
        vec![Ask::Execute { command, risky: false }]
    }

    fn shown(&self, input: &Map<String, Value>) -> Map<String, Value> {
        object([("command", input.get("command").cloned().unwrap_or_default())])
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { command, timeout_seconds } = arguments(input)?;
        let seconds = timeout_seconds.unwrap_or(DEFAULT_SECONDS).clamp(1, MAX_SECONDS);
        let words = ["/bin/sh", "-c", &command];
        let ran = command::run(Command {
            words: &words,
            directory: desk.workspace.root(),
            env: &desk.env,
            mark: desk.household.mark(),
            limit: Duration::from_secs(seconds),
            redactor: &desk.redactor,
            live: None,
        });
        let ran = ran.await.map_err(|e| format!("the command could not be started: {e}"))?;
        let dropped = ran.output.dropped();
        let output = ran.output.into_text();
        let Some(exit_code) = ran.exit_code else {
            let message = format!(
                "the command did not end within {seconds} s and was killed; its output until then:\n{output}"
            );
            let error = format!("killed after {seconds} s").into();
            return Err(Failed { message, output: object([("output", output.into()), ("error", error)]) });
        };
        let content = format!("exit_code: {exit_code}\n{output}");
        let mut shown = object([
            ("status", "complete".into()),
            ("exit_code", exit_code.into()),
            ("output", output.into()),
        ]);
        if dropped > 0 {
            shown.insert("dropped_bytes".to_owned(), dropped.into());
        }
        Ok(Done { content, output: shown, ..Done::default() })
    }
}
