//! What Jobs, Pods and their labels are called: names that the API server takes, and hashes by which objects are found.

use crate::job::Identity;
use oz_core::{ExecutionId, RunId};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The longest name of a Job whose Pods are labelled with it, and the longest value of a label.
const LONGEST: usize = 63;
const EXECUTION_TAIL: usize = 8;
pub(super) const WORKER_HASH: &str = "oz-worker-hash";
pub(super) const EXECUTION_HASH: &str = "oz-execution-hash";
const WORKER_ID: &str = "oz-worker-id";
const TASK_ID: &str = "oz-task-id";
const EXECUTION_ID: &str = "oz-execution-id";

/// How the objects of one execution are called and found.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// The Job's, and its Secret's.
    pub(super) job: String,
    /// The label by which Pods are found.
    pub(super) execution_hash: String,
    pub(super) labels: BTreeMap<String, String>,
    /// The ids as they are, because labels can't hold every text.
    pub(super) annotations: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn of(identity: Identity, worker_id: &str) -> Self {
        let task = identity.task_id.to_string();
        let execution = identity.execution_id.map_or_else(|| task.clone(), |id| id.to_string());
        let execution_hash = hash(&execution);
        let labels = [
            (WORKER_ID, label(worker_id)),
            (WORKER_HASH, hash(worker_id)),
            (TASK_ID, label(&task)),
            ("oz-task-hash", hash(&task)),
            (EXECUTION_ID, label(&execution)),
            (EXECUTION_HASH, execution_hash.clone()),
        ];
        let mut annotations = vec![(WORKER_ID, worker_id.to_owned()), (TASK_ID, task.clone())];
        annotations.extend(identity.execution_id.map(|id| (EXECUTION_ID, id.to_string())));
        let owned = |entries: Vec<(&str, String)>| {
            entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        };
        Self {
            job: job(&task, &execution),
            execution_hash,
            labels: owned(labels.into()),
            annotations: owned(annotations),
        }
    }
}

/// What the annotations of a Job of this worker name.
pub(super) fn identity(worker_id: &str, annotations: &BTreeMap<String, String>) -> Option<Identity> {
    // Two ids may have the same hash, if somebody tries hard enough.
    if annotations.get(WORKER_ID).map(String::as_str) != Some(worker_id) {
        return None;
    }
    let task_id = RunId(annotations.get(TASK_ID)?.parse().ok()?);
    let execution_id = match annotations.get(EXECUTION_ID) {
        Some(id) => Some(ExecutionId(id.parse().ok()?)),
        None => None,
    };
    Some(Identity { task_id, execution_id })
}

/// The first 16 hex digits of a value's SHA-256.
pub(super) fn hash(value: &str) -> String {
    Sha256::digest(value.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The name of the Job that tries the cluster out.
pub(super) fn preflight(worker_id: &str, nanoseconds: i128) -> String {
    format!("oz-preflight-{}-{nanoseconds}", hash(worker_id))
}

fn job(run: &str, execution: &str) -> String {
    let tail: Vec<char> = execution.chars().collect();
    let tail: String = tail[tail.len().saturating_sub(EXECUTION_TAIL)..].iter().collect();
    let execution = part(&tail, EXECUTION_TAIL, "exec");
    let room = LONGEST - "oz-task--exec-".len() - execution.len();
    format!("oz-task-{}-exec-{execution}", part(run, room, "run"))
}

fn part(raw: &str, room: usize, otherwise: &str) -> String {
    let tame = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = raw.chars().map(tame).collect();
    let text: String = text.trim_matches('-').chars().take(room).collect();
    let text = text.trim_end_matches('-');
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}

/// A value as a label holds it.
fn label(raw: &str) -> String {
    const INNER: &[char] = &['-', '_', '.'];
    let tame = |c: char| {
        if c.is_ascii_alphanumeric() || INNER.contains(&c) { c.to_ascii_lowercase() } else { '-' }
    };
    let text: String = raw.chars().map(tame).collect();
    let text: String = text.trim_matches(INNER).chars().take(LONGEST).collect();
    let text = text.trim_end_matches(INNER);
    if text.is_empty() { "unknown".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_dns_label(text: &str) -> bool {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !text.is_empty()
            && text.len() <= 63
            && text.chars().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-')
    }

    #[test]
    fn names_are_those_of_the_protocol() {
        let run = "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11";
        let execution = "e1c2a7d0-11aa-4f5e-8d7b-55f0c0ffee01";
        assert_eq!(job(run, execution), format!("oz-task-{run}-exec-c0ffee01"));
        assert_eq!(job("", "--"), "oz-task-run-exec-exec");
        assert_eq!(job("A_b", "X"), "oz-task-a-b-exec-x");
        assert_eq!(
            (label("Builder 1"), label("..."), label("a_b.c")),
            ("builder-1".into(), "unknown".into(), "a_b.c".into())
        );
        // `printf abc | sha256sum`
        assert_eq!(hash("abc"), "ba7816bf8f01cfea");
    }

    #[test]
    fn ids_come_back_from_annotations() {
        let id: uuid::Uuid = "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11".parse().unwrap();
        for execution_id in [None, Some(ExecutionId(id))] {
            let named = Identity { task_id: RunId(id), execution_id };
            let names = Names::of(named, "Büro 1");
            assert_eq!(identity("Büro 1", &names.annotations), Some(named));
            assert_eq!(identity("another", &names.annotations), None);
        }
    }

    proptest! {
        #[test]
        fn names_and_labels_are_always_valid(run in ".{0,80}", execution in ".{0,80}") {
            let name = job(&run, &execution);
            prop_assert!(is_dns_label(&name), "{name}");
            let value = label(&run);
            let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            prop_assert!(value.len() <= 63 && value.starts_with(ends) && value.ends_with(ends), "{value}");
            prop_assert!(value.chars().all(|c| ends(c) || "-_.".contains(c)), "{value}");
        }
    }
}
