//! Where the value of a secret comes from, and what it becomes. A value is kept byte for byte, and shown to nobody.

use crate::{error::CliError, out, signals};
use oz_core::secret::{AnthropicApiKey, OpenAiApiKey, SecretKind, variables};
use serde::Serialize;
use std::{
    fs,
    io::{self, IsTerminal as _, Read as _},
    path::PathBuf,
};

/// What is told when there is no value.
pub(super) const NOTHING: &str = "There is no value; nothing was done.";

/// Shorter values are not redacted: too much else would look like them.
const SHORTEST_REDACTED: usize = 6;

/// What typed secrets set that is no secret.
const OPEN: [&str; 4] = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "CLAUDE_CODE_USE_BEDROCK", "OPENAI_BASE_URL"];

/// Where a value comes from.
pub(super) enum Input {
    /// The content of a file.
    File(PathBuf),
    /// Asked for at a terminal, else standard input to its end.
    Text,
    /// Some parts, asked for one by one where they are not given.
    Parts(Parts),
}

/// A value that is made of parts.
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    /// Makes the value of the parts, in their order.
    pub(super) join: fn(Vec<String>) -> Result<String, CliError>,
    /// How to give all of them without a terminal and without flags.
    pub(super) instead: &'static str,
}

/// A part of a value.
pub(super) struct Part {
    pub(super) flag: &'static str,
    pub(super) label: &'static str,
    pub(super) hidden: bool,
    pub(super) optional: bool,
    pub(super) given: Option<String>,
}

/// Asks for a part; `None` calls the whole thing off.
type Ask<'a> = dyn FnMut(&Part) -> Result<Option<String>, CliError> + 'a;

/// Whether there is somebody to ask.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal()
}

impl Input {
    /// The value as it came in; `None` when it is empty or the person at the terminal thought better of it.
    pub(super) fn read(self) -> Result<Option<String>, CliError> {
        let text = match self {
            Self::File(path) => {
                let shown = path.display();
                let bytes = fs::read(&path)
                    .map_err(|e| CliError::new(format!("the value file '{shown}' can't be read: {e}")))?;
                Some(text(bytes, &format!("the value file '{shown}'"))?)
            }
            Self::Text if can_ask() => ask("Value (not shown): ", true)?,
            Self::Text => {
                let mut bytes = Vec::new();
                io::stdin().lock().read_to_end(&mut bytes)?;
                Some(text(bytes, "standard input")?)
            }
            Self::Parts(parts) if can_ask() => parts.collect(Some(&mut |part: &Part| {
                let optional = if part.optional { ", empty for none" } else { "" };
                let hidden = if part.hidden { " (not shown)" } else { "" };
                ask(&format!("{}{hidden}{optional}: ", part.label), part.hidden)
            }))?,
            Self::Parts(parts) => parts.collect(None)?,
        };
        Ok(text.filter(|text| !text.is_empty()))
    }
}

fn text(bytes: Vec<u8>, what: &str) -> Result<String, CliError> {
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        CliError::new(format!("{what} is not UTF-8 text (at byte {at}); encode it, for example with base64"))
    })
}

impl Parts {
    /// Warns of those that stand on the command line, asks for those that are missing, and joins all of them.
    fn collect(self, mut ask: Option<&mut Ask<'_>>) -> Result<Option<String>, CliError> {
        let secret = self.parts.iter().filter(|part| part.hidden && part.given.is_some());
        for Part { flag, .. } in secret {
            out::note(format!(
                "Warning: what stands after {flag} can be seen in the list of processes and the shell's history."
            ));
        }
        let missing = self.parts.iter().filter(|part| part.given.is_none() && !part.optional);
        let missing: Vec<_> = missing.map(|part| part.flag).collect();
        if ask.is_none() && !missing.is_empty() {
            return Err(CliError::new(format!(
                "{} must be given where nobody can be asked",
                missing.join(", ")
            ))
            .hint(self.instead));
        }
        let mut all = Vec::new();
        for part in self.parts {
            let value = match (&part.given, &mut ask) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(ask)) => ask(&part)?,
                (None, None) => Some(String::new()),
            };
            match value {
                Some(value) if part.optional || !value.is_empty() => all.push(value),
                _ => return Ok(None),
            }
        }
        (self.join)(all).map(Some)
    }
}

/// Asks at the terminal; `None` after Ctrl-C or Ctrl-D.
fn ask(prompt: &str, hidden: bool) -> Result<Option<String>, CliError> {
    // With somebody who listens for it, Ctrl-C ends the question and not the process, so that the terminal recovers.
    let _listening = signals::interrupt()?;
    let config = rpassword::ConfigBuilder::new();
    let config = if hidden { config } else { config.password_feedback_partial_mask('*', usize::MAX) };
    match rpassword::prompt_password_with_config(prompt, config.build()) {
        Ok(text) => Ok(Some(text)),
        Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof) => Ok(None),
        Err(e) => Err(CliError::new(format!("the value can't be asked for: {e}"))),
    }
}

/// The value of a secret of this type: a plain key becomes the JSON of its type, JSON stays what it is.
pub(super) fn of(kind: &SecretKind, text: String, base_url: Option<String>) -> Result<String, CliError> {
    if is_json(&text) {
        return match serde_json::from_str::<OpenAiApiKey>(&text) {
            Ok(key) if base_url.is_some() => json(&OpenAiApiKey { base_url, ..key }),
            _ => Ok(text),
        };
    }
    // No key ends with a line; files and pipes that hold one do.
    let api_key = || text.trim_end().to_owned();
    match kind {
        SecretKind::AnthropicApiKey => json(&AnthropicApiKey { api_key: api_key() }),
        SecretKind::OpenAiApiKey => json(&OpenAiApiKey { api_key: api_key(), base_url }),
        _ => Ok(text),
    }
}

/// Whether a value is JSON rather than a plain key, none of which begins like that.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// A value as the JSON of its type.
pub(super) fn json(value: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string(value).map_err(CliError::new)
}

/// Checks a value and warns of what its owner may not want.
pub(super) fn warn(name: &str, kind: &SecretKind, value: &str) -> Result<(), CliError> {
    warnings(name, kind, value)?.into_iter().for_each(out::note);
    Ok(())
}

fn warnings(name: &str, kind: &SecretKind, value: &str) -> Result<Vec<String>, CliError> {
    let typed = !matches!(kind, SecretKind::RawValue | SecretKind::Dotenv);
    let mut variables = variables(name, kind, value)?;
    variables.retain(|name, _| !(typed && OPEN.contains(&name.as_str())));
    let mut warnings = Vec::new();
    let short: Vec<_> = variables.iter().filter(|(_, value)| value.len() < SHORTEST_REDACTED).collect();
    if !short.is_empty() {
        let names: Vec<_> = short.into_iter().map(|(name, _)| name.as_str()).collect();
        warnings.push(format!(
            "Warning: shorter than {SHORTEST_REDACTED} bytes, and so not hidden where a run prints it: {}",
            out::plain(&names.join(", "))
        ));
    }
    if variables.values().any(|value| value.ends_with('\n')) {
        warnings.push("Warning: the value ends with a newline, which stays a part of it.".to_owned());
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests;
