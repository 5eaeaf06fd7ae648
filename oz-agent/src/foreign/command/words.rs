//! The words of a command line, with what a task puts in their placeholders.

use oz_core::harness::HarnessTask;

/// The words for `task`. One with a placeholder that has no value is left out.
pub(super) fn filled(words: &[String], task: &HarnessTask) -> Vec<String> {
    let session = task.saved.as_ref().map(|saved| saved.session_id.clone());
    let values = [
        ("{model}", task.model_id.clone()),
        ("{workspace}", Some(task.workspace.to_string_lossy().into_owned())),
        ("{home}", Some(task.home.to_string_lossy().into_owned())),
        ("{session}", session),
        ("{prompt}", Some(task.prompt.clone())),
    ];
    words.iter().filter_map(|word| fill(word, &values)).collect()
}

/// A word with its values. What stands in a value is no placeholder.
fn fill(word: &str, values: &[(&str, Option<String>)]) -> Option<String> {
    let mut filled = String::new();
    let mut rest = word;
    while !rest.is_empty() {
        let next =
            values.iter().filter_map(|value| Some((rest.find(value.0)?, value))).min_by_key(|(at, _)| *at);
        let Some((at, (name, value))) = next else { break };
        filled.push_str(&rest[..at]);
        filled.push_str(value.as_ref()?);
        rest = &rest[at + name.len()..];
    }
    filled.push_str(rest);
    Some(filled)
}
