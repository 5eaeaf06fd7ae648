//! Unified diffs of text, for people.

use oz_core::Redactor;
use similar::TextDiff;
use std::time::Duration;

/// How much of a diff is shown.
const MAX: usize = 48 << 10;
/// How long a diff may take to become small.
const LIMIT: Duration = Duration::from_millis(500);

/// How `path` changed from `old`, which is empty for a new file, to `new`; without secrets.
pub(super) fn unified(path: &str, old: &str, new: &str, redactor: &Redactor) -> String {
    let diff = TextDiff::configure().timeout(LIMIT).diff_lines(old, new);
    let from = if old.is_empty() { "/dev/null".to_owned() } else { format!("a/{path}") };
    let mut text = diff.unified_diff().context_radius(3).header(&from, &format!("b/{path}")).to_string();
    text = redactor.string(text);
    if text.len() > MAX {
        let cut = text.floor_char_boundary(MAX);
        let more = text.len() - cut;
        text.truncate(cut);
        text.push_str(&format!("\n[… {more} bytes left out …]\n"));
    }
    text
}
