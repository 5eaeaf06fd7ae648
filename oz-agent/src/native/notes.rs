//! What an agent keeps in mind whatever becomes of its conversation: its tasks, its plan and what it changed.

use oz_core::harness::{TaskItem, TaskState};
use serde::{Deserialize, Serialize};
use std::{
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// How much of the newest changes is kept, in bytes.
const DIFFS: usize = 24 << 10;

/// A plan document in its newest version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) document_uid: Uuid,
    /// Counted from 1.
    pub(super) version: u32,
    pub(super) title: String,
    /// Markdown.
    pub(super) text: String,
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    pub(super) tasks: Vec<TaskItem>,
    pub(super) plan: Option<Plan>,
    /// How files were changed, the oldest first.
    pub(super) diffs: Vec<String>,
    /// Whether older changes were dropped.
    pub(super) more_diffs: bool,
}

/// The notes of one agent.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Kept>);

impl Notes {
    pub(super) fn new(kept: Kept) -> Self {
        Self(Mutex::new(kept))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it.
    pub(super) fn kept(&self) -> Kept {
        self.lock().clone()
    }

    /// There is another list of tasks.
    pub(super) fn set_tasks(&self, tasks: Vec<TaskItem>) {
        self.lock().tasks = tasks;
    }

    /// What was not done is not done any more. Answers the list if that changed it.
    pub(super) fn cancel_tasks(&self) -> Option<Vec<TaskItem>> {
        let tasks = &mut self.lock().tasks;
        let mut changed = false;
        for task in tasks.iter_mut() {
            if matches!(task.state, TaskState::Pending | TaskState::InProgress) {
                task.state = TaskState::Cancelled;
                changed = true;
            }
        }
        changed.then(|| tasks.clone())
    }

    /// There is a new version of the plan, which is the answer.
    pub(super) fn set_plan(&self, title: String, text: String) -> Plan {
        let mut kept = self.lock();
        let (document_uid, version) = match &kept.plan {
            Some(plan) => (plan.document_uid, plan.version + 1),
            None => (Uuid::new_v4(), 1),
        };
        let plan = Plan { document_uid, version, title, text };
        kept.plan = Some(plan.clone());
        plan
    }

    /// Files were changed like this.
    pub(super) fn changed(&self, diff: String) {
        let mut kept = self.lock();
        kept.diffs.push(diff);
        while kept.diffs.iter().map(String::len).sum::<usize>() > DIFFS {
            kept.diffs.remove(0);
            kept.more_diffs = true;
        }
    }
}

impl Kept {
    /// What of it a model should know again.
    pub(super) fn in_words(&self) -> String {
        let mut text = String::new();
        if !self.tasks.is_empty() {
            text.push_str("\n\nYour list of tasks:\n");
            for task in &self.tasks {
                let _ = writeln!(text, "- [{}] {}", task.state.as_str(), task.title);
            }
        }
        if let Some(Plan { version, title, text: plan, .. }) = &self.plan {
            let _ = write!(text, "\n\nYour plan, version {version}: {title}\n\n{plan}");
        }
        if !self.diffs.is_empty() || self.more_diffs {
            text.push_str("\n\nHow you changed files, the newest last");
            text.push_str(if self.more_diffs { " (older changes are left out):\n" } else { ":\n" });
            self.diffs.iter().for_each(|diff| text.push_str(diff));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_keeps_its_document_and_counts_its_versions() {
        let notes = Notes::default();
        let first = notes.set_plan("A".into(), "a".into());
        let second = notes.set_plan("B".into(), "b".into());
        assert_eq!((first.version, second.version), (1, 2));
        assert_eq!(first.document_uid, second.document_uid);
        assert!(notes.kept().in_words().contains("version 2: B\n\nb"));
    }

    #[test]
    fn the_newest_changes_stay_and_what_is_gone_is_told() {
        let notes = Notes::default();
        (0..4).for_each(|n| notes.changed(format!("{n}{}", "x".repeat(8 << 10))));
        let kept = notes.kept();
        assert_eq!(kept.diffs.len(), 2);
        assert!(kept.diffs[1].starts_with('3') && kept.in_words().contains("older changes are left out"));
        notes.changed("y".repeat(DIFFS + 1));
        assert!(notes.kept().diffs.is_empty() && notes.kept().in_words().contains("left out"));
    }

    #[test]
    fn what_was_not_done_is_cancelled_in_the_end() {
        let notes = Notes::default();
        assert_eq!(notes.cancel_tasks(), None);
        let states = [TaskState::Completed, TaskState::InProgress, TaskState::Pending];
        notes.set_tasks(states.map(|state| TaskItem { title: "t".into(), state }).into());
        let tasks = notes.cancel_tasks().unwrap();
        let cancelled = TaskState::Cancelled;
        assert_eq!(
            tasks.into_iter().map(|t| t.state).collect::<Vec<_>>(),
            [TaskState::Completed, cancelled.clone(), cancelled]
        );
        assert_eq!(notes.cancel_tasks(), None);
    }
}
