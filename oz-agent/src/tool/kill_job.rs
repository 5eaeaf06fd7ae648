//! `kill_job`: ends a job.

use super::{Desk, Done, Failed, Tool, arguments, read_job, schema};
use async_trait::async_trait;
use oz_core::harness::ActionCategory;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    job_id: u32,
}

pub(super) struct KillJob;

#[async_trait]
impl Tool for KillJob {
    fn name(&self) -> &str {
        "kill_job"
    }

    fn description(&self) -> &str {
        "Ends a job and everything that it started."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Command
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { job_id } = arguments(input)?;
        let job = desk.jobs.find(job_id)?;
        job.end().await;
        Ok(read_job::report(desk, &job))
    }
}
