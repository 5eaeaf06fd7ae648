//! What is shown of the tools of others: their arguments and results, fit for a transcript.

use oz_core::harness::{ActionCategory, ActionState, HarnessEvent, TaskItem, TaskState};
use serde_json::{Map, Value, json};

/// How much of one text is shown.
const LONGEST: usize = 16 << 10;

/// A text, its middle left out where it is long.
pub(super) fn clip(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let (head, tail) =
        (text.floor_char_boundary(LONGEST / 2), text.ceil_char_boundary(text.len() - LONGEST / 2));
    format!("{}\n… {} bytes left out …\n{}", &text[..head], tail - head, &text[tail..])
}

/// Arguments, each text of them clipped.
pub(super) fn input(value: &Value) -> Map<String, Value> {
    match short(value) {
        Value::Object(map) => map,
        Value::Null => Map::new(),
        other => Map::from_iter([("input".to_owned(), other)]),
    }
}

fn short(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(clip(text)),
        Value::Array(list) => list.iter().take(200).map(short).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), short(value))).collect(),
        other => other.clone(),
    }
}

/// The text in what a tool answered: a text, or a list of parts as in the Model Context Protocol.
pub(super) fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(parts) => {
            let parts = parts.iter().map(|part| match part["type"].as_str() {
                Some("text") => part["text"].as_str().unwrap_or_default().to_owned(),
                Some(kind) => format!("({kind})"),
                None => part.to_string(),
            });
            parts.collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

/// The result of an action; its kind and name are those of the action, which the engine knows.
pub(super) fn result(id: &str, failed: bool, output: Map<String, Value>) -> HarnessEvent {
    HarnessEvent::ActionResult {
        action_id: id.to_owned(),
        category: ActionCategory::Command,
        name: String::new(),
        state: if failed { ActionState::Failed } else { ActionState::Completed },
        output,
    }
}

/// A list of tasks, each with its title in the field `title` and with its `status`.
pub(super) fn tasks(list: &Value, title: &str) -> HarnessEvent {
    let text = |task: &Value, field: &str| task[field].as_str().unwrap_or_default().to_owned();
    let item = |task: &Value| TaskItem {
        title: text(task, title),
        state: TaskState::from(text(task, "status").as_str()),
    };
    HarnessEvent::Tasks { tasks: list.as_array().into_iter().flatten().map(item).collect() }
}

/// What a tool answered, as text.
pub(super) fn output(text: &str, failed: bool) -> Map<String, Value> {
    let key = if failed { "error" } else { "output" };
    Map::from_iter([(key.to_owned(), json!(clip(text)))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_clipped_wherever_they_stand() {
        let long = "ä".repeat(LONGEST);
        let shown = input(&json!({"a": [{"b": long}], "c": "short"}));
        let text = shown["a"][0]["b"].as_str().unwrap();
        assert!(text.len() < LONGEST + 100 && text.contains("bytes left out"));
        assert_eq!(shown["c"], "short");
    }

    #[test]
    fn answers_become_text() {
        let parts = json!([{"type": "text", "text": "one"}, {"type": "image", "data": "…"}]);
        assert_eq!(text(&parts), "one\n(image)");
        assert_eq!(text(&json!("plain")), "plain");
    }
}
