//! What permissions may be.

use super::{PermissionLevel, Permissions, decide::compile};
use crate::Error;

/// The most entries of a list.
const MAX_ENTRIES: usize = 1000;

impl Permissions {
    /// Checks levels and patterns.
    ///
    /// # Errors
    /// `invalid_request` that names the field under `at` and its value.
    pub fn validate(&self, at: &str) -> Result<(), Error> {
        for (name, level) in self.levels() {
            let Some(level) = level else { continue };
            let field = format!("{at}.{name}");
            level.require_known(&field)?;
            if *level == PermissionLevel::AskOnFirstWrite && name != "interact_with_running_commands" {
                let expected = "agent_decides, always_ask, always_allow or never";
                return Err(Error::invalid_field(&field, level.as_str(), expected));
            }
        }
        if let Some(secrets) = &self.secrets {
            secrets.require_known(&format!("{at}.secrets"))?;
        }
        for (name, list) in self.lists() {
            if list.len() > MAX_ENTRIES {
                let expected = format!("at most {MAX_ENTRIES} entries");
                return Err(Error::invalid_field(
                    &format!("{at}.{name}"),
                    &list.len().to_string(),
                    &expected,
                ));
            }
            for (i, entry) in list.iter().enumerate() {
                let field = format!("{at}.{name}[{i}]");
                if entry.trim().is_empty() {
                    return Err(Error::invalid_field(&field, entry, "a text that is not empty"));
                }
                if name.starts_with("command_")
                    && let Err(e) = compile(entry)
                {
                    let problem = e.to_string();
                    let problem = problem.lines().last().unwrap_or_default().trim().to_owned();
                    return Err(Error::invalid_field(
                        &field,
                        entry,
                        &format!("a regular expression ({problem})"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// All levels by name.
    pub(super) fn levels(&self) -> [(&'static str, &Option<PermissionLevel>); 9] {
        [
            ("read_files", &self.read_files),
            ("apply_code_diffs", &self.apply_code_diffs),
            ("execute_commands", &self.execute_commands),
            ("interact_with_running_commands", &self.interact_with_running_commands),
            ("call_mcp_servers", &self.call_mcp_servers),
            ("call_web_tools", &self.call_web_tools),
            ("create_plans", &self.create_plans),
            ("ask_questions", &self.ask_questions),
            ("computer_use", &self.computer_use),
        ]
    }

    /// All lists by name, empty ones too.
    #[must_use]
    pub fn lists(&self) -> [(&'static str, &Vec<String>); 6] {
        [
            ("command_allowlist", &self.command_allowlist),
            ("command_denylist", &self.command_denylist),
            ("directory_allowlist", &self.directory_allowlist),
            ("directory_denylist", &self.directory_denylist),
            ("mcp_allowlist", &self.mcp_allowlist),
            ("mcp_denylist", &self.mcp_denylist),
        ]
    }
}
