//! The `config.toml` of Codex.

use super::EFFORTS;
use crate::{
    foreign::{
        home::of_commands,
        rules::{instructions, may, may_browse},
    },
    mcp,
};
use oz_core::{
    Error,
    config::{McpServerConfig, McpTransport},
    env::PROCESS_MARK,
    harness::HarnessTask,
};
use serde_json::json;
use std::{collections::BTreeMap, fmt::Write as _};

/// Where OpenAI's own interface is.
const OPENAI: &str = "https://api.openai.com/v1";

/// The whole file. It names the variable of the key and does not hold the key.
pub(super) fn config(task: &HarnessTask) -> Result<String, Error> {
    let permissions = &task.permissions;
    let set = |name: &str| task.auth.get(name).filter(|value| !value.is_empty());
    let key = if set("CODEX_API_KEY").is_some() { "CODEX_API_KEY" } else { "OPENAI_API_KEY" };
    let address = set("OPENAI_BASE_URL").map_or(OPENAI, String::as_str);
    // It can only write below a sandbox of its own, which leaves commands nothing to write to either.
    let writes = may(permissions, permissions.apply_code_diffs.as_ref());
    let runs = may(permissions, permissions.execute_commands.as_ref());
    let mut toml = Toml::default();
    toml.pair("model_provider", "oz");
    toml.pair("approval_policy", "never");
    toml.pair("sandbox_mode", if writes { "danger-full-access" } else { "read-only" });
    toml.pair("web_search", if may_browse(permissions) { "live" } else { "disabled" });
    toml.line("check_for_update_on_startup = false\nproject_doc_max_bytes = 1048576");
    if let Some(level) = task.reasoning_level.as_deref().filter(|level| !matches!(*level, "" | "default")) {
        if !EFFORTS.contains(&level) {
            let field = "config.harness.reasoning_level";
            return Err(Error::invalid_field(field, level, &EFFORTS.join(", ")));
        }
        toml.pair("model_reasoning_effort", level);
    }
    if let Some(text) = instructions(task, &["AGENTS.md", "AGENTS.override.md"]) {
        toml.pair("developer_instructions", &text);
    }
    toml.table(&["analytics"]);
    toml.line("enabled = false");
    toml.table(&["feedback"]);
    toml.line("enabled = false");
    toml.table(&["features"]);
    toml.line(&format!("shell_tool = {runs}"));
    toml.table(&["model_providers", "oz"]);
    toml.pair("name", if address == OPENAI { "OpenAI" } else { "oz" });
    toml.pair("base_url", address);
    toml.pair("env_key", key);
    toml.pair("wire_api", "responses");
    toml.table(&["shell_environment_policy"]);
    let (own, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
        of_commands(task).into_iter().partition(|(_, value)| !value.is_empty());
    let mut own = own;
    let mut gone: Vec<String> = gone.into_keys().collect();
    gone.push("CODEX_HOME".to_owned());
    match task.env.get("TMPDIR") {
        Some(directory) => drop(own.insert("TMPDIR".to_owned(), directory.clone())),
        None => gone.push("TMPDIR".to_owned()),
    }
    toml.line("inherit = \"all\"\nignore_default_excludes = true");
    toml.list("exclude", &gone);
    toml.map("set", &own);
    if may(permissions, permissions.call_mcp_servers.as_ref()) {
        for (name, server) in &task.mcp_servers {
            // It does not know the older way over HTTP itself.
            match server.transport {
                Some(McpTransport::Sse) => toml.server(task, name, &mcp::instead(&task.oz, server)),
                _ => toml.server(task, name, server),
            }
        }
    }
    Ok(toml.text)
}

/// Writes TOML. Its strings are written as those of JSON.
#[derive(Default)]
struct Toml {
    text: String,
}

impl Toml {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }

    fn table(&mut self, path: &[&str]) {
        let path: Vec<String> = path.iter().map(|part| string(part)).collect();
        self.line(&format!("\n[{}]", path.join(".")));
    }

    fn pair(&mut self, key: &str, value: &str) {
        self.line(&format!("{key} = {}", string(value)));
    }

    fn list(&mut self, key: &str, values: &[String]) {
        let values: Vec<String> = values.iter().map(|value| string(value)).collect();
        self.line(&format!("{key} = [{}]", values.join(", ")));
    }

    fn map(&mut self, key: &str, pairs: &BTreeMap<String, String>) {
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{} = {}", string(name), string(value))).collect();
        self.line(&format!("{key} = {{ {} }}", pairs.join(", ")));
    }

    fn server(&mut self, task: &HarnessTask, name: &str, server: &McpServerConfig) {
        self.table(&["mcp_servers", name]);
        if let Some(url) = &server.url {
            self.pair("url", url);
            self.map("http_headers", &server.headers);
        } else {
            self.pair("command", server.command.as_deref().unwrap_or_default());
            self.list("args", &server.args);
            let directory = server.working_directory.as_deref().unwrap_or_default();
            self.pair("cwd", &task.workspace.join(directory).to_string_lossy());
            // Its servers get few variables of its own, so they are all written down.
            let mut env = task.env.clone();
            env.extend(server.env.iter().map(|(name, value)| (name.clone(), value.clone())));
            self.map("env", &env);
            self.list("env_vars", &[PROCESS_MARK.to_owned()]);
        }
        let seconds = server.timeout_seconds.unwrap_or(60);
        // So that the tools are there when it begins.
        self.line(&format!("required = true\nstartup_timeout_sec = {seconds}\ntool_timeout_sec = {seconds}"));
        if !server.allowed_tools.is_empty() {
            self.list("enabled_tools", &server.allowed_tools);
        }
        if !server.denied_tools.is_empty() {
            self.list("disabled_tools", &server.denied_tools);
        }
    }
}

fn string(text: &str) -> String {
    // The only character that JSON leaves as it is and TOML does not.
    json!(text).to_string().replace('\u{7f}', "\\u007f")
}
