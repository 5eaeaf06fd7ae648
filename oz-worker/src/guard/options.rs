//! What a guard is told beside its command: `--group NAME`, `--limits JSON`, both before `--`.

use oz_core::config::Sandbox;
use std::ffi::OsString;

const GROUP: &str = "--group";
const LIMITS: &str = "--limits";

/// What a guard is told.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// The control group for its command.
    pub(super) group: Option<String>,
    pub(super) limits: Sandbox,
    pub(super) command: Vec<OsString>,
}

/// The words for a guard.
pub(crate) fn arguments(group: &str, limits: &Sandbox) -> Vec<OsString> {
    let json = serde_json::to_string(limits).unwrap_or_default();
    [GROUP, group, LIMITS, &json].map(OsString::from).into()
}

pub(super) fn read(words: Vec<OsString>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = words.into_iter().peekable();
    while let Some(name) = words.next_if(|word| word == GROUP || word == LIMITS) {
        let value = words.next().and_then(|value| value.into_string().ok());
        let value = value.ok_or_else(|| format!("{} needs a value", name.display()))?;
        if name == GROUP {
            if value.contains('/') || value.starts_with('.') {
                return Err(format!("{GROUP}: '{value}' is no name"));
            }
            options.group = Some(value);
        } else {
            options.limits = serde_json::from_str(&value).map_err(|e| format!("{LIMITS}: {e}"))?;
        }
    }
    words.next_if(|word| word == "--");
    options.command = words.collect();
    Ok(options)
}
