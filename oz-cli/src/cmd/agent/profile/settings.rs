//! The settings of profiles: which there are, and what each may be.

use crate::{cli::pair, cmd::nearest, error::CliError};
use clap::Args;
use serde_json::{Map, Value};
use std::{fs, path::PathBuf};

/// Settings by flags and by a file.
#[derive(Debug, Default, Args)]
pub(super) struct Settings {
    /// A setting, with its value as JSON or as bare text; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) set: Vec<(String, String)>,
    /// A file with settings (YAML or JSON), as it is or as `oz agent profile get --output-format json` prints it
    #[arg(short, long, value_name = "PATH")]
    pub(super) file: Option<PathBuf>,
}

/// What the flags and the file say.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    /// The name that the file has.
    pub(super) name: Option<String>,
    pub(super) settings: Map<String, Value>,
}

/// What a setting may be.
#[derive(Clone, Copy)]
enum Kind {
    Permission,
    Switch,
    Number,
    Text,
    List,
}

/// When an agent may do something.
const PERMISSIONS: &[&str] = &["AgentDecides", "AlwaysAllow", "AlwaysAsk", "AskOnFirstWrite", "Never"];

const KNOWN: &[(&str, Kind)] = &[
    ("apply_code_diffs", Kind::Permission),
    ("ask_questions", Kind::Permission),
    ("ask_user_question", Kind::Permission),
    ("autosync_plans_to_warp_drive", Kind::Switch),
    ("base_model", Kind::Text),
    ("call_mcp_servers", Kind::Permission),
    ("call_web_tools", Kind::Permission),
    ("cli_agent_model", Kind::Text),
    ("coding_model", Kind::Text),
    ("command_allowlist", Kind::List),
    ("command_denylist", Kind::List),
    ("computer_use", Kind::Permission),
    ("computer_use_model", Kind::Text),
    ("context_window_limit", Kind::Number),
    ("create_plans", Kind::Permission),
    ("directory_allowlist", Kind::List),
    ("directory_denylist", Kind::List),
    ("execute_commands", Kind::Permission),
    ("interact_with_running_commands", Kind::Permission),
    ("is_default_profile", Kind::Switch),
    ("mcp_allowlist", Kind::List),
    ("mcp_denylist", Kind::List),
    ("mcp_permissions", Kind::Permission),
    ("read_files", Kind::Permission),
    ("run_agents", Kind::Permission),
    ("run_until_completion", Kind::Switch),
    ("secrets", Kind::Text),
    ("web_search_enabled", Kind::Switch),
    ("write_to_pty", Kind::Permission),
];

impl Settings {
    /// Reads the file, and puts the flags over it.
    pub(super) fn read(&self) -> Result<Read, CliError> {
        let mut read = self.file.as_ref().map_or_else(
            || Ok(Read { name: None, settings: Map::new() }),
            |path| {
                let shown = path.display();
                let at = |e: String| CliError::new(format!("the profile file '{shown}': {e}"));
                let text = fs::read_to_string(path).map_err(|e| at(e.to_string()))?;
                file(&text).map_err(at)
            },
        )?;
        for (key, text) in &self.set {
            let value = flag(key, text).map_err(|e| CliError::new(format!("--set: {e}")))?;
            read.settings.insert(key.clone(), value);
        }
        Ok(read)
    }
}

/// JSON is YAML, too.
fn file(text: &str) -> Result<Read, String> {
    let mut map: Map<String, Value> = serde_saphyr::from_str(text)
        .map_err(|e| e.to_string().lines().next().unwrap_or_default().to_owned())?;
    let name = match map.remove("name") {
        Some(Value::String(name)) => Some(name),
        Some(other) => return Err(format!("name: expected a text, not {other}")),
        None => None,
    };
    // A whole profile has its settings apart from the rest, which the server keeps.
    let settings = match map.remove("settings") {
        Some(Value::Object(settings)) => settings,
        Some(other) => return Err(format!("settings: expected settings by name, not {other}")),
        None => map,
    };
    let checked = settings.into_iter().map(|(key, value)| {
        let value = check(&key, value)?;
        Ok((key, value))
    });
    Ok(Read { name, settings: checked.collect::<Result<_, String>>()? })
}

fn kind(key: &str) -> Result<Kind, String> {
    let names = KNOWN.iter().map(|(name, _)| *name);
    let known = KNOWN.iter().find(|(name, _)| *name == key);
    known.map(|(_, kind)| *kind).ok_or_else(|| nearest::unknown("setting", key, names))
}

/// The value of `--set`: of a text every word, of everything else JSON.
fn flag(key: &str, text: &str) -> Result<Value, String> {
    let bare = Value::String(text.to_owned());
    match kind(key)? {
        Kind::Text => Ok(match serde_json::from_str(text) {
            Ok(quoted @ Value::String(_)) => quoted,
            _ => bare,
        }),
        _ => check(key, serde_json::from_str(text).unwrap_or(bare)),
    }
}

/// Whether a setting may have a value; permissions come back as the wire spells them.
fn check(key: &str, value: Value) -> Result<Value, String> {
    let expected = match (kind(key)?, &value) {
        (_, Value::Null) => return Ok(value),
        (Kind::Switch, Value::Bool(_)) | (Kind::Text, Value::String(_)) => return Ok(value),
        (Kind::Number, Value::Number(number)) if number.is_u64() => return Ok(value),
        (Kind::List, Value::Array(items)) if items.iter().all(Value::is_string) => return Ok(value),
        (Kind::Permission, Value::String(word)) => {
            let bare = |word: &str| word.replace(['_', '-'], "").to_ascii_lowercase();
            let same = PERMISSIONS.iter().find(|permission| bare(permission) == bare(word));
            let unknown =
                || format!("{key}: {}", nearest::unknown("permission", word, PERMISSIONS.iter().copied()));
            return same.map(|permission| (*permission).into()).ok_or_else(unknown);
        }
        (Kind::Switch, _) => "true or false",
        (Kind::Number, _) => "a whole number",
        (Kind::Text, _) => "a text",
        (Kind::List, _) => "a list of texts, such as [\"git .*\"]",
        (Kind::Permission, _) => "AgentDecides, AlwaysAllow, AlwaysAsk, AskOnFirstWrite or Never",
    };
    Err(format!("{key}: expected {expected}, not {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_have_the_type_of_their_setting() {
        for (key, text, expected) in [
            ("execute_commands", "AlwaysAsk", json!("AlwaysAsk")),
            ("execute_commands", "always-allow", json!("AlwaysAllow")),
            ("read_files", "\"agent_decides\"", json!("AgentDecides")),
            ("web_search_enabled", "false", json!(false)),
            ("context_window_limit", "200000", json!(200_000)),
            ("command_denylist", "[\"rm .*\"]", json!(["rm .*"])),
            ("base_model", "4", json!("4")),
            ("base_model", "\"a b\"", json!("a b")),
            ("command_allowlist", "null", json!(null)),
        ] {
            assert_eq!(flag(key, text).unwrap(), expected, "{key}={text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let mistakes = [
            ("execute_command", "Never"),
            ("wholly_different_thing", "1"),
            ("execute_commands", "AlwaysAllowed"),
            ("web_search_enabled", "yes"),
            ("context_window_limit", "-1"),
            ("command_denylist", "rm"),
        ];
        let shown = mistakes.map(|(key, text)| flag(key, text).unwrap_err());
        insta::assert_snapshot!(shown.join("\n"), @r#"
        there is no setting 'execute_command'; did you mean 'execute_commands'?
        there is no setting 'wholly_different_thing'; expected one of apply_code_diffs, ask_questions, ask_user_question, autosync_plans_to_warp_drive, base_model, call_mcp_servers, call_web_tools, cli_agent_model, coding_model, command_allowlist, command_denylist, computer_use, computer_use_model, context_window_limit, create_plans, directory_allowlist, directory_denylist, execute_commands, interact_with_running_commands, is_default_profile, mcp_allowlist, mcp_denylist, mcp_permissions, read_files, run_agents, run_until_completion, secrets, web_search_enabled, write_to_pty
        execute_commands: there is no permission 'AlwaysAllowed'; did you mean 'AlwaysAllow'?
        web_search_enabled: expected true or false, not "yes"
        context_window_limit: expected a whole number, not -1
        command_denylist: expected a list of texts, such as ["git .*"], not "rm"
        "#);
    }

    #[test]
    fn files_are_read_as_they_are_and_as_profiles_are_printed() {
        let expected = Read {
            name: Some("careful".into()),
            settings: Map::from_iter([("execute_commands".into(), json!("AlwaysAsk"))]),
        };
        let printed = r#"{"uid": "p1", "name": "careful", "settings": {"execute_commands": "AlwaysAsk"}, "revision": 1}"#;
        assert_eq!(file("name: careful\nexecute_commands: always_ask"), Ok(expected));
        assert_eq!(file(printed).unwrap().settings.len(), 1);
        for (text, part) in [
            ("excute_commands: Never", "did you mean 'execute_commands'?"),
            ("name: [1]", "name: expected a text"),
            ("settings: 1", "settings: expected"),
            ("- a", "expected"),
        ] {
            let error = file(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
