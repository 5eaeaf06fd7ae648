//! How values are printed. Results go to standard output, notes to standard error; a reader that went away is no error.

pub(crate) mod api_key;
pub(crate) mod artifact;
pub(crate) mod environment;
pub(crate) mod identity;
pub(crate) mod jq;
pub(crate) mod mcp;
pub(crate) mod memory;
pub(crate) mod message;
pub(crate) mod model;
pub(crate) mod profile;
pub(crate) mod prompt;
pub(crate) mod request;
pub(crate) mod run;
pub(crate) mod runner;
pub(crate) mod schedule;
pub(crate) mod secret;
pub(crate) mod spending;
pub(crate) mod table;
pub(crate) mod team;
pub(crate) mod worker;

use crate::{cli::Format, error::CliError};
use serde::Serialize;
use std::{fmt::Display, io::Write as _};

/// Prints a line to standard output.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Prints a note to standard error.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints a value as JSON: indented, or on one line for `ndjson`.
pub(crate) fn json<T: Serialize>(format: Format, value: &T) -> Result<(), CliError> {
    if format == Format::Ndjson {
        return json_line(value);
    }
    line(serde_json::to_string_pretty(value).map_err(CliError::new)?);
    Ok(())
}

/// Prints a value as JSON on one line.
pub(crate) fn json_line<T: Serialize>(value: &T) -> Result<(), CliError> {
    line(serde_json::to_string(value).map_err(CliError::new)?);
    Ok(())
}

/// Prints that something is gone: `{"<key>": "<id>", "deleted": true}`, its id alone as `text`, or a sentence.
pub(crate) fn deleted(key: &str, what: &str, id: &str, format: Format) -> Result<(), CliError> {
    match format {
        Format::Json | Format::Ndjson => json(format, &serde_json::json!({ key: id, "deleted": true })),
        Format::Text => {
            line(id);
            Ok(())
        }
        Format::Pretty => {
            line(format!("{what} '{id}' deleted."));
            Ok(())
        }
    }
}

/// Text of an agent or a command as plain text: it must not steer the terminal.
pub(crate) fn plain(text: &str) -> String {
    let stripped = anstream::adapter::strip_str(text).to_string();
    stripped.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// The first line of a text as plain text, cut to `width`.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let text = plain(text);
    let line = text.lines().next().unwrap_or_default();
    let mut cut: String = line.chars().take(width).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mred\u{1b}[0m\tb\r\n\u{7}\u{9b}2Jc"), "ared\tb\n2Jc");
        assert_eq!(one_line("\u{1b}]0;title\u{7}häuser\nmore", 3), "häu…");
    }
}
