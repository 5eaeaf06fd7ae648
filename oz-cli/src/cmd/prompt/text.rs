//! Where the text of a prompt comes from.

use crate::error::CliError;
use clap::Args;
use std::{
    fs,
    io::{self, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

/// The prompt itself, or a file with it.
#[derive(Debug, Default, Args)]
pub(super) struct Text {
    /// The prompt
    #[arg(short, long, value_name = "TEXT", conflicts_with = "file")]
    pub(super) prompt: Option<String>,
    /// A file with the prompt; `-` is standard input
    #[arg(short, long, value_name = "PATH")]
    pub(super) file: Option<PathBuf>,
}

impl Text {
    /// The text that the flags name, if they name one.
    pub(super) fn given(self) -> Result<Option<String>, CliError> {
        match (self.prompt, self.file) {
            (Some(prompt), _) => Ok(Some(prompt)),
            (None, Some(path)) if path == Path::new("-") => standard_input().map(Some),
            (None, Some(path)) => {
                let failed =
                    |e| CliError::new(format!("the prompt file '{}' can't be read: {e}", path.display()));
                fs::read_to_string(&path).map(Some).map_err(failed)
            }
            (None, None) => Ok(None),
        }
    }

    /// The text that the flags name, else standard input, unless that is a terminal.
    pub(super) fn or_standard_input(self) -> Result<String, CliError> {
        match self.given()? {
            Some(text) => Ok(text),
            None if io::stdin().is_terminal() => Err(CliError::new(
                "there is no prompt: pass --prompt, --file, or the prompt on standard input",
            )),
            None => standard_input(),
        }
    }
}

fn standard_input() -> Result<String, CliError> {
    let mut text = String::new();
    let failed = |e| CliError::new(format!("the prompt can't be read from standard input: {e}"));
    io::stdin().lock().read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
