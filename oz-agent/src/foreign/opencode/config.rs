//! What opencode is told in its configuration.

use super::super::limits;
use oz_core::{Error, config::McpServerConfig, harness::HarnessTask};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Files of rules that it reads by itself.
const RULES: [&str; 2] = ["AGENTS.md", "CLAUDE.md"];

/// Where the services of its providers are, by the variables that others use: provider, variable, and what the provider
/// has at the end of an address that the variable does not.
const ADDRESSES: [(&str, &str, &str); 3] = [
    ("anthropic", "ANTHROPIC_BASE_URL", "/v1"),
    ("openai", "OPENAI_BASE_URL", ""),
    ("google", "GOOGLE_GEMINI_BASE_URL", "/v1beta"),
];

/// The configuration for `task`.
pub(super) fn of(task: &HarnessTask, base_prompt: &Path) -> Result<Value, Error> {
    let forbidden = limits::forbidden("opencode", &task.permissions)?;
    let level = |forbidden: bool| if forbidden { "deny" } else { "allow" };
    let mut instructions: Vec<&Path> = Vec::new();
    if task.base_prompt.is_some() {
        instructions.push(base_prompt);
    }
    let by_itself = |path: &Path| path.file_name().is_some_and(|name| RULES.iter().any(|rule| name == *rule));
    instructions.extend(task.rules.iter().map(|rule| rule.path.as_path()).filter(|path| !by_itself(path)));
    let mut config = json!({
        "$schema": "https://opencode.ai/config.json",
        "autoupdate": false,
        "share": "disabled",
        "permission": { "*": "allow", "bash": level(forbidden.commands), "edit": level(forbidden.changes), "question": "deny" },
        "instructions": instructions,
        "provider": providers(task),
        "mcp": {},
        "tools": {},
    });
    if !forbidden.mcp {
        for (name, server) in &task.mcp_servers {
            config["mcp"][name] = mcp(server);
            if !server.allowed_tools.is_empty() {
                config["tools"][format!("{name}_*")] = false.into();
            }
            for (tools, offered) in [(&server.allowed_tools, true), (&server.denied_tools, false)] {
                for tool in tools {
                    config["tools"][format!("{name}_{tool}")] = offered.into();
                }
            }
        }
    }
    Ok(config)
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

/// Where the providers are, and the chosen model, which need not be one that opencode knows.
fn providers(task: &HarnessTask) -> Value {
    let mut providers = json!({});
    for (provider, variable, end) in ADDRESSES {
        let given = task.auth.get(variable).or_else(|| task.env.get(variable));
        if let Some(url) = given.filter(|url| !url.is_empty()) {
            let url = url.trim_end_matches('/');
            let url = format!("{}{end}", url.strip_suffix(end).unwrap_or(url));
            providers[provider]["options"] = json!({ "baseURL": url });
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

/// It installs its plugins' library beside its configuration unless that is there; runs have no plugins.
pub(super) fn nothing_to_install() -> [(PathBuf, Vec<u8>); 3] {
    let lock = json!({ "packages": { "": { "dependencies": { "@opencode-ai/plugin": "*" } } } }).to_string();
    [("package.json", "{}"), ("package-lock.json", &lock), ("node_modules/.package-lock.json", "{}")]
        .map(|(file, text)| (Path::new(".config/opencode").join(file), text.as_bytes().to_vec()))
}
