//! `read_job`: what a job has printed since the last look, or its screen.

use super::{Desk, Done, Failed, Tool, arguments, object, run_command, schema};
use crate::job::Job;
use async_trait::async_trait;
use oz_core::harness::ActionCategory;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

const DEFAULT_SECONDS: u64 = 30;
const MAX_SECONDS: u64 = 3600;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    job_id: u32,
    /// How long to wait at most for its end or for `until`; without either it does not wait.
    wait_seconds: Option<u64>,
    /// Waits until new output or the screen contains this text; 30 s when `wait_seconds` says nothing else.
    until: Option<String>,
}

pub(super) struct ReadJob;

#[async_trait]
impl Tool for ReadJob {
    fn name(&self) -> &str {
        "read_job"
    }

    fn description(&self) -> &str {
        "Reads what a job has printed since it was last read, or its screen, and whether it has ended. Can wait for that."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Command
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { job_id, wait_seconds, until } = arguments(input)?;
        let job = desk.jobs.find(job_id)?;
        let default = if until.is_some() { DEFAULT_SECONDS } else { 0 };
        let seconds = wait_seconds.unwrap_or(default).min(MAX_SECONDS);
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let Some(until) = until.filter(|until| !until.is_empty()) else {
            job.ended(deadline).await;
            return Ok(report(desk, &job));
        };
        let shown = job.shows(&until, deadline).await;
        let mut done = report(desk, &job);
        if !shown {
            done.content.push_str(&format!("\n['{until}' did not come within {seconds} s]\n"));
        }
        Ok(done)
    }
}

/// What is said of a job. One that has ended is said to have so once, and is then forgotten.
pub(super) fn report(desk: &Desk, job: &Job) -> Done {
    let seen = job.look();
    let mut output = object([("job_id", job.id.into()), ("output", seen.text.as_str().into())]);
    let state = match seen.exit_code {
        None => {
            output.insert("status".to_owned(), "running".into());
            format!("job {} runs: {}", job.id, shortened(&job.command))
        }
        Some(exit_code) => {
            desk.jobs.forget(job.id);
            output.insert("status".to_owned(), "complete".into());
            output.insert("exit_code".to_owned(), exit_code.into());
            let how = if seen.killed { "was killed" } else { "has ended" };
            format!("job {} {how}; exit_code: {exit_code}", job.id)
        }
    };
    if seen.dropped > 0 {
        output.insert("dropped_bytes".to_owned(), seen.dropped.into());
    }
    let kind = match (job.pty, seen.text.is_empty()) {
        (true, _) => "screen:\n",
        (false, true) => "no new output\n",
        (false, false) => "new output:\n",
    };
    let content = format!("{state}\n{}{kind}{}", run_command::whole(&seen), seen.text);
    Done { content, output, ..Done::default() }
}

/// The beginning of a command, on one line.
fn shortened(command: &str) -> String {
    const MAX: usize = 80;
    let line = command.lines().next().unwrap_or_default();
    match line.len() == command.len() && line.len() <= MAX {
        true => line.to_owned(),
        false => format!("{}…", &line[..line.floor_char_boundary(MAX)]),
    }
}
