//! `update_tasks`: the list of what there is to do, for who watches and for the agent itself.

use crate::{
    native::notes::Notes,
    tool::{Desk, Done, Failed, Tool, arguments, object, schema},
};
use async_trait::async_trait;
use oz_core::harness::{ActionCategory, HarnessEvent, TaskItem, TaskState};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The whole list in order.
    tasks: Vec<Task>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Task {
    title: String,
    state: State,
}

#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum State {
    Pending,
    InProgress,
    Completed,
    Cancelled,
}

impl From<State> for TaskState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::InProgress => Self::InProgress,
            State::Completed => Self::Completed,
            State::Cancelled => Self::Cancelled,
        }
    }
}

pub(in crate::native) struct UpdateTasks {
    pub(in crate::native) notes: Arc<Notes>,
    pub(in crate::native) events: mpsc::Sender<HarnessEvent>,
}

#[async_trait]
impl Tool for UpdateTasks {
    fn name(&self) -> &str {
        "update_tasks"
    }

    fn description(&self) -> &str {
        "Keeps your list of tasks for work of several steps: send the whole list each time, with at most one task \
         in_progress, at the start and whenever a state changes."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Documents
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { tasks } = arguments(input)?;
        let at_once = tasks.iter().filter(|task| task.state == State::InProgress).count();
        if at_once > 1 {
            return Err(format!("tasks: {at_once} are in_progress; at most one may be").into());
        }
        if tasks.iter().any(|task| task.title.trim().is_empty()) {
            return Err("tasks: a title is empty".to_owned().into());
        }
        let item =
            |Task { title, state }| TaskItem { title: desk.redactor.string(title), state: state.into() };
        let tasks: Vec<TaskItem> = tasks.into_iter().map(item).collect();
        let done = tasks.iter().filter(|task| task.state == TaskState::Completed).count();
        let content = format!("{done} of {} tasks are completed", tasks.len());
        self.notes.set_tasks(tasks.clone());
        let _ = self.events.send(HarnessEvent::Tasks { tasks }).await;
        Ok(Done { output: object([("output", content.as_str().into())]), content, ..Done::default() })
    }
}
