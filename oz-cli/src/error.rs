//! How commands fail: a message for people, hints on what to do next, and an exit code.

use std::fmt;

/// Exit code of a command that did not work, or whose run did not succeed.
pub(crate) const FAILED: u8 = 1;
/// Exit code after a second Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CliError {
    message: String,
    hints: Vec<String>,
}

impl CliError {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), hints: Vec::new() }
    }
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error: {}", self.message)?;
        for hint in &self.hints {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl From<oz_client::Error> for CliError {
    fn from(e: oz_client::Error) -> Self {
        let error = Self::new(&e);
        if e.is_connect() {
            return error.hint("start a control plane with `oz serve`, or name another with OZ_SERVER_URL");
        }
        match e.code() {
            Some(oz_core::ErrorCode::AuthenticationRequired) => {
                error.hint("pass a key with --api-key or OZ_API_KEY, or store one with `oz login`")
            }
            _ => error,
        }
    }
}

impl From<oz_core::Error> for CliError {
    fn from(e: oz_core::Error) -> Self {
        Self::new(e)
    }
}

impl From<std::io::Error> for CliError {
    fn from(e: std::io::Error) -> Self {
        Self::new(e)
    }
}
