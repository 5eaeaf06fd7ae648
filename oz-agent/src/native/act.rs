//! One tool call, from the words of the model to the result for it, with the events around it. Whatever is wrong with a
//! call becomes a result that says so; only the end of the agent itself, or a user who interrupts, ends it early.

use super::agent::{Agent, End};
use crate::tool::{Done, Effect, Failed};
use oz_core::{
    Open,
    harness::{ActionCategory, ActionState, HarnessEvent},
    model::{ToolCall, ToolResult},
};
use serde_json::{Map, Value};

/// The result of a call that a user ended.
const INTERRUPTED: &str = "it was interrupted by the user";

impl Agent {
    /// Does what the model called for.
    pub(super) async fn act(&self, call: &ToolCall) -> Result<(ToolResult, Effect), End> {
        let tool = self.tools.find(&call.name);
        let category = tool.as_ref().map_or(ActionCategory::Integration, |tool| tool.category());
        let input = parse(&call.arguments);
        let shown = match (&input, &tool) {
            (Ok(input), Some(tool)) => tool.shown(input),
            (Ok(input), None) => input.clone(),
            (Err(_), _) => Map::from_iter([("arguments".to_owned(), call.arguments.as_str().into())]),
        };
        let (id, name) = (call.id.clone(), call.name.clone());
        self.say(HarnessEvent::Action { id, category: category.clone(), name, input: shown }).await;

        let step = self.steps.current();
        let done = match (tool, input) {
            (Some(tool), Ok(input)) => tokio::select! {
                biased;
                done = self.bounded(tool.run(&self.desk, Value::Object(input))) => done,
                () = step.cancelled() => Ok(Err(INTERRUPTED.to_owned().into())),
            },
            (Some(_), Err(problem)) => Ok(Err(problem.into())),
            (None, _) => Ok(Err(unknown(&call.name, &self.tools.names()).into())),
        };
        let (result, ended) = match done {
            Ok(result) => (result, None),
            Err(end) => (Err("it was stopped because the run ended".to_owned().into()), Some(end)),
        };
        self.common.human.withdraw().await;
        let (result, is_error) = match result {
            Ok(done) => (done, false),
            Err(failed) => (failed.into(), true),
        };
        let Done { content, output, images, effect } = result;
        // The model says to others what it knows; it is to know no secrets.
        let content = self.desk.redactor.string(content);
        let output = self.desk.redactor.map(output);
        if let Some(diff) = output.get("diff").and_then(Value::as_str).filter(|_| !is_error) {
            self.notes.changed(diff.to_owned());
        }
        self.say(HarnessEvent::ActionResult {
            action_id: call.id.clone(),
            category,
            name: call.name.clone(),
            state: if is_error { ActionState::Failed } else { ActionState::Completed },
            output,
        })
        .await;
        if let Effect::Artifact(artifact) = &effect {
            self.say(HarnessEvent::Artifact { artifact: Open::Known(artifact.clone()) }).await;
        }
        match ended {
            Some(end) => Err(end),
            None => Ok((ToolResult { call_id: call.id.clone(), content, is_error, images }, effect)),
        }
    }
}

impl From<Failed> for Done {
    fn from(Failed { message, mut output }: Failed) -> Self {
        output.entry("error").or_insert_with(|| message.as_str().into());
        Self { content: message, output, ..Self::default() }
    }
}

fn parse(arguments: &str) -> Result<Map<String, Value>, String> {
    let text = if arguments.trim().is_empty() { "{}" } else { arguments };
    serde_json::from_str(text)
        .map_err(|e| format!("the arguments are not a JSON object: {e}; nothing was done"))
}

fn unknown(name: &str, names: &[&str]) -> String {
    format!("there is no tool '{name}'; there are {}", names.join(", "))
}
