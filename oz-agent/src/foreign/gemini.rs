//! Gemini CLI: started without a terminal, it tells its work as `stream-json`.

mod reader;
mod session;

use super::{
    Dialect, Launch, Reader,
    home::{SHELL, of_bash, shell_environment},
    rules::{instructions, may, may_browse},
};
use oz_core::{
    Error,
    config::{McpServerConfig, McpTransport},
    harness::{HarnessTask, SavedSession},
    run::RunMode,
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, path::PathBuf};

/// Where the conversation to go on with lies in the home.
const RESTORED: &str = ".gemini/conversation.jsonl";

/// Files of rules that it reads wherever it finds them.
const RULES: [&str; 2] = ["AGENTS.md", "GEMINI.md"];

/// Gemini CLI.
pub(super) struct Gemini;

impl Dialect for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn format(&self) -> &'static str {
        "gemini"
    }

    fn install_hint(&self, _: &HarnessTask) -> String {
        "install it with `npm install -g @google/gemini-cli`".to_owned()
    }

    fn launch(&self, task: &HarnessTask) -> Result<Launch, Error> {
        if let Some(level) = &task.reasoning_level {
            return Err(Error::unsupported(format!(
                "the harness 'gemini' has no reasoning levels, so harness.reasoning_level can't be '{level}'; leave it out"
            )));
        }
        let approval = if task.mode == RunMode::Plan { "plan" } else { "yolo" };
        let mut words: Vec<String> =
            ["gemini", "--output-format", "stream-json", "--approval-mode", approval]
                .map(str::to_owned)
                .to_vec();
        if let Some(model) = &task.model_id {
            words.extend(["--model".to_owned(), model.trim_start_matches("google/").to_owned()]);
        }
        let mut files = BTreeMap::from([(
            PathBuf::from(".gemini/settings.json"),
            settings(task).to_string().into_bytes(),
        )]);
        if let Some(text) = instructions(task, &RULES) {
            files.insert(".gemini/GEMINI.md".into(), text.into_bytes());
        }
        if let Some(saved) = &task.saved {
            files.insert(RESTORED.into(), session::sound(&saved.content));
            words.extend([
                "--session-file".to_owned(),
                task.home.join(RESTORED).to_string_lossy().into_owned(),
            ]);
        }
        let mut prompt = task.prompt.clone();
        for image in &task.images {
            prompt.push_str(&format!("\n@{}", image.display()));
            if let Some(place) = image.parent().filter(|place| !place.starts_with(&task.workspace)) {
                words.extend(["--include-directories".to_owned(), place.to_string_lossy().into_owned()]);
            }
        }
        files.insert(SHELL.into(), shell_environment(task).into_bytes());
        let env = [("GEMINI_CLI_TRUST_WORKSPACE", "true"), ("GEMINI_CLI_NO_RELAUNCH", "true")];
        Ok(Launch {
            words,
            env: env
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .chain([of_bash(task)])
                .collect(),
            files,
            skills: Some(".gemini/skills".into()),
            stdin: Some(prompt),
            ..Launch::default()
        })
    }

    fn reader(&self, _: &HarnessTask) -> Box<dyn Reader> {
        Box::<reader::Lines>::default()
    }

    fn saved(&self, task: &HarnessTask, session_id: &str) -> Option<SavedSession> {
        let content = session::of_home(&task.home, session_id)?;
        Some(SavedSession { format: self.format().to_owned(), session_id: session_id.to_owned(), content })
    }
}

/// Its settings: it works alone, tells nobody of it, and stays as it is.
fn settings(task: &HarnessTask) -> Value {
    let permissions = &task.permissions;
    let table: [(bool, &[&str]); 4] = [
        (may(permissions, permissions.execute_commands.as_ref()), &["run_shell_command"]),
        (may(permissions, permissions.apply_code_diffs.as_ref()), &["write_file", "replace"]),
        (
            may(permissions, permissions.read_files.as_ref()),
            &["read_file", "read_many_files", "glob", "grep_search", "list_directory"],
        ),
        (may_browse(permissions), &["web_fetch", "google_web_search"]),
    ];
    let excluded: Vec<&str> =
        table.iter().filter(|(may, _)| !may).flat_map(|(_, tools)| *tools).copied().collect();
    let mut settings = json!({
        "general": { "enableAutoUpdate": false, "enableAutoUpdateNotification": false },
        "privacy": { "usageStatisticsEnabled": false },
        "telemetry": { "enabled": false },
        // It would keep secrets of the run from commands too, and the file that takes the login from them.
        "security": { "environmentVariableRedaction": { "enabled": false } },
        "context": { "fileName": RULES },
        "tools": { "exclude": excluded },
        "mcpServers": {},
    });
    if let Some(kind) = login(task) {
        settings["security"]["auth"] = json!({ "selectedType": kind });
    }
    if let Some(turns) = task.limits.max_turns {
        settings["model"] = json!({ "maxSessionTurns": turns });
    }
    if may(permissions, permissions.call_mcp_servers.as_ref()) {
        for (name, server) in &task.mcp_servers {
            settings["mcpServers"][name] = mcp(server);
        }
    }
    settings
}

/// Which login the variables are for. It finds that out itself, but not beside an address of the service.
fn login(task: &HarnessTask) -> Option<&'static str> {
    let given = |name: &str| task.auth.get(name).or_else(|| task.env.get(name)).filter(|v| !v.is_empty());
    if given("GOOGLE_GENAI_USE_VERTEXAI").is_some_and(|v| v == "true") {
        return Some("vertex-ai");
    }
    given("GEMINI_API_KEY").or_else(|| given("GOOGLE_API_KEY")).map(|_| "gemini-api-key")
}

/// An MCP server in its words.
fn mcp(server: &McpServerConfig) -> Value {
    let mut said = Map::new();
    if let Some(command) = &server.command {
        said.insert("command".to_owned(), command.clone().into());
        said.insert("args".to_owned(), json!(server.args));
        said.insert("env".to_owned(), json!(server.env));
        said.extend(server.working_directory.iter().map(|cwd| ("cwd".to_owned(), cwd.clone().into())));
    }
    if let Some(url) = &server.url {
        let field = if server.transport == Some(McpTransport::Sse) { "url" } else { "httpUrl" };
        said.insert(field.to_owned(), url.clone().into());
        said.insert("headers".to_owned(), json!(server.headers));
    }
    if !server.allowed_tools.is_empty() {
        said.insert("includeTools".to_owned(), json!(server.allowed_tools));
    }
    if !server.denied_tools.is_empty() {
        said.insert("excludeTools".to_owned(), json!(server.denied_tools));
    }
    said.insert("timeout".to_owned(), (server.timeout_seconds.unwrap_or(60) * 1000).into());
    said.insert("trust".to_owned(), true.into());
    Value::Object(said)
}

#[cfg(test)]
mod tests;
