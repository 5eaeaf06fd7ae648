//! Files of `NAME=value` lines. The crates for it fill in `$NAME` from the environment of the process that parses, which
//! would show the platform's own variables to whoever may write a secret.

use std::collections::BTreeMap;

/// The variables of a file. `export` may come first; single quotes take everything as it is, double quotes know `\\n`,
/// `\\"` and `\\\\` and may go over several lines; `#` begins a comment at the beginning of a line and after a space.
///
/// # Errors
/// The number of the first line that is none.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let mut all = BTreeMap::new();
    let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    while let Some((number, line)) = lines.next() {
        let line = line.trim_start();
        if line.trim_end().is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(number)?;
        let name = name.trim();
        let letters = name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
        if name.is_empty() || !letters || name.as_bytes()[0].is_ascii_digit() {
            return Err(number);
        }
        let value = value.trim_start();
        let value = match value.chars().next() {
            Some('\'') => {
                let (value, rest) = value[1..].split_once('\'').ok_or(number)?;
                nothing_more(rest).then(|| value.to_owned()).ok_or(number)?
            }
            Some('"') => {
                let mut whole = value[1..].to_owned();
                loop {
                    if let Some((value, rest)) = unquoted(&whole) {
                        break nothing_more(rest).then_some(value).ok_or(number)?;
                    }
                    let (_, more) = lines.next().ok_or(number)?;
                    whole.push('\n');
                    whole.push_str(more);
                }
            }
            _ => value.split(" #").next().unwrap_or_default().trim_end().to_owned(),
        };
        all.insert(name.to_owned(), value);
    }
    Ok(all)
}

fn nothing_more(rest: &str) -> bool {
    let rest = rest.trim();
    rest.is_empty() || rest.starts_with('#')
}

/// What stands before the closing double quote, with what comes after it; `None` when it does not close.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                c @ ('"' | '\\' | '$') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_as_they_stand() {
        let text =
            "A=1\n\n# no\nexport B = two words # no\nC='$HOME #'\nD=\"x\\n\\\"y\nz\" # no\nE=\nF=a=b#c\n";
        let all: Vec<String> = parse(text).unwrap().into_iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(all, ["A=1", "B=two words", "C=$HOME #", "D=x\n\"y\nz", "E=", "F=a=b#c"]);
    }

    #[test]
    fn the_line_that_is_wrong_is_told() {
        for (text, line) in
            [("A=1\nB", 2), ("9=1", 1), ("a-b=1", 1), ("A='x", 1), ("A=\"x\ny", 1), ("A='x' y", 1)]
        {
            assert_eq!(parse(text), Err(line), "{text}");
        }
    }
}
