//! One tool call, from the words of the model to the result for it, with the events around it. Whatever is wrong with a
//! call becomes a result that says so; only the end of the agent itself, or a user who interrupts, ends it early.

use super::agent::{Agent, End};
use crate::{
    rule::RuleBook,
    tool::{Done, Effect, Failed},
};
use oz_core::{
    Open,
    harness::{ActionCategory, ActionState, HarnessEvent},
    model::{ToolCall, ToolResult},
};
use serde_json::{Map, Value};

/// The result of a call in the middle of which the model had to stop.
const CUT: &str = "your answer reached the limit on its length in the middle of this call; nothing was done. Call it \
                   again with less: write what is long in several parts";
/// The result of a call that a user ended.
const INTERRUPTED: &str = "it was interrupted by the user";

impl Agent {
    /// Does what the model called for. Whether it may have been `cut` in the middle of saying it only matters where its
    /// arguments are not whole.
    pub(super) async fn act(&self, call: &ToolCall, cut: bool) -> Result<(ToolResult, Effect), End> {
        let tool = self.tools.find(&call.name);
        let category = tool.as_ref().map_or(ActionCategory::Integration, |tool| tool.category());
        let input = parse(&call.arguments, cut);
        let shown = match (&input, &tool) {
            (Ok(input), Some(tool)) => tool.shown(input),
            (Ok(input), None) => input.clone(),
            (Err(_), _) => Map::from_iter([("arguments".to_owned(), call.arguments.as_str().into())]),
        };
        let touched = input.as_ref().map(|input| RuleBook::paths(&category, input)).unwrap_or_default();
        let (id, name) = (call.id.clone(), call.name.clone());
        self.say(HarnessEvent::Action { id, category: category.clone(), name, input: shown.clone() }).await;

        let denied = match (&tool, &input) {
            (Some(tool), Ok(input)) => self.denied(&**tool, input, &shown).await,
            _ => Ok(None),
        };
        let killed = self.common.memory.kills();
        let not_permitted = matches!(denied, Ok(Some(_)));
        let step = self.steps.current();
        let done = match (denied, tool, input) {
            (Err(end), ..) => Err(end),
            (Ok(Some(why)), ..) => Ok(Err(why.into())),
            (_, Some(tool), Ok(input)) => tokio::select! {
                biased;
                done = self.bounded(tool.run(&self.desk, Value::Object(input))) => done,
                () = step.cancelled() => Ok(Err(INTERRUPTED.to_owned().into())),
            },
            (_, Some(_), Err(problem)) => Ok(Err(problem.into())),
            (_, None, _) => Ok(Err(unknown(&call.name, &self.tools.names()).into())),
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
        let Done { mut content, mut output, images, effect } = result;
        if let Some(text) = self.common.memory.since(killed) {
            content.push_str(&format!("\n[{text}]"));
            output.insert("error".to_owned(), text.into());
        }
        content.push_str(&self.rules_for(&touched).await);
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
            state: match is_error {
                true if not_permitted => ActionState::Denied,
                true => ActionState::Failed,
                false => ActionState::Completed,
            },
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

    /// What the project says about work where these paths are, unless the agent was told before.
    async fn rules_for(&self, paths: &[String]) -> String {
        let rules = self.rules.new_for(paths);
        if !rules.is_empty() {
            let (name, detail) = ("project_rules".to_owned(), Some(self.rules.shown(&rules)));
            self.say(HarnessEvent::Stage { name, ok: true, duration_ms: 0, detail }).await;
        }
        self.rules.note(&rules)
    }
}

impl From<Failed> for Done {
    fn from(Failed { message, mut output }: Failed) -> Self {
        output.entry("error").or_insert_with(|| message.as_str().into());
        Self { content: message, output, ..Self::default() }
    }
}

fn parse(arguments: &str, cut: bool) -> Result<Map<String, Value>, String> {
    let text = if arguments.trim().is_empty() && !cut { "{}" } else { arguments };
    serde_json::from_str(text).map_err(|e| match cut {
        true => CUT.to_owned(),
        false => format!("the arguments are not a JSON object: {e}; nothing was done"),
    })
}

fn unknown(name: &str, names: &[&str]) -> String {
    format!("there is no tool '{name}'; there are {}", names.join(", "))
}
