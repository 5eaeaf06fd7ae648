//! What a `SKILL.md` says: front matter in YAML between two lines of `---`, then the instructions.

use super::front;

/// The longest name, in bytes.
const NAME: usize = 256;

/// What the file of a skill says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    /// The skill's name.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) description: String,
    /// What to do.
    pub(crate) instructions: String,
}

/// Reads the text of a `SKILL.md`.
///
/// # Errors
/// What is wrong with it, in a line.
pub(super) fn parse(text: &str) -> Result<Content, String> {
    let text = text.trim_start_matches('\u{feff}').trim_start_matches(['\n', '\r']);
    let (yaml, body) = split(text)?;
    let front = front::read(yaml)?;
    let field = |value: Option<String>, name: &str| {
        let value = value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("its front matter has no {name}"))
    };
    let name = field(front.name, "name")?;
    if name.len() > NAME || name.chars().any(char::is_control) {
        return Err(format!("its name must be a line of at most {NAME} bytes"));
    }
    // Other programs get skills in directories of these names.
    if name.contains(['/', '\\']) || matches!(name.as_str(), "." | "..") {
        return Err(format!("its name '{name}' must not be a path"));
    }
    let description = field(front.description, "description")?;
    let instructions = body.trim();
    if instructions.is_empty() {
        return Err("it has no instructions after its front matter".to_owned());
    }
    Ok(Content { name, description, instructions: instructions.to_owned() })
}

/// The front matter and what follows it.
fn split(text: &str) -> Result<(&str, &str), String> {
    let mut start = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        match (start, line.trim_end() == "---") {
            (None, true) => start = Some(next),
            (None, false) => break,
            (Some(start), true) => return Ok((&text[start..at], &text[next..])),
            (Some(_), false) => {}
        }
        at = next;
    }
    Err(match start {
        None => "it does not begin with front matter, a line of '---'".to_owned(),
        Some(_) => "its front matter does not end: there is no second line of '---'".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_front_matter_names_and_the_rest_instructs() {
        let text = "\u{feff}---\r\nname: fix\r\nallowed-tools: [a, b]\r\ndescription: |\r\n  Fixes it.\r\n---\r\n\r\n# Fix\r\n---\r\nmore\r\n";
        let expected = Content {
            name: "fix".into(),
            description: "Fixes it.".into(),
            instructions: "# Fix\r\n---\r\nmore".into(),
        };
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, problem) in [
            ("", "does not begin with front matter"),
            ("# Fix\n---\nname: fix\n---\n", "does not begin with front matter"),
            ("---\nname: fix\n", "does not end"),
            ("---\n---\nx", "has no name"),
            ("---\nname: ' '\ndescription: d\n---\nx", "has no name"),
            ("---\nname: fix\n---\nx", "has no description"),
            ("---\nname: [fix]\ndescription: d\n---\nx", "front matter is not valid"),
            ("---\nname: fix\ndescription: {}\n---\nx", "front matter is not valid"),
            ("---\nname: ../fix\ndescription: d\n---\nx", "must not be a path"),
            ("---\njust words\n---\nx", "front matter is not valid"),
            ("---\nname: \"a\\nb\"\ndescription: d\n---\nx", "a line of at most"),
            ("---\nname: fix\ndescription: d\n---\n \n", "no instructions"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(problem) && !error.contains('\n'), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn nor_does_anything_between_the_lines(yaml in "[-a-z:\\[\\]{}&*!|>'\"#%@?, \\n\\t]{0,60}", body in "\\PC{0,20}") {
            let text = format!("---\n{yaml}\n---\n{body}");
            if let Ok(content) = parse(&text) {
                prop_assert!(!content.name.is_empty() && !content.instructions.is_empty());
            }
        }
    }
}
