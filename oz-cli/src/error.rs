//! How commands fail: a message for people, hints on what to do next, and an exit code. Usage errors are the argument
//! parser's own.

use std::fmt;

/// Exit code of a command that did not work, or whose run did not succeed.
pub(crate) const FAILED: u8 = 1;
/// Exit code of arguments that make no sense.
pub(crate) const USAGE: u8 = 2;
/// Exit code after a second Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CliError {
    prefix: &'static str,
    message: String,
    hint: Option<String>,
}

impl CliError {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self { prefix: "Error: ", message: message.to_string(), hint: None }
    }

    /// Nobody has logged in; scripts know this case by the missing prefix.
    pub(crate) fn not_logged_in() -> Self {
        let message = "You are not logged in: pass --api-key, set OZ_API_KEY, run `oz login`, or host your own with `oz serve`.";
        Self { prefix: "", message: message.to_owned(), hint: None }
    }

    /// What the parser accepts because callers pass it, but no part of this build can do.
    pub(crate) fn unsupported(what: &str) -> Self {
        Self::new(format!("{what} is not supported by this version of oz"))
    }

    /// Names the flag whose value is wrong, where nothing else is.
    pub(crate) fn of(mut self, flag: &str) -> Self {
        self.message = format!("{flag}: {}", self.message);
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix, self.message.trim_end())?;
        match &self.hint {
            Some(hint) => write!(f, "\n=> {}", hint.trim()),
            None => Ok(()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_do() {
        let refused =
            oz_client::Error::Connect { url: "http://127.0.0.1:1".into(), reason: "refused".into() };
        insta::assert_snapshot!(CliError::from(refused), @"
        Error: can't reach http://127.0.0.1:1: refused
        => start a control plane with `oz serve`, or name another with OZ_SERVER_URL
        ");
        insta::assert_snapshot!(CliError::not_logged_in(), @"You are not logged in: pass --api-key, set OZ_API_KEY, run `oz login`, or host your own with `oz serve`.");
        insta::assert_snapshot!(CliError::unsupported("--mcp"), @"Error: --mcp is not supported by this version of oz");
    }
}
