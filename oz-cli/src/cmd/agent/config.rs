//! How an agent's configuration comes about: the file, and over it the flags.

use crate::{cli::AgentOptions, error::CliError};
use oz_core::config::{AgentConfig, HarnessConfig, Limits, McpServerConfig, SourceRepo};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path};

/// The keys of a configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConfigFile {
    name: Option<String>,
    environment_id: Option<String>,
    model_id: Option<String>,
    base_prompt: Option<String>,
    mcp_servers: BTreeMap<String, McpServerConfig>,
    host: Option<String>,
    computer_use_enabled: Option<bool>,
    harness: Option<HarnessConfig>,
    skill_spec: Option<String>,
    source_repos: Vec<SourceRepo>,
    setup_commands: Vec<String>,
    limits: Option<Limits>,
    pub(crate) prompt: Option<String>,
}

impl ConfigFile {
    /// Reads a file: JSON or YAML by its extension, either by trying otherwise.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .map_err(|e| CliError::new(format!("the configuration file '{shown}' can't be read: {e}")))?;
        let json = || serde_json::from_str(&text).map_err(|e| e.to_string());
        let yaml = || serde_saphyr::from_str(&text).map_err(|e| e.to_string());
        let (kind, parsed) = match path.extension().and_then(|e| e.to_str()) {
            Some("json") => ("JSON", json()),
            Some("yaml" | "yml") => ("YAML", yaml()),
            _ => ("JSON or YAML", json().or_else(|_| yaml())),
        };
        parsed
            .map_err(|e| CliError::new(format!("the configuration file '{shown}' is not valid {kind}: {e}")))
    }
}

/// Puts the flags over the file.
pub(crate) fn build(options: &AgentOptions, file: ConfigFile) -> Result<AgentConfig, CliError> {
    let limits = Limits {
        max_turns: options.max_turns,
        max_tokens: options.max_tokens,
        max_seconds: options.max_time.map(|t| t.as_secs().max(1)),
        max_cost_usd: options.max_cost,
    };
    let from_file = file.limits.unwrap_or_default();
    let limits = Limits {
        max_turns: limits.max_turns.or(from_file.max_turns),
        max_tokens: limits.max_tokens.or(from_file.max_tokens),
        max_seconds: limits.max_seconds.or(from_file.max_seconds),
        max_cost_usd: limits.max_cost_usd.or(from_file.max_cost_usd),
    };
    let harness = match &options.harness {
        Some(kind) => Some(HarnessConfig { kind: kind.clone(), model_id: None, reasoning_level: None }),
        None => file.harness,
    };
    let repos: Vec<SourceRepo> = options.repos.iter().map(|text| repo(text)).collect();
    let config = AgentConfig {
        name: options.name.clone().or(file.name),
        model_id: options.model.clone().or(file.model_id),
        base_prompt: file.base_prompt,
        environment_id: file.environment_id,
        skill_spec: file.skill_spec,
        mcp_servers: file.mcp_servers,
        computer_use_enabled: file.computer_use_enabled,
        worker_host: file.host,
        harness,
        source_repos: if repos.is_empty() { file.source_repos } else { repos },
        setup_commands: if options.setup_commands.is_empty() {
            file.setup_commands
        } else {
            options.setup_commands.clone()
        },
        limits: (limits != Limits::default()).then_some(limits),
        ..AgentConfig::default()
    };
    config.validate()?;
    Ok(config)
}

/// `URL` or `URL@REF`. An `@` in the part that names the host belongs to the address, as in `git@host:me/app`.
fn repo(text: &str) -> SourceRepo {
    let plain = || SourceRepo { url: text.to_owned(), checkout_ref: None };
    let Some((url, reference)) = text.rsplit_once('@') else { return plain() };
    let host_and_path = url.split_once("://").map_or(url, |(_, rest)| rest);
    if !host_and_path.contains(['/', ':']) {
        return plain();
    }
    SourceRepo { url: url.to_owned(), checkout_ref: Some(reference.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_addresses() {
        for (text, url, reference) in [
            ("https://github.com/me/app", "https://github.com/me/app", None),
            ("https://github.com/me/app@v1", "https://github.com/me/app", Some("v1")),
            ("https://github.com/me/app@fix/it", "https://github.com/me/app", Some("fix/it")),
            ("git@github.com:me/app.git", "git@github.com:me/app.git", None),
            ("git@github.com:me/app.git@main", "git@github.com:me/app.git", Some("main")),
            ("https://me@host/app", "https://me@host/app", None),
            ("/srv/app", "/srv/app", None),
        ] {
            let got = repo(text);
            assert_eq!((got.url.as_str(), got.checkout_ref.as_deref()), (url, reference), "{text}");
        }
    }

    #[test]
    fn unknown_keys_are_refused_and_flags_win() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        fs::write(&path, "name: file\nmodel_id: m\nhost: h\n").unwrap();
        let options = AgentOptions { name: Some("flag".into()), ..AgentOptions::default() };
        let config = build(&options, ConfigFile::read(&path).unwrap()).unwrap();
        assert_eq!((config.name.as_deref(), config.model_id.as_deref()), (Some("flag"), Some("m")));
        assert_eq!(config.worker_host.as_deref(), Some("h"));
        fs::write(&path, "nmae: x\n").unwrap();
        let error = ConfigFile::read(&path).unwrap_err().to_string();
        assert!(error.contains("nmae") && error.contains("a.yaml"), "{error}");
    }
}
