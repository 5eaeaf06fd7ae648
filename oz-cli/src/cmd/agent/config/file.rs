//! Configuration files of agents. A mistake in one is told with its place and with what was probably meant.

mod keys;

use crate::{cmd::mcp, error::CliError};
use oz_core::config::AgentConfig;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fs, path::Path};

/// What a configuration file says.
#[derive(Debug, Default)]
pub(in crate::cmd) struct ConfigFile {
    pub(super) prompt: Option<String>,
    pub(super) config: AgentConfig,
}

/// The keys that only the file has.
#[derive(Deserialize)]
struct Own {
    prompt: Option<String>,
    host: Option<String>,
}

/// In which language a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Json,
    Yaml,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        }
    }

    /// Reads a text; a mistake comes with its place.
    fn read<T: DeserializeOwned>(self, text: &str) -> Result<T, String> {
        match self {
            Self::Json => serde_json::from_str(text).map_err(|e| e.to_string()),
            Self::Yaml => serde_saphyr::from_str(text).map_err(|e| {
                let shown = e.without_snippet().to_string();
                shown.lines().next().unwrap_or_default().to_owned()
            }),
        }
    }
}

impl ConfigFile {
    /// Reads a file: JSON or YAML by its extension, either by trying otherwise.
    pub(in crate::cmd) fn read(path: &Path) -> Result<Self, CliError> {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .map_err(|e| CliError::new(format!("Failed to read config file '{shown}': {e}")))?;
        let language = match path.extension().and_then(|e| e.to_str()) {
            Some("json") => Language::Json,
            Some("yaml" | "yml") => Language::Yaml,
            _ if serde_json::from_str::<IgnoredAny>(&text).is_ok() => Language::Json,
            _ => Language::Yaml,
        };
        Self::parse(&text, language).map_err(|e| e.of(&shown.to_string(), language))
    }

    fn parse(text: &str, language: Language) -> Result<Self, Mistake> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        language.read::<BTreeMap<keys::Known, IgnoredAny>>(text).map_err(|reason| {
            if reason.contains(keys::UNKNOWN) { Mistake::Key(reason) } else { Mistake::Text(reason) }
        })?;
        let all: Map<String, Value> = language.read(text).map_err(Mistake::Text)?;
        keys::check_below(&all).map_err(Mistake::Text)?;
        let Own { prompt, host } = language.read(text).map_err(Mistake::Text)?;
        servers(text, language, all.get("mcp_servers")).map_err(Mistake::Servers)?;
        let mut config: AgentConfig = language.read(text).map_err(Mistake::Text)?;
        config.worker_host = host.or(config.worker_host);
        Ok(Self { prompt, config })
    }

    /// The prompt and the configuration, all of it: what can be done with it is for others to say.
    pub(in crate::cmd) fn into_parts(self) -> (Option<String>, AgentConfig) {
        (self.prompt, self.config)
    }
}

/// Checks the servers. The parser's own message may quote a value, which may be a secret, and is not shown.
fn servers(text: &str, language: Language, value: Option<&Value>) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Only {
        #[serde(default)]
        mcp_servers: mcp::Servers,
    }
    match (language.read::<Only>(text), value) {
        (Ok(only), _) => only.mcp_servers.iter().try_for_each(|(name, server)| mcp::check(name, server)),
        (Err(_), Some(Value::Object(servers))) => {
            let unclear = || "a server is not what is expected: texts, and texts by name".to_owned();
            Err(mcp::named(servers.clone()).err().unwrap_or_else(unclear))
        }
        (Err(_), _) => Err("expected servers by name".to_owned()),
    }
}

/// What is wrong in a file.
#[derive(Debug)]
enum Mistake {
    Text(String),
    Key(String),
    Servers(String),
}

impl Mistake {
    fn of(self, path: &str, language: Language) -> CliError {
        let name = language.name();
        match self {
            Self::Text(reason) => CliError::new(format!("Invalid {name} in config file '{path}': {reason}")),
            Self::Key(reason) => CliError::new(format!("Invalid {name} in config file '{path}': {reason}"))
                .hint(format!("supported keys: {}", keys::all().join(", "))),
            Self::Servers(reason) => CliError::new(format!("Invalid mcp_servers in '{path}': {reason}")),
        }
    }
}

#[cfg(test)]
impl ConfigFile {
    /// A file with this JSON.
    pub(in crate::cmd) fn of_json(text: &str) -> Self {
        Self::parse(text, Language::Json).unwrap()
    }
}

#[cfg(test)]
mod tests;
