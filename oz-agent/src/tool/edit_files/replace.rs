//! One exact replacement in a text, or why it can't be made and what comes closest. Pure.

use std::fmt::Write as _;

/// How many places are named.
const NAMED: usize = 5;
/// How many lines of the closest place are shown.
const SHOWN: usize = 12;
/// Up to how many lines a text is searched for the closest place.
const SEARCHED: usize = 50_000;

/// `text` with its only occurrence of `old` replaced by `new`.
///
/// # Errors
/// When there is none or more than one; the text names the places that come close.
pub(super) fn once(text: &str, old: &str, new: &str) -> Result<String, String> {
    if old.is_empty() {
        return Err("`old` is empty; give the text to replace, or use write_file for a whole file".to_owned());
    }
    if old == new {
        return Err("`old` and `new` are the same".to_owned());
    }
    let places = occurrences(text, old);
    match places.as_slice() {
        [place] => Ok(format!("{}{new}{}", &text[..*place], &text[place + old.len()..])),
        [] => Err(format!("`old` is not in the file{}", closest(text, old))),
        many => {
            let mut lines: Vec<String> = many
                .iter()
                .take(NAMED)
                .map(|at| (text[..*at].matches('\n').count() + 1).to_string())
                .collect();
            if many.len() > NAMED {
                lines.push("…".to_owned());
            }
            let count = if many.len() > NAMED {
                "more than once".to_owned()
            } else {
                format!("{} times", many.len())
            };
            let lines = lines.join(", ");
            Err(format!(
                "`old` is in the file {count}, at lines {lines}; add lines around it until it is unique"
            ))
        }
    }
}

/// Where `old` begins in `text`, overlapping places included, one more than are named at most.
fn occurrences(text: &str, old: &str) -> Vec<usize> {
    let step = old.chars().next().map_or(1, char::len_utf8);
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(old)) {
        places.push(from + at);
        from += at + step;
        if places.len() > NAMED {
            break;
        }
    }
    places
}

/// What in `text` is most like `old`, as the end of a sentence.
fn closest(text: &str, old: &str) -> String {
    if text.contains("\r\n")
        && !old.contains('\r')
        && occurrences(&text.replace("\r\n", "\n"), old).len() == 1
    {
        return ": its lines end with CR LF, those of `old` with LF".to_owned();
    }
    let wanted: Vec<&str> = old.lines().map(str::trim).collect();
    let lines: Vec<&str> = text.lines().take(SEARCHED).collect();
    let alike = |start: usize| {
        let pairs = wanted.iter().zip(&lines[start..]);
        pairs.filter(|(wanted, line)| !wanted.is_empty() && **wanted == line.trim()).count()
    };
    // The first of the best: `max_by_key` would take the last.
    let best = (0..lines.len()).rev().map(|start| (alike(start), start)).max_by_key(|(alike, _)| *alike);
    let Some((alike @ 1.., start)) = best else { return "; read it again".to_owned() };
    let meant = wanted.iter().filter(|line| !line.is_empty()).count();
    let mut message = match alike == meant {
        true => "; this place differs only in white space:".to_owned(),
        false => format!("; this place has {alike} of its {meant} lines:"),
    };
    let end = lines.len().min(start + wanted.len().min(SHOWN));
    for (i, line) in lines[start..end].iter().enumerate() {
        let _ = write!(message, "\n{}\t{line}", start + i + 1);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_edit_is_replacen_exactly_when_there_is_one_place(text in "[ab\n]{0,30}", old in "[ab\n]{0,4}", new in "[abc]{0,4}") {
            let places = (0..text.len()).filter(|i| !old.is_empty() && text[*i..].starts_with(&old)).count();
            match once(&text, &old, &new) {
                Ok(edited) => {
                    prop_assert_eq!(places, 1);
                    prop_assert_eq!(edited, text.replacen(&old, &new, 1));
                }
                Err(_) => prop_assert!(places != 1 || old == new),
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,60}", old in "(?s).{0,6}", new in "(?s).{0,6}") {
            let _ = once(&text, &old, &new);
        }
    }

    #[test]
    fn a_failure_says_why_and_where_it_comes_close() {
        let text = "fn a() {\n    one();\n    two();\n}\nfn b() {\n    one();\n}\n";
        for (old, expected) in [
            ("one();", "is in the file 2 times, at lines 2, 6; add lines"),
            ("fn a() {\n  one();", "differs only in white space:\n1\tfn a() {\n2\t    one();"),
            ("fn b() {\n    one();\n    three();", "has 2 of its 3 lines:\n5\tfn b() {\n6\t    one();\n7\t}"),
            ("nothing like it", "is not in the file; read it again"),
            ("", "`old` is empty"),
        ] {
            let error = once(text, old, "x").unwrap_err();
            assert!(error.contains(expected), "{old:?}: {error}");
        }
        assert!(once("a\r\nb\r\n", "a\nb", "x").unwrap_err().contains("CR LF"));
        assert!(once("a", "a", "a").unwrap_err().contains("the same"));
        assert!(
            once(&"x\n".repeat(9), "x", "y")
                .unwrap_err()
                .contains("more than once, at lines 1, 2, 3, 4, 5, …")
        );
    }
}
