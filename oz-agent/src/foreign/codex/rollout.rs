//! The files in which Codex keeps conversations: one for each, by the day and time when it began.

use oz_core::{harness::SavedSession, usage::Usage};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the file of a conversation is put, below the home of the run.
pub(super) fn place(saved: &SavedSession) -> PathBuf {
    let began = began(&saved.content).unwrap_or_else(|| "2025-01-01T00-00-00".to_owned());
    let day: PathBuf = began.split('T').next().unwrap_or_default().split('-').collect();
    let name = format!("rollout-{began}-{}.jsonl", saved.session_id);
    Path::new(super::HOME).join("sessions").join(day).join(name)
}

/// When a conversation began, as in `2025-01-31T09-05-00`.
fn began(content: &[u8]) -> Option<String> {
    let line = content.split(|byte| *byte == b'\n').next()?;
    let line: Value = serde_json::from_slice(line).ok()?;
    let at: jiff::Timestamp = line["payload"]["timestamp"].as_str()?.parse().ok()?;
    Some(at.strftime("%Y-%m-%dT%H-%M-%S").to_string())
}

/// The conversation `session_id` in the directory of Codex.
pub(super) fn find(home: &Path, session_id: &str) -> Option<Vec<u8>> {
    let end = format!("-{session_id}.jsonl");
    let mut waiting = vec![home.join("sessions")];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => waiting.push(entry.path()),
                Ok(_) if entry.file_name().to_string_lossy().ends_with(&end) => {
                    return fs::read(entry.path()).ok();
                }
                _ => {}
            }
        }
    }
    None
}

/// What a conversation had used before it is taken up, which Codex counts on from.
pub(super) fn used(content: &[u8]) -> Usage {
    let lines = content.rsplit(|byte| *byte == b'\n');
    let mut counts = lines.filter_map(|line| {
        let line: Value = serde_json::from_slice(line).ok()?;
        let total = &line["payload"]["info"]["total_token_usage"];
        total.is_object().then(|| usage(total))
    });
    counts.next().unwrap_or_default()
}

/// Its counts as ours: it counts what was read from the cache, and written to it, as read, too.
pub(super) fn usage(counts: &Value) -> Usage {
    let number = |key: &str| counts[key].as_u64().unwrap_or_default();
    let (cached, written) = (number("cached_input_tokens"), number("cache_write_input_tokens"));
    Usage {
        input_tokens: number("input_tokens").saturating_sub(cached + written),
        cache_read_tokens: cached,
        cache_write_tokens: written,
        output_tokens: number("output_tokens"),
        cost_usd: None,
    }
}
