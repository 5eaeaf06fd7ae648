//! Changes of a patch in a text. Pure.

use super::{
    closest::{self, places},
    lines::{self, Indentation, Leniency},
    patch::{Hunk, Line},
    replace::{Replaced, bare},
};

/// A text with all its changes, in order.
///
/// # Errors
/// When the place of one is not certain.
pub(super) fn apply(text: &str, hunks: &[Hunk<'_>]) -> Result<Replaced, String> {
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let there: Vec<&str> = text.split_inclusive('\n').map(bare).collect();
    let mut done = Vec::new();
    let mut from = 0;
    let mut ignored = None;
    for hunk in hunks {
        let problem = |e: String| format!("the change at line {} of the patch: {e}", hunk.number);
        let mut begin = from;
        for header in &hunk.headers {
            begin = after(&there, header, begin).map_err(problem)?;
        }
        let place = locate(&there, hunk, begin).map_err(problem)?;
        if place.leniency.is_some() {
            ignored = place.leniency.map(Leniency::ignores);
        }
        done.extend(there[from..place.at].iter().map(ToString::to_string));
        let mut at = place.at;
        for line in &hunk.lines {
            match line {
                // As it is there, not as it was said.
                Line::Same(_) => {
                    done.push(there[at].to_owned());
                    at += 1;
                }
                Line::Old(_) => at += 1,
                Line::New(line) => done.push(match &place.indentation {
                    Some(indentation) => indentation.apply(line),
                    None => (*line).to_owned(),
                }),
            }
        }
        from = at;
    }
    done.extend(there[from..].iter().map(ToString::to_string));
    let mut new = done.join(line_end);
    if !done.is_empty() && (text.is_empty() || text.ends_with('\n')) {
        new.push_str(line_end);
    }
    Ok(Replaced { text: new, ignored })
}

/// The line after the first that says `header`.
fn after(there: &[&str], header: &str, from: usize) -> Result<usize, String> {
    let rest = there.get(from..).unwrap_or_default();
    let same = rest.iter().position(|line| lines::plain(line.trim()) == lines::plain(header));
    let begins = || rest.iter().position(|line| line.trim_start().starts_with(header));
    match same.or_else(begins) {
        Some(at) => Ok(from + at + 1),
        None => Err(format!("there is no line '{header}' from line {} on", from + 1)),
    }
}

struct Place {
    at: usize,
    leniency: Option<Leniency>,
    indentation: Option<Indentation>,
}

fn locate(there: &[&str], hunk: &Hunk<'_>, from: usize) -> Result<Place, String> {
    let said: Vec<&str> = hunk
        .lines
        .iter()
        .filter_map(|line| match line {
            Line::Same(text) | Line::Old(text) => Some(*text),
            Line::New(_) => None,
        })
        .collect();
    if said.iter().all(|line| line.trim().is_empty()) {
        if !said.is_empty() && !there[from..].starts_with(&said) {
            return Err("it names empty lines only; add lines around them".to_owned());
        }
        // New lines alone stand after their header, or at the end.
        let at = if hunk.headers.is_empty() && said.is_empty() { there.len() } else { from };
        return Ok(Place { at, leniency: None, indentation: None });
    }
    for leniency in Leniency::ALL {
        let mut found = lines::find(there, &said, from, leniency);
        if hunk.at_end {
            found.retain(|at| at + said.len() == there.len());
        }
        // Where a header says where to begin, the first is meant.
        if !hunk.headers.is_empty() {
            found.truncate(1);
        }
        let at = match found.as_slice() {
            [] => continue,
            [at] => *at,
            many => {
                let (count, at) = places(many.iter().map(|at| at + 1));
                return Err(format!(
                    "its lines are in the file {count}, at lines {at}; add lines around them, or `@@` with a line before them"
                ));
            }
        };
        let indentation = Indentation::between(&said, &there[at..at + said.len()]);
        if indentation.is_none() {
            return Err(format!(
                "its lines differ from line {} on in indentation, but not by one rule",
                at + 1
            ));
        }
        let leniency = Some(leniency).filter(|leniency| *leniency != Leniency::LineEnds);
        let indentation = indentation.filter(|_| leniency == Some(Leniency::Indentation));
        return Ok(Place { at, leniency, indentation });
    }
    if !lines::find(there, &said, 0, Leniency::Indentation).is_empty() {
        return Err(format!(
            "its lines are in the file only before line {}; changes stand in the order of the file",
            from + 1
        ));
    }
    Err(format!("its lines are not in the file{}", closest::to(&there.join("\n"), &said.join("\n"))))
}
