//! Permissions among the settings of a profile, which are free in form and know other names, too.

use super::Permissions;
use crate::Error;
use serde_json::{Map, Value};

/// Other names of settings.
const ALIASES: &[(&str, &str)] = &[
    ("write_to_pty", "interact_with_running_commands"),
    ("mcp_permissions", "call_mcp_servers"),
    ("ask_user_question", "ask_questions"),
    ("auto_approve", "run_until_completion"),
];
/// A switch for what is otherwise a level.
const WEB: &str = "web_search_enabled";
/// One level for reading, by the name of the desktop settings.
const READING: &str = "agent_mode_coding_permissions";
const READABLE: &str = "agent_mode_coding_file_read_allowlist";

impl Permissions {
    /// The permissions that `settings` give; what is no permission is passed over.
    ///
    /// # Errors
    /// `invalid_request` that names the setting and its value.
    pub fn from_settings(settings: &Map<String, Value>) -> Result<Self, Error> {
        let mut map = Map::new();
        for (given, value) in settings.iter().filter(|(_, value)| !value.is_null()) {
            let alias = ALIASES.iter().find(|(alias, _)| alias == given);
            let name = alias.map_or(given.as_str(), |(_, name)| name);
            let value = match (given.as_str(), value) {
                (WEB, Value::Bool(on)) => {
                    let level = if *on { "always_allow" } else { "never" };
                    map.entry("call_web_tools").or_insert_with(|| level.into());
                    continue;
                }
                (READING, Value::String(word)) => {
                    let level = if word == "always_allow_reading" { "always_allow" } else { "always_ask" };
                    map.entry("read_files").or_insert_with(|| level.into());
                    continue;
                }
                (READABLE, list) => {
                    map.entry("directory_allowlist").or_insert_with(|| list.clone());
                    continue;
                }
                ("secrets" | "run_until_completion" | "auto_approve", value) => value.clone(),
                (_, Value::String(word)) => Value::String(snake(word)),
                (_, value) => value.clone(),
            };
            // The name of its own wins.
            if alias.is_none() || !settings.contains_key(name) {
                map.insert(name.to_owned(), value);
            }
        }
        let known = serde_json::to_value(Self::every())
            .ok()
            .and_then(|every| every.as_object().cloned())
            .unwrap_or_default();
        map.retain(|name, _| known.contains_key(name));
        for (name, value) in &map {
            let one = Map::from_iter([(name.clone(), value.clone())]);
            if serde_json::from_value::<Self>(Value::Object(one)).is_err() {
                let expected = match &known[name] {
                    Value::Array(_) => "a list of texts",
                    Value::Bool(_) => "true or false",
                    _ => "a word",
                };
                return Err(Error::invalid_field(&format!("settings.{name}"), &value.to_string(), expected));
            }
        }
        let found: Self = serde_json::from_value(Value::Object(map))
            .map_err(|e| Error::invalid(format!("settings: the permissions are not understood: {e}")))?;
        found.validate("settings")?;
        Ok(found)
    }

    /// These permissions, and where they say nothing, `others`.
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        let own = [
            &mut self.read_files,
            &mut self.apply_code_diffs,
            &mut self.execute_commands,
            &mut self.interact_with_running_commands,
            &mut self.call_mcp_servers,
            &mut self.call_web_tools,
            &mut self.create_plans,
            &mut self.ask_questions,
            &mut self.computer_use,
        ];
        for (own, (_, other)) in own.into_iter().zip(others.levels()) {
            if own.is_none() {
                own.clone_from(other);
            }
        }
        for (own, other) in [
            (&mut self.command_allowlist, &others.command_allowlist),
            (&mut self.command_denylist, &others.command_denylist),
            (&mut self.directory_allowlist, &others.directory_allowlist),
            (&mut self.directory_denylist, &others.directory_denylist),
            (&mut self.mcp_allowlist, &others.mcp_allowlist),
            (&mut self.mcp_denylist, &others.mcp_denylist),
        ] {
            if own.is_empty() {
                own.clone_from(other);
            }
        }
        self.secrets = self.secrets.or_else(|| others.secrets.clone());
        self.run_until_completion |= others.run_until_completion;
        self
    }

    /// Permissions in which every field stands, so that its name is known.
    fn every() -> Self {
        let level = Some(super::PermissionLevel::AlwaysAsk);
        let list = vec![String::new()];
        Self {
            read_files: level.clone(),
            apply_code_diffs: level.clone(),
            execute_commands: level.clone(),
            interact_with_running_commands: level.clone(),
            call_mcp_servers: level.clone(),
            call_web_tools: level.clone(),
            create_plans: level.clone(),
            ask_questions: level.clone(),
            computer_use: level,
            command_allowlist: list.clone(),
            command_denylist: list.clone(),
            directory_allowlist: list.clone(),
            directory_denylist: list.clone(),
            mcp_allowlist: list.clone(),
            mcp_denylist: list,
            secrets: Some(super::SecretExposure::Named),
            run_until_completion: true,
        }
    }
}

/// `AlwaysAsk` and `always-ask` as `always_ask`.
fn snake(word: &str) -> String {
    let mut snake = String::new();
    for c in word.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    snake
}
