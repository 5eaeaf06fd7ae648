//! What opencode is told in its configuration.

use crate::foreign::rules::{may, may_browse, plain};
use oz_core::{config::McpServerConfig, harness::HarnessTask};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Files of rules that it reads by itself.
pub(super) const RULES: [&str; 2] = ["AGENTS.md", "CLAUDE.md"];

/// How its providers are reached: provider, variable of the key, variable of the address, and what the provider has at
/// the end of an address that the variable does not.
const PROVIDERS: [(&str, &str, &str, &str); 4] = [
    ("anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "/v1"),
    ("openai", "OPENAI_API_KEY", "OPENAI_BASE_URL", ""),
    ("google", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "/v1beta"),
    ("openrouter", "OPENROUTER_API_KEY", "", ""),
];

/// The configuration for `task`.
pub(super) fn of(task: &HarnessTask, instructions: &Path) -> Value {
    let permissions = &task.permissions;
    let level = |may: bool| if may { "allow" } else { "deny" };
    let mut config = json!({
        "$schema": "https://opencode.ai/config.json",
        "autoupdate": false,
        "share": "disabled",
        "permission": {
            "*": "allow",
            "bash": level(may(permissions, permissions.execute_commands.as_ref())),
            "edit": level(may(permissions, permissions.apply_code_diffs.as_ref())),
            "read": level(may(permissions, permissions.read_files.as_ref())),
            "webfetch": level(may_browse(permissions)),
            "websearch": level(may_browse(permissions)),
            "question": "deny",
        },
        "instructions": [instructions],
        "provider": providers(task),
        "mcp": {},
    });
    if may(permissions, permissions.call_mcp_servers.as_ref()) {
        for (name, server) in &task.mcp_servers {
            config["mcp"][name] = mcp(server);
            // The last rule that fits a tool counts; in JSON of ours names come after the patterns that they fit.
            let mut rule = |tool: &str, may: bool| {
                config["permission"][format!("{}_{tool}", plain(name))] = level(may).into();
            };
            rule("*", server.allowed_tools.is_empty());
            for (tools, may) in [(&server.allowed_tools, true), (&server.denied_tools, false)] {
                for tool in tools {
                    rule(&plain(tool), may);
                }
            }
        }
    }
    config
}

/// A model with its provider, which opencode wants to know; a name that does not tell is taken for one of Anthropic,
/// OpenAI or Google by how it begins.
pub(super) fn qualified(model: &str) -> String {
    let provider = match model {
        _ if model.contains('/') => return model.to_owned(),
        _ if model.starts_with("gemini") => "google",
        _ if ["gpt", "o1", "o3", "o4", "codex"].iter().any(|begin| model.starts_with(begin)) => "openai",
        _ => "anthropic",
    };
    format!("{provider}/{model}")
}

/// The providers with their keys, which stand here because its commands get its whole environment, and the chosen model, which need not be one that opencode knows.
fn providers(task: &HarnessTask) -> Value {
    let mut providers = json!({});
    for (provider, key, address, end) in PROVIDERS {
        let given = |name: &str| task.auth.get(name).filter(|value| !value.is_empty());
        if let Some(key) = given(key) {
            providers[provider]["options"]["apiKey"] = key.clone().into();
        }
        if let Some(url) = given(address) {
            let url = url.trim_end_matches('/');
            let url = format!("{}{end}", url.strip_suffix(end).unwrap_or(url));
            providers[provider]["options"]["baseURL"] = url.into();
        }
    }
    let model = task.model_id.as_deref().map(qualified);
    if let Some((provider, model)) = model.as_deref().and_then(|model| model.split_once('/')) {
        providers[provider]["models"] = Value::Object(Map::from_iter([(model.to_owned(), json!({}))]));
    }
    providers
}

/// An MCP server in its words.
fn mcp(server: &McpServerConfig) -> Value {
    let mut said = match (&server.command, &server.url) {
        (Some(command), _) => {
            let words: Vec<&String> = [command].into_iter().chain(&server.args).collect();
            json!({ "type": "local", "command": words, "environment": server.env })
        }
        (None, url) => json!({ "type": "remote", "url": url, "headers": server.headers, "oauth": false }),
    };
    if let Some(cwd) = &server.working_directory {
        said["cwd"] = cwd.clone().into();
    }
    said["enabled"] = true.into();
    said["timeout"] = (server.timeout_seconds.unwrap_or(60) * 1000).into();
    said
}

/// The variables of keys, empty.
pub(super) fn without_keys(task: &HarnessTask) -> impl Iterator<Item = (String, String)> {
    let keys = PROVIDERS.iter().map(|provider| provider.1).filter(|key| task.auth.contains_key(*key));
    keys.map(|key| (key.to_owned(), String::new()))
}

/// It installs its plugins' library beside its configuration unless that is there; runs have no plugins.
pub(super) fn nothing_to_install() -> [(PathBuf, Vec<u8>); 3] {
    let lock = json!({ "packages": { "": { "dependencies": { "@opencode-ai/plugin": "*" } } } }).to_string();
    [("package.json", "{}"), ("package-lock.json", &lock), ("node_modules/.package-lock.json", "{}")]
        .map(|(file, text)| (Path::new(".config/opencode").join(file), text.as_bytes().to_vec()))
}
