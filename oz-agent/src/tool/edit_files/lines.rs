//! Finds lines in a text that are not quite what was said: other white space at their ends, other indentation, other
//! quotes. And writes new lines as they would be written there. Pure.

/// What is not looked at when lines are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leniency {
    /// Line ends.
    LineEnds,
    /// White space at the ends of lines, and how quotes and dashes are written.
    Ends,
    /// Indentation as well.
    Indentation,
}

impl Leniency {
    /// From strict to lenient.
    pub(super) const ALL: [Self; 3] = [Self::LineEnds, Self::Ends, Self::Indentation];

    /// What is ignored, for people.
    pub(super) fn ignores(self) -> &'static str {
        match self {
            Self::LineEnds => "line ends",
            Self::Ends => "white space at the ends of lines and typographic characters",
            Self::Indentation => "indentation",
        }
    }

    fn same(self, one: &str, other: &str) -> bool {
        match self {
            Self::LineEnds => one == other,
            Self::Ends => plain(one.trim_end()) == plain(other.trim_end()),
            Self::Indentation => plain(one.trim()) == plain(other.trim()),
        }
    }
}

/// A text in plain characters; each stays one.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(plain_char).collect()
}

pub(super) fn plain_char(c: char) -> char {
    match c {
        '‘' | '’' | '‚' | '‛' => '\'',
        '“' | '”' | '„' | '‟' => '"',
        '‐' | '‑' | '‒' | '–' | '—' | '−' => '-',
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => ' ',
        other => other,
    }
}

/// Where `wanted` begins in `lines` from `from` on; none when it says nothing.
pub(super) fn find(lines: &[&str], wanted: &[&str], from: usize, leniency: Leniency) -> Vec<usize> {
    if wanted.iter().all(|line| line.trim().is_empty()) || wanted.len() > lines.len() {
        return Vec::new();
    }
    (from..=lines.len() - wanted.len())
        .filter(|at| lines[*at..].iter().zip(wanted).all(|(line, wanted)| leniency.same(line, wanted)))
        .collect()
}

/// How indentation in what was said becomes that of the file.
pub(super) struct Indentation {
    /// Pairs of both, the longest first.
    known: Vec<(String, String)>,
    /// One step of both.
    step: Option<(String, String)>,
}

impl Indentation {
    /// As it follows from lines that were said and are in the file; `None` when it does not follow a rule.
    pub(super) fn between(said: &[&str], there: &[&str]) -> Option<Self> {
        let mut known: Vec<(String, String)> = Vec::new();
        for (said, there) in said.iter().zip(there).filter(|(said, _)| !said.trim().is_empty()) {
            let pair = (indent(said).to_owned(), indent(there).to_owned());
            if known.iter().any(|(said, there)| *said == pair.0 && *there != pair.1) {
                return None;
            }
            if !known.contains(&pair) {
                known.push(pair);
            }
        }
        known.sort_by_key(|(said, _)| std::cmp::Reverse(said.len()));
        let step = known.windows(2).find_map(|pairs| {
            let said = pairs[0].0.strip_prefix(pairs[1].0.as_str())?;
            let there = pairs[0].1.strip_prefix(pairs[1].1.as_str())?;
            (!said.is_empty() && !there.is_empty()).then(|| (said.to_owned(), there.to_owned()))
        });
        Some(Self { known, step })
    }

    /// A new line as it is written in the file.
    pub(super) fn apply(&self, line: &str) -> String {
        if line.trim().is_empty() {
            return String::new();
        }
        let own = indent(line);
        let text = &line[own.len()..];
        if let Some((said, there)) = self.known.iter().find(|(said, _)| own.starts_with(said.as_str())) {
            return format!("{there}{}{text}", self.steps(&own[said.len()..]));
        }
        // It is further out than all that is known.
        let Some((said, there)) = self.known.last() else { return line.to_owned() };
        let less = said.strip_prefix(own).map_or(0, str::len);
        let keep = there.len().saturating_sub(self.steps(&said[said.len() - less..]).len());
        format!("{}{text}", there.get(..keep).unwrap_or_default())
    }

    fn steps(&self, mut rest: &str) -> String {
        let mut steps = String::new();
        if let Some((said, there)) = &self.step {
            while let Some(left) = rest.strip_prefix(said.as_str()) {
                steps.push_str(there);
                rest = left;
            }
        }
        steps + rest
    }
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}
