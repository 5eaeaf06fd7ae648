//! `ask_user`: a question to a human, whose answer is waited for.

use crate::{
    native::agent::Common,
    tool::{Desk, Done, Failed, Tool, arguments, object, schema},
};
use async_trait::async_trait;
use oz_core::{
    harness::ActionCategory,
    request::{Decision, Request, RequestKind},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use uuid::Uuid;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// One question, with all that is needed to answer it.
    question: String,
    /// Answers to choose from.
    #[serde(default)]
    options: Vec<String>,
}

pub(in crate::native) struct AskUser(pub(in crate::native) Arc<Common>);

#[async_trait]
impl Tool for AskUser {
    fn name(&self) -> &str {
        "ask_user"
    }

    fn description(&self) -> &str {
        "Asks the user and waits for the answer, which may take long. For what only the user can decide."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Integration
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { question, options } = arguments(input)?;
        if question.trim().is_empty() {
            return Err("question: it is empty; ask something".to_owned().into());
        }
        let request = Request {
            request_id: Uuid::new_v4(),
            kind: RequestKind::Question,
            title: desk.redactor.string(question),
            reason: None,
            detail: Map::new(),
            options: options.into_iter().map(|option| desk.redactor.string(option)).collect(),
        };
        let answer = self.0.human.request(request).await;
        let text = answer.text.filter(|text| !text.trim().is_empty());
        let content = match (&answer.decision, text) {
            (Decision::Deny, None) => {
                "The user did not answer. Decide by yourself, or finish without it.".to_owned()
            }
            (Decision::Deny, Some(text)) => format!("There is no answer: {text}"),
            (Decision::Approve | Decision::ApproveAlways, None) => "The user approves.".to_owned(),
            (Decision::Approve | Decision::ApproveAlways, Some(text)) => format!("The user approves: {text}"),
            (_, text) => format!("The user answers: {}", text.unwrap_or_default()),
        };
        let output =
            object([("decision", answer.decision.as_str().into()), ("answer", content.as_str().into())]);
        Ok(Done { content, output, ..Done::default() })
    }
}
