//! The list of tasks that Claude Code keeps with its tools.

use oz_core::harness::{HarnessEvent, TaskItem, TaskState};
use serde_json::Value;
use std::collections::HashMap;

/// The list, as it follows from the calls.
#[derive(Default)]
pub(super) struct Tasks {
    list: Vec<(String, TaskItem)>,
    /// Tasks whose numbers are in the results of these calls.
    created: HashMap<String, TaskItem>,
}

impl Tasks {
    /// The list after a call, when it changed.
    pub(super) fn called(&mut self, id: &str, tool: &str, input: &Value) -> Option<HarnessEvent> {
        match tool {
            "TodoWrite" => {
                let todos = input["todos"].as_array()?.iter().enumerate();
                self.list =
                    todos.map(|(i, todo)| (i.to_string(), item(&todo["content"], &todo["status"]))).collect();
            }
            "TaskCreate" => {
                self.created.insert(id.to_owned(), item(&input["subject"], &Value::Null));
                return None;
            }
            "TaskUpdate" => {
                let number = text(&input["taskId"]);
                let (_, task) = self.list.iter_mut().find(|(known, _)| *known == number)?;
                if let Some(title) = input["subject"].as_str() {
                    task.title = title.to_owned();
                }
                if !input["status"].is_null() {
                    task.state = state(&input["status"]);
                }
            }
            _ => return None,
        }
        Some(self.event())
    }

    /// The list after the result of a call, when it changed.
    pub(super) fn answered(&mut self, id: &str, result: &Value) -> Option<HarnessEvent> {
        let task = self.created.remove(id)?;
        let number = text(&result["task"]["id"]);
        let number = if number.is_empty() { (self.list.len() + 1).to_string() } else { number };
        self.list.push((number, task));
        Some(self.event())
    }

    fn event(&self) -> HarnessEvent {
        HarnessEvent::Tasks { tasks: self.list.iter().map(|(_, task)| task.clone()).collect() }
    }
}

fn item(title: &Value, status: &Value) -> TaskItem {
    TaskItem { title: text(title), state: state(status) }
}

fn state(status: &Value) -> TaskState {
    match status.as_str() {
        Some("in_progress") => TaskState::InProgress,
        Some("completed") => TaskState::Completed,
        Some("deleted" | "cancelled") => TaskState::Cancelled,
        _ => TaskState::Pending,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
