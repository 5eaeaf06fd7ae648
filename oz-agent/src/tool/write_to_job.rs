//! `write_to_job`: types into a job.

use super::{Desk, Done, Failed, Tool, arguments, read_job, schema};
use crate::job::{Job, encode};
use async_trait::async_trait;
use oz_core::{harness::ActionCategory, permission::Ask};
use rustix::process::Signal;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::time::Instant;

/// How long what comes of it may take to settle.
const SETTLE: Duration = Duration::from_secs(5);
/// When it seems to have settled.
const QUIET: Duration = Duration::from_millis(300);
/// Between one key and the next: programs take an escape at once with a letter for one key.
const BETWEEN: Duration = Duration::from_millis(30);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    job_id: u32,
    /// Written as it is, without a line end.
    #[serde(default)]
    text: String,
    /// Keys to press after the text, such as `Enter`, `Escape`, `Up`, `Ctrl-C`, `Alt-x`.
    #[serde(default)]
    keys: Vec<String>,
}

pub(super) struct WriteToJob;

#[async_trait]
impl Tool for WriteToJob {
    fn name(&self) -> &str {
        "write_to_job"
    }

    fn description(&self) -> &str {
        "Types into a job and returns what it printed then, or its screen."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Command
    }

    fn asks(&self, _: &Desk, input: &Map<String, Value>) -> Vec<Ask> {
        let id = input.get("job_id").and_then(Value::as_u64).unwrap_or_default();
        // Who was let write to it once is remembered.
        vec![Ask::Interact { program: format!("job {id}"), first: true }]
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { job_id, text, keys } = arguments(input)?;
        let job = desk.jobs.find(job_id)?;
        if text.is_empty() && keys.is_empty() {
            return Err("text, keys: both are empty; give something to write".to_owned().into());
        }
        // Before anything is written, so that nothing is when a key is wrong.
        for key in &keys {
            encode(key, false)?;
        }
        if !text.is_empty() {
            job.write(text.as_bytes()).await?;
        }
        for key in &keys {
            if job.pty {
                tokio::time::sleep(BETWEEN).await;
            }
            press(&job, key).await?;
        }
        job.quiet(QUIET, Instant::now() + SETTLE).await;
        Ok(read_job::report(desk, &job))
    }
}

/// Presses a key. Without a terminal there is nobody else to make of it what a terminal does.
async fn press(job: &Job, key: &str) -> Result<(), String> {
    let bytes = encode(key, job.application_cursor())?;
    match (job.pty, bytes.as_slice()) {
        (true, _) => job.write(&bytes).await,
        (false, b"\x03") => {
            job.signal(Signal::INT);
            Ok(())
        }
        (false, b"\x04") => {
            job.close_input().await;
            Ok(())
        }
        (false, b"\r") => job.write(b"\n").await,
        (false, _) => job.write(&bytes).await,
    }
}
