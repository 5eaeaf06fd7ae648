//! One replacement in a text: exact where that is possible, otherwise as much like it as is certain, or why it can't be
//! made. Pure.

use super::{
    closest::{self, places},
    lines::{self, Indentation, Leniency},
};

/// A text with something replaced.
#[derive(Debug, PartialEq)]
pub(super) struct Replaced {
    pub(super) text: String,
    /// What was ignored to find the place.
    pub(super) ignored: Option<&'static str>,
}

/// `text` with its only occurrence of `old` replaced by `new`.
///
/// # Errors
/// When there is none or more than one; the text names the places that come close.
pub(super) fn once(text: &str, old: &str, new: &str) -> Result<Replaced, String> {
    if old.is_empty() {
        return Err("`old` is empty; give the text to replace, or use write_file for a whole file".to_owned());
    }
    if old == new {
        return Err("`old` and `new` are the same".to_owned());
    }
    if let Some(text) = exactly(text, old, new)? {
        return Ok(Replaced { text, ignored: None });
    }
    if text.contains("\r\n") && !old.contains('\r') {
        let [old, new] = [old, new].map(|part| part.replace("\r\n", "\n").replace('\n', "\r\n"));
        if let Some(text) = exactly(text, &old, &new)? {
            return Ok(Replaced { text, ignored: Some(Leniency::LineEnds.ignores()) });
        }
    }
    if let Some(text) = plainly(text, old, new)? {
        return Ok(Replaced { text, ignored: Some("typographic characters") });
    }
    by_lines(text, old, new)?.ok_or_else(|| format!("`old` is not in the file{}", closest::to(text, old)))
}

fn exactly(text: &str, old: &str, new: &str) -> Result<Option<String>, String> {
    match occurrences(text, old).as_slice() {
        [] => Ok(None),
        [at] => Ok(Some(format!("{}{new}{}", &text[..*at], &text[at + old.len()..]))),
        many => Err(ambiguous(many.iter().map(|at| text[..*at].matches('\n').count() + 1), None)),
    }
}

/// The same where both are written in plain characters.
fn plainly(text: &str, old: &str, new: &str) -> Result<Option<String>, String> {
    let (simple, wanted) = (lines::plain(text), lines::plain(old));
    let found = occurrences(&simple, &wanted);
    let [at] = found.as_slice() else {
        return match found.is_empty() {
            true => Ok(None),
            false => {
                let numbers = found.iter().map(|at| simple[..*at].matches('\n').count() + 1);
                Err(ambiguous(numbers, Some("typographic characters")))
            }
        };
    };
    // Each character stayed one, so that they can be counted.
    let begin = simple[..*at].chars().count();
    let length = wanted.chars().count();
    let byte = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    Ok(Some(format!("{}{new}{}", &text[..byte(begin)], &text[byte(begin + length)..])))
}

/// Whole lines, found leniently.
fn by_lines(text: &str, old: &str, new: &str) -> Result<Option<Replaced>, String> {
    let pieces: Vec<&str> = text.split_inclusive('\n').collect();
    let there: Vec<&str> = pieces.iter().map(|piece| bare(piece)).collect();
    let said: Vec<&str> = old.lines().collect();
    for leniency in Leniency::ALL {
        let found = lines::find(&there, &said, 0, leniency);
        let at = match found.as_slice() {
            [] => continue,
            [at] => *at,
            many => return Err(ambiguous(many.iter().map(|at| at + 1), Some(leniency.ignores()))),
        };
        let end = at + said.len();
        let Some(indentation) = Indentation::between(&said, &there[at..end]) else {
            return Err(format!(
                "`old` is not in the file; lines {} to {end} differ in indentation only, but not by one rule; give them \
                 exactly",
                at + 1
            ));
        };
        let mut text = pieces[..at].concat();
        // The line ends are those of the last line, which may have none at the end of the file.
        let last = &pieces[end - 1][there[end - 1].len()..];
        let line_end = if pieces[at].ends_with("\r\n") { "\r\n" } else { "\n" };
        let new: Vec<String> = new.lines().map(|line| indentation.apply(line)).collect();
        if !new.is_empty() {
            text.push_str(&new.join(line_end));
            text.push_str(last);
        }
        text.push_str(&pieces[end..].concat());
        return Ok(Some(Replaced { text, ignored: Some(leniency.ignores()) }));
    }
    Ok(None)
}

/// A line without its end.
pub(super) fn bare(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

fn ambiguous(numbers: impl ExactSizeIterator<Item = usize>, ignored: Option<&str>) -> String {
    let (count, at) = places(numbers);
    let ignoring = ignored.map_or(String::new(), |what| format!(", ignoring {what}"));
    format!("`old` is in the file {count}{ignoring}, at lines {at}; add lines around it until it is unique")
}

/// Where `old` begins in `text`, overlapping places included, one more than are named at most.
fn occurrences(text: &str, old: &str) -> Vec<usize> {
    let step = old.chars().next().map_or(1, char::len_utf8);
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(old)) {
        places.push(from + at);
        from += at + step;
        if places.len() > closest::NAMED {
            break;
        }
    }
    places
}

#[cfg(test)]
mod tests;
