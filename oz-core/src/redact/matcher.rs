//! Finds the forms of secrets in a text, and tells where a form may begin that the text ends within.

use super::{
    forms::{self, Form},
    view::{View, is_base64},
};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::{collections::BTreeSet, ops::Range};

/// Looks for the forms of some values.
pub(super) struct Matcher {
    values: BTreeSet<String>,
    /// Sorted, so that what begins like a text stands together.
    forms: Vec<Form>,
    longest: usize,
    begins: [bool; 256],
    has_space: bool,
    /// Absent when there are no forms; an error where there are so many that no memory can hold them.
    automaton: Option<Result<AhoCorasick, ()>>,
}

/// What was found in a text.
pub(super) struct Scan {
    /// In order, apart from each other.
    pub(super) found: Vec<Range<usize>>,
    /// From where on more text could change what is found.
    pub(super) open: usize,
}

impl Default for Matcher {
    fn default() -> Self {
        Self::new(BTreeSet::new())
    }
}

impl Matcher {
    pub(super) fn new(values: BTreeSet<String>) -> Self {
        let forms: BTreeSet<Form> = values.iter().flat_map(|value| forms::of(value)).collect();
        let forms: Vec<Form> = forms.into_iter().collect();
        // The faster kind of automaton would take a thousand times the memory of a long secret.
        let build = || {
            let kind = Some(AhoCorasickKind::ContiguousNFA);
            AhoCorasick::builder().kind(kind).build(forms.iter().map(|form| &form.bytes)).map_err(|_| ())
        };
        let automaton = (!forms.is_empty()).then(build);
        let mut begins = [false; 256];
        for form in &forms {
            begins[usize::from(form.bytes[0])] = true;
        }
        Self {
            longest: forms.iter().map(|form| form.bytes.len()).max().unwrap_or(0),
            begins,
            has_space: forms.iter().any(|form| form.bytes.contains(&b' ')),
            automaton,
            forms,
            values,
        }
    }

    pub(super) fn values(&self) -> &BTreeSet<String> {
        &self.values
    }

    pub(super) fn is_empty(&self) -> bool {
        self.automaton.is_none()
    }

    /// Looks through a text as it is and with each encoding undone.
    pub(super) fn scan(&self, text: &[u8]) -> Scan {
        let mut scan = Scan { found: Vec::new(), open: text.len() };
        let automaton = match &self.automaton {
            None => return scan,
            Some(Ok(automaton)) => automaton,
            // Rather nothing is shown than a secret.
            Some(Err(())) => {
                scan.found.extend((!text.is_empty()).then_some(0..text.len()));
                return scan;
            }
        };
        self.look(automaton, text, |i| i, &mut scan);
        let json = View::json(text);
        let views = [
            View::percent(text, false),
            self.has_space.then(|| View::percent(text, true)).flatten(),
            View::unwrapped(text),
            json.as_ref().and_then(View::json_again),
            json,
        ];
        for view in views.iter().flatten() {
            scan.open = scan.open.min(view.at(view.bytes.len()));
            self.look(automaton, &view.bytes, |i| view.at(i), &mut scan);
        }
        scan.found = union(scan.found);
        scan
    }

    fn look(&self, automaton: &AhoCorasick, text: &[u8], at: impl Fn(usize) -> usize, scan: &mut Scan) {
        if automaton.is_match(text) {
            for found in automaton.find_overlapping_iter(text) {
                let mut end = found.end();
                if self.forms[found.pattern().as_usize()].base64 {
                    end += usize::from(text.get(end).copied().is_some_and(is_base64));
                    end += text[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
                    if end == text.len() {
                        scan.open = scan.open.min(at(found.start()));
                    }
                }
                scan.found.push(at(found.start())..at(end));
            }
        }
        let first = text.len().saturating_sub(self.longest.saturating_sub(1));
        if let Some(start) = (first..text.len()).find(|start| self.may_begin(&text[*start..])) {
            scan.open = scan.open.min(at(start));
        }
    }

    /// Whether a form begins with all of `text` and goes on.
    fn may_begin(&self, text: &[u8]) -> bool {
        let begins = text.first().is_some_and(|byte| self.begins[usize::from(*byte)]);
        begins && {
            let next = self.forms.partition_point(|form| form.bytes.as_slice() <= text);
            self.forms.get(next).is_some_and(|form| form.bytes.starts_with(text))
        }
    }
}

/// Ranges that touch become one.
pub(super) fn union(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut all: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match all.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => all.push(range),
        }
    }
    all
}
