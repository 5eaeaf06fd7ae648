//! The front matter of a skill, as it is found in the wild: what YAML refuses because of a colon, a bracket or a tab is
//! read line by line instead.

use crate::model::yaml_error;
use serde::{Deserialize, de::IgnoredAny};
use std::collections::BTreeMap;

/// The fields that matter here; files have others, for other programs.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub(super) struct FrontMatter {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
}

/// Reads the lines between the two of `---`.
///
/// # Errors
/// What is wrong with them, in a line.
pub(super) fn read(yaml: &str) -> Result<FrontMatter, String> {
    let yaml = without_tabs(yaml);
    let error = match serde_saphyr::from_str(&yaml) {
        Ok(front) => return Ok(front),
        Err(error) => error,
    };
    // Good YAML of a wrong shape is not mended: nobody knows what was meant.
    let mended = serde_saphyr::from_str::<IgnoredAny>(&yaml).is_err().then(|| by_line(&yaml)).flatten();
    mended.ok_or_else(|| format!("its front matter is not valid: {}", yaml_error(&error)))
}

/// YAML knows no tabs before the first word of a line.
fn without_tabs(yaml: &str) -> String {
    let line = |line: &str| {
        let rest = line.trim_start_matches([' ', '\t']);
        format!("{}{rest}", line[..line.len() - rest.len()].replace('\t', "  "))
    };
    yaml.split_inclusive('\n').map(line).collect()
}

/// Takes each field by itself: as YAML where that goes, and else for plain text.
fn by_line(yaml: &str) -> Option<FrontMatter> {
    let mut blocks: Vec<(&str, String)> = Vec::new();
    for line in yaml.lines() {
        match (key(line), blocks.last_mut()) {
            (Some((key, value)), _) => blocks.push((key, value.to_owned())),
            (None, Some((_, block))) => {
                block.push('\n');
                block.push_str(line);
            }
            (None, None) => {}
        }
    }
    let field = |name: &str| blocks.iter().find(|(key, _)| *key == name).map(|(_, block)| value(block));
    let front = FrontMatter { name: field("name"), description: field("description") };
    (front != FrontMatter::default()).then_some(front)
}

/// The key with which a line begins, and what follows it.
fn key(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let word = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    (word && (value.is_empty() || value.starts_with(char::is_whitespace))).then_some((key, value))
}

fn value(block: &str) -> String {
    let alone: Result<BTreeMap<String, String>, _> = serde_saphyr::from_str(&format!("value:{block}\n"));
    if let Some(text) = alone.ok().and_then(|mut map| map.remove("value")) {
        return text;
    }
    let words: Vec<&str> = block.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let text = words.join(" ");
    let quoted = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    quoted('"').or_else(|| quoted('\'')).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_yaml_refuses_is_read_line_by_line() {
        for (yaml, name, description) in [
            ("name: a\ndescription: Use when: it rains", "a", "Use when: it rains"),
            ("name: a\ndescription: Use \"x\": y # z", "a", "Use \"x\": y # z"),
            ("name: a\ndescription: [beta] fixes it", "a", "[beta] fixes it"),
            ("name: a\ndescription: @me does `it`", "a", "@me does `it`"),
            ("name: a\ndescription: 'it's broken: yes'", "a", "it's broken: yes"),
            ("name: a\ndescription: \"one\" or: \"two\"", "a", "one\" or: \"two"),
            ("name: a\ndescription: x: y\n  and more: z\n\nversion: 1", "a", "x: y and more: z"),
            ("name: a\ndescription: |\n  x: y\n  z\nargument-hint: [file] [mode]", "a", "x: y\nz\n"),
            ("name: a\ndescription: >-\n  x\n  y\nallowed-tools: Bash(git:*), *", "a", "x y"),
            ("name: a\ntags:\n\t- x\ndescription: d: d", "a", "d: d"),
            ("# hint\nname: \"a\"\ndescription: d: d", "a", "d: d"),
            ("name: a\nname: b\ndescription: d", "a", "d"),
        ] {
            let front = read(yaml).unwrap_or_else(|e| panic!("{yaml}: {e}"));
            assert_eq!(
                (front.name.as_deref(), front.description.as_deref()),
                (Some(name), Some(description)),
                "{yaml}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(yaml in "[-a-z: \\t\\n'\"|>\\[\\]{}&*#@`ä]{0,60}") {
            let _ = read(&yaml);
        }
    }
}
