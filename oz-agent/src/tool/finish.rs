//! `finish`: the agent says that it is done, or that it gives up.

use super::{Desk, Done, Effect, Failed, Tool, arguments, schema};
use async_trait::async_trait;
use oz_core::harness::ActionCategory;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// What was done, or why it could not be done, in a few sentences.
    summary: String,
    /// Whether the task is done.
    #[serde(default = "yes")]
    success: bool,
}

fn yes() -> bool {
    true
}

/// Its name.
pub(super) const NAME: &str = "finish";

pub(super) struct Finish;

#[async_trait]
impl Tool for Finish {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Ends the work. Call it last, once the result is verified, or when the task can't be done."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Integration
    }

    async fn run(&self, _desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { summary, success } = arguments(input)?;
        Ok(Done { content: "ok".to_owned(), effect: Effect::Finish { success, summary }, ..Done::default() })
    }
}
