//! Conversations as Gemini CLI keeps them: a file of JSON lines in a directory for each project.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// How much of a conversation's name stands in the name of its file.
const SHORT: usize = 8;

/// The conversation `session_id` from a home. One that was taken up again has two files, of which the longer is whole.
pub(super) fn of_home(home: &Path, session_id: &str) -> Option<Vec<u8>> {
    let end = format!("-{}.jsonl", session_id.get(..SHORT)?);
    let projects = entries(&home.join(".gemini/tmp"));
    let chats = projects.into_iter().flat_map(|project| entries(&project.join("chats")));
    let ours = chats.filter(|file| file.to_string_lossy().ends_with(&end));
    fs::read(ours.max_by_key(|file| file.metadata().map_or(0, |meta| meta.len()))?).ok()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// A conversation that can be taken up. The program writes each result of a tool twice, with the call and as a message of
/// the user, and would send both, which the service refuses.
pub(super) fn sound(content: &[u8]) -> Vec<u8> {
    let mut sound = Vec::with_capacity(content.len());
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        match serde_json::from_slice::<Value>(line) {
            Ok(record) if is_result(&record) => {}
            Ok(mut record) if record.pointer("/$set/messages").is_some() => {
                if let Some(messages) = record.pointer_mut("/$set/messages").and_then(Value::as_array_mut) {
                    messages.retain(|message| !is_result(message));
                }
                sound.extend(format!("{record}\n").bytes());
            }
            _ => sound.extend(line),
        }
    }
    sound
}

/// Whether a message of the user is nothing but results of tools.
fn is_result(record: &Value) -> bool {
    let parts = record["content"].as_array().filter(|parts| !parts.is_empty());
    record["type"] == "user"
        && parts.is_some_and(|parts| parts.iter().all(|part| part["functionResponse"].is_object()))
}
