//! What is said of a text that is not where it should be: which lines come closest, and what differs there. Pure.

use super::lines::plain;
use std::fmt::Write as _;

/// How many places are named.
pub(super) const NAMED: usize = 5;
/// How many lines of the closest place are shown.
const SHOWN: usize = 12;
/// Up to how many lines a text is searched for the closest place.
const SEARCHED: usize = 50_000;
/// Up to how many lines are compared by their letters.
const COMPARED: usize = 5_000;
/// How much of a line is compared.
const WIDTH: usize = 200;

/// How often something is there, and at which lines.
pub(super) fn places(numbers: impl ExactSizeIterator<Item = usize>) -> (String, String) {
    let count = numbers.len();
    let mut lines: Vec<String> = numbers.take(NAMED).map(|n| n.to_string()).collect();
    if count > NAMED {
        lines.push("…".to_owned());
        return ("more than once".to_owned(), lines.join(", "));
    }
    (format!("{count} times"), lines.join(", "))
}

/// What in `text` is most like `old`, as the end of a sentence.
pub(super) fn to(text: &str, old: &str) -> String {
    let wanted: Vec<&str> = old.lines().collect();
    let lines: Vec<&str> = text.lines().take(SEARCHED).collect();
    let alike = |start: usize| {
        let pairs = wanted.iter().zip(&lines[start..]);
        pairs.filter(|(wanted, line)| !wanted.trim().is_empty() && same(wanted, line)).count()
    };
    // The first of the best: `max_by_key` would take the last.
    let best = (0..lines.len()).rev().map(|start| (alike(start), start)).max_by_key(|(alike, _)| *alike);
    let meant = wanted.iter().filter(|line| !line.trim().is_empty()).count();
    match best {
        Some((alike @ 1.., start)) => {
            let mut message = format!("; this place has {alike} of its {meant} lines:");
            show(&mut message, &lines, &wanted, start);
            message
        }
        _ => match similar(&lines, &wanted) {
            Some(start) => {
                let mut message = "; this place is most like it:".to_owned();
                show(&mut message, &lines, &wanted, start);
                message
            }
            None => "; read it again".to_owned(),
        },
    }
}

fn same(one: &str, other: &str) -> bool {
    plain(one.trim()) == plain(other.trim())
}

/// The place where the first meaningful line is most like one of the text, if any is.
fn similar(lines: &[&str], wanted: &[&str]) -> Option<usize> {
    const ENOUGH: f64 = 0.6;
    let (offset, first) = wanted.iter().enumerate().find(|(_, line)| !line.trim().is_empty())?;
    let first = cut(first.trim());
    let likeness = |line: &str| strsim::normalized_levenshtein(cut(line.trim()), first);
    let rated = lines.iter().take(COMPARED).enumerate().map(|(at, line)| (at, likeness(line)));
    let (at, likeness) = rated.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (likeness >= ENOUGH).then(|| at.saturating_sub(offset))
}

fn cut(line: &str) -> &str {
    &line[..line.floor_char_boundary(WIDTH)]
}

/// The lines of the place, and beneath those that differ what was said.
fn show(message: &mut String, lines: &[&str], wanted: &[&str], start: usize) {
    let end = lines.len().min(start + wanted.len().min(SHOWN));
    for (i, line) in lines[start..end].iter().enumerate() {
        let _ = write!(message, "\n{}\t{}", start + i + 1, cut(line));
        if !same(line, wanted[i]) {
            let _ = write!(message, "\n  you said:\t{}", cut(wanted[i]));
        }
    }
}
