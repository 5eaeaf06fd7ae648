//! `run_command`: a shell command in the workspace. It judges no command; what may run is a matter of where the agent
//! runs.

use super::{Desk, Done, Failed, Tool, arguments, object, read_job, schema};
use crate::job::{Order, Seen};
use async_trait::async_trait;
use oz_core::{harness::ActionCategory, permission::Ask};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path, time::Duration};
use tokio::time::Instant;

const DEFAULT_SECONDS: u64 = 120;
const MAX_SECONDS: u64 = 3600;
/// How long the first output of a job may take to settle.
const SETTLE: Duration = Duration::from_secs(5);
/// When a job seems to wait for something.
const QUIET: Duration = Duration::from_millis(400);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    command: String,
    /// How long to wait for its end; 120 by default, at most 3600.
    timeout_seconds: Option<u64>,
    /// What happens to it then; `kill` by default. `background` makes it a job.
    #[serde(default)]
    on_timeout: OnTimeout,
    /// Makes it a job at once, for servers and whatever else should go on beside you. A job has its own directory and
    /// variables.
    #[serde(default)]
    background: bool,
    /// Makes it a job with a terminal, for interactive programs. You see its screen.
    #[serde(default)]
    pty: bool,
    /// Secrets to put into its environment, by their names.
    #[serde(default)]
    secrets: Vec<String>,
}

#[derive(Deserialize, JsonSchema, Default, PartialEq)]
#[serde(rename_all = "snake_case")]
enum OnTimeout {
    #[default]
    Kill,
    Background,
}

pub(super) struct RunCommand {
    /// The names of secrets that commands may ask for.
    pub(super) secrets: Vec<String>,
}

#[async_trait]
impl Tool for RunCommand {
    fn name(&self) -> &str {
        "run_command"
    }

    fn description(&self) -> &str {
        "Runs a shell command (bash, else sh) and returns its exit code and output. It starts in the workspace; the \
         directory and exported variables stay for the next command. It has no input. Of long output the middle is left \
         out; a file has all of it. A job returns its number, for read_job, write_to_job and kill_job."
    }

    fn schema(&self) -> Value {
        let mut schema = schema::<Input>();
        if let Some(properties) = schema["properties"].as_object_mut() {
            if self.secrets.is_empty() {
                properties.remove("secrets");
            } else {
                properties["secrets"]["items"]["enum"] = self.secrets.clone().into();
            }
        }
        schema
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Command
    }

    fn asks(&self, _: &Desk, input: &Map<String, Value>) -> Vec<Ask> {
        let command = input.get("command").and_then(Value::as_str).unwrap_or_default().to_owned();
        vec![Ask::Execute { command, risky: false }]
    }

    fn shown(&self, input: &Map<String, Value>) -> Map<String, Value> {
        let mut shown = object([("command", input.get("command").cloned().unwrap_or_default())]);
        for name in ["background", "pty", "secrets"] {
            if let Some(value) = input.get(name).filter(|value| **value != Value::Bool(false)) {
                shown.insert(name.to_owned(), value.clone());
            }
        }
        shown
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { command, timeout_seconds, on_timeout, background, pty, secrets } = arguments(input)?;
        let seconds = timeout_seconds.unwrap_or(DEFAULT_SECONDS).clamp(1, MAX_SECONDS);
        let secrets = named(desk, secrets)?;
        let refused = desk.network.count();
        let started = desk.jobs.start(&Order {
            command: &command,
            root: desk.workspace.root(),
            env: &desk.env,
            secrets: &secrets,
            household: &desk.household,
            redactor: &desk.redactor,
            network: &desk.network,
            pty,
            background,
        })?;
        let begun = Instant::now();
        if background || pty {
            started.job.quiet(QUIET, begun + SETTLE.min(Duration::from_secs(seconds))).await;
            return Ok(read_job::report(desk, &started.keep()));
        }
        let gone = started.call.gone.clone();
        if started.job.ended(begun + Duration::from_secs(seconds)).await {
            let seen = started.job.look();
            let directory = started.ended();
            let mut done = complete(desk, &seen, directory.as_deref(), gone.as_deref());
            for text in desk.network.refused(refused) {
                done.content.push_str(&format!("\n[{text}]\n"));
            }
            return Ok(done);
        }
        if on_timeout == OnTimeout::Background {
            return Ok(read_job::report(desk, &started.keep()));
        }
        started.job.kill();
        started.job.ended(Instant::now() + QUIET).await;
        let seen = started.job.look();
        let message = format!(
            "the command did not end within {seconds} s and was killed; its output until then:\n{}{}",
            whole(&seen),
            seen.text
        );
        let error = format!("killed after {seconds} s").into();
        Err(Failed { message, output: object([("output", seen.text.into()), ("error", error)]) })
    }
}

/// The secrets of these names.
fn named(desk: &Desk, names: Vec<String>) -> Result<BTreeMap<String, String>, Failed> {
    let mut secrets = BTreeMap::new();
    for name in names {
        let Some(value) = desk.secrets.get(&name) else {
            let known: Vec<&str> = desk.secrets.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(format!("secrets: there is no secret '{name}'; there are: {known}").into());
        };
        secrets.insert(name, value.clone());
    }
    Ok(secrets)
}

/// What is said of a command that has ended.
fn complete(desk: &Desk, seen: &Seen, directory: Option<&Path>, gone: Option<&Path>) -> Done {
    let exit_code = seen.exit_code.unwrap_or(-1);
    let mut content = format!("exit_code: {exit_code}\n");
    if let Some(gone) = gone {
        let gone = desk.workspace.show(gone);
        content.push_str(&format!("[the directory '{gone}' is gone; it ran in the workspace]\n"));
    }
    if let Some(directory) = directory.filter(|directory| *directory != desk.workspace.root()) {
        content.push_str(&format!("directory: {}\n", desk.workspace.show(directory)));
    }
    content.push_str(&whole(seen));
    content.push_str(&seen.text);
    let mut output = object([
        ("status", "complete".into()),
        ("exit_code", exit_code.into()),
        ("output", seen.text.as_str().into()),
    ]);
    if seen.dropped > 0 {
        output.insert("dropped_bytes".to_owned(), seen.dropped.into());
    }
    Done { content, output, ..Done::default() }
}

/// Where all of the output is, when it is more than is shown.
pub(super) fn whole(seen: &Seen) -> String {
    match &seen.file {
        Some(file) if seen.dropped > 0 => format!(
            "whole output: {} (read ranges of it with read_files, or search it with grep)\n",
            file.display()
        ),
        _ => String::new(),
    }
}
