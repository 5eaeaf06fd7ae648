//! How an agent's task and configuration come about: the file, and over it the flags. What this build can't do is
//! refused here, before anything happens.

use super::options::AgentOptions;
use crate::error::CliError;
use oz_core::config::{AgentConfig, HarnessConfig, HarnessType, Limits, McpServerConfig, SourceRepo};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path};

/// The keys of a configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::cmd) struct ConfigFile {
    name: Option<String>,
    environment_id: Option<String>,
    runner_id: Option<String>,
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
    prompt: Option<String>,
}

impl ConfigFile {
    /// Reads a file: JSON or YAML by its extension, either by trying otherwise.
    pub(in crate::cmd) fn read(path: &Path) -> Result<Self, CliError> {
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
        parsed.map_err(|e: String| {
            let reason = e.lines().next().unwrap_or_default();
            CliError::new(format!("the configuration file '{shown}' is not valid {kind}: {reason}"))
        })
    }

    /// The prompt and the configuration, all of it: what can be done with it is for others to say.
    pub(in crate::cmd) fn into_parts(self) -> (Option<String>, AgentConfig) {
        let config = AgentConfig {
            name: self.name,
            environment_id: self.environment_id,
            runner_id: self.runner_id,
            model_id: self.model_id,
            base_prompt: self.base_prompt,
            mcp_servers: self.mcp_servers,
            worker_host: self.host,
            computer_use_enabled: self.computer_use_enabled,
            harness: self.harness,
            skill_spec: self.skill_spec,
            source_repos: self.source_repos,
            setup_commands: self.setup_commands,
            limits: self.limits,
            ..AgentConfig::default()
        };
        (self.prompt, config)
    }
}

/// What an agent is to do, and how.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) prompt: String,
    pub(super) config: AgentConfig,
}

/// Puts the flags over the file.
pub(super) fn task(options: &AgentOptions) -> Result<Task, CliError> {
    let file = options.file.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
    refuse(&[
        (options.saved_prompt.is_some(), "--saved-prompt"),
        (options.skill.is_some(), "--skill"),
        (!options.mcp.is_empty(), "--mcp"),
        (options.environment.is_some(), "--environment"),
        (options.conversation.is_some(), "--conversation"),
        (file.skill_spec.is_some(), "skill_spec in the configuration file"),
        (!file.mcp_servers.is_empty(), "mcp_servers in the configuration file"),
        (file.environment_id.is_some(), "environment_id in the configuration file"),
        (file.runner_id.is_some(), "runner_id in the configuration file"),
    ])?;
    let prompt = options.prompt.clone().or(file.prompt);
    let prompt =
        prompt.ok_or_else(|| CliError::new("there is no prompt, neither in the file nor with --prompt"))?;
    let from_file = file.limits.unwrap_or_default();
    let limits = Limits {
        max_turns: options.max_turns.or(from_file.max_turns),
        max_tokens: options.max_tokens.or(from_file.max_tokens),
        max_seconds: options.max_time.map(|t| t.as_secs().max(1)).or(from_file.max_seconds),
        max_cost_usd: options.max_cost.or(from_file.max_cost_usd),
    };
    let chosen = options.harness.clone();
    let harness =
        chosen.map(|kind| HarnessConfig { kind, model_id: None, reasoning_level: None }).or(file.harness);
    let flagged: Vec<SourceRepo> = options.repos.iter().map(|text| repo(text)).collect();
    let commands = &options.setup_commands;
    let config = AgentConfig {
        name: options.name.clone().or(file.name),
        model_id: options.model.clone().or(file.model_id),
        base_prompt: file.base_prompt,
        worker_host: file.host,
        computer_use_enabled: match (options.computer_use, options.no_computer_use) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => file.computer_use_enabled,
        },
        harness,
        source_repos: if flagged.is_empty() { file.source_repos } else { flagged },
        setup_commands: if commands.is_empty() { file.setup_commands } else { commands.clone() },
        limits: (limits != Limits::default()).then_some(limits),
        ..AgentConfig::default()
    };
    config.validate()?;
    match config.harness_type() {
        HarnessType::Oz => Ok(Task { prompt, config }),
        other => Err(CliError::unsupported(&format!("the harness '{other}'"))),
    }
}

/// Refuses the first of these that is given. Callers pass more than this build can do, and what it can't do must not
/// be ignored in silence.
pub(super) fn refuse(given: &[(bool, &str)]) -> Result<(), CliError> {
    match given.iter().find(|(given, _)| *given) {
        Some((_, what)) => Err(CliError::unsupported(what)),
        None => Ok(()),
    }
}

/// `URL` or `URL@REF`. An `@` before the path belongs to the address, as in `git@host:me/app` and `https://me@host/app`.
pub(in crate::cmd) fn repo(text: &str) -> SourceRepo {
    let path = match text.split_once("://") {
        Some((scheme, rest)) => rest.find('/').map(|slash| scheme.len() + 3 + slash),
        None => text.find([':', '/']),
    };
    // A path of this machine may have no slash at all.
    let path = path.unwrap_or(if text.contains("://") { text.len() } else { 0 });
    match text[path..].split_once('@') {
        Some((rest, reference)) if !reference.is_empty() => {
            SourceRepo { url: format!("{}{rest}", &text[..path]), checkout_ref: Some(reference.to_owned()) }
        }
        _ => SourceRepo { url: text.to_owned(), checkout_ref: None },
    }
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
            ("ssh://git@host/app", "ssh://git@host/app", None),
            ("https://me@host/app", "https://me@host/app", None),
            ("https://me:secret@host/app@main", "https://me:secret@host/app", Some("main")),
            ("https://me@host", "https://me@host", None),
            ("/srv/app", "/srv/app", None),
            ("app@main", "app", Some("main")),
            ("app@", "app@", None),
        ] {
            let got = repo(text);
            assert_eq!((got.url.as_str(), got.checkout_ref.as_deref()), (url, reference), "{text}");
        }
    }

    fn with_file(name: &str, text: &str, options: AgentOptions) -> Result<Task, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        task(&AgentOptions { file: Some(path), ..options }).map_err(|e| e.to_string())
    }

    #[test]
    fn flags_win_over_the_file() {
        let yaml = "name: file\nmodel_id: m\nhost: h\nprompt: p\nlimits: { max_turns: 3, max_tokens: 5 }\nsource_repos: [{ url: /a }]\n";
        let flags = AgentOptions {
            name: Some("flag".into()),
            max_turns: Some(7),
            repos: vec!["/b".into()],
            ..AgentOptions::default()
        };
        let Task { prompt, config } = with_file("a.yaml", yaml, flags).unwrap();
        let expected = AgentConfig {
            name: Some("flag".into()),
            model_id: Some("m".into()),
            worker_host: Some("h".into()),
            source_repos: vec![SourceRepo { url: "/b".into(), checkout_ref: None }],
            limits: Some(Limits { max_turns: Some(7), max_tokens: Some(5), ..Limits::default() }),
            ..AgentConfig::default()
        };
        assert_eq!((prompt.as_str(), config), ("p", expected));
    }

    #[test]
    fn files_of_every_kind_are_read_and_mistakes_are_located() {
        let prompt = || AgentOptions { prompt: Some("p".into()), ..AgentOptions::default() };
        for (name, text) in
            [("a.json", r#"{"name":"n"}"#), ("a.yml", "name: n"), ("a", r#"{"name":"n"}"#), ("b", "name: n")]
        {
            assert_eq!(with_file(name, text, prompt()).unwrap().config.name.as_deref(), Some("n"), "{name}");
        }
        for (name, text, expected) in [
            ("a.yaml", "nmae: x", "nmae"),
            ("a.json", "{", "not valid JSON"),
            ("a.yaml", "skill_spec: s", "skill_spec in the configuration file is not supported"),
            ("a.yaml", "harness: { type: codex }", "the harness 'codex' is not supported"),
            ("a.yaml", "source_repos: [{ url: --upload-pack=x }]", "config.source_repos[0].url"),
        ] {
            let error = with_file(name, text, prompt()).unwrap_err();
            assert!(error.contains(expected) && error.lines().count() == 1, "{text}: {error}");
        }
        let error = with_file("a.yaml", "name: n", AgentOptions::default()).unwrap_err();
        assert!(error.contains("there is no prompt"), "{error}");
    }

    #[test]
    fn what_can_not_be_done_is_refused() {
        let options = AgentOptions { prompt: Some("p".into()), ..AgentOptions::default() };
        for (flag, options) in [
            ("--skill", AgentOptions { skill: Some("s".into()), ..options.clone() }),
            ("--mcp", AgentOptions { mcp: vec!["{}".into()], ..options.clone() }),
            ("--environment", AgentOptions { environment: Some("e".into()), ..options.clone() }),
            ("--conversation", AgentOptions { conversation: Some("c".into()), ..options.clone() }),
            ("--saved-prompt", AgentOptions { saved_prompt: Some("s".into()), ..options }),
        ] {
            let error = task(&options).unwrap_err().to_string();
            assert_eq!(error, format!("Error: {flag} is not supported by this version of oz"));
        }
    }
}
