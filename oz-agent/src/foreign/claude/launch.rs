//! How Claude Code is started.

use super::{conversation, mcp, permits, user};
use crate::foreign::{
    Launch,
    home::shell_environment,
    rules::{instructions, may_browse},
};
use oz_core::{
    Error,
    harness::HarnessTask,
    permission::{PermissionLevel, Permissions},
};
use serde_json::json;
use std::{collections::BTreeMap, path::PathBuf};

/// What it always gets: no calls but to the model, no questions, and leave to be used by root, since a run is a sandbox.
const ENV: &[(&str, &str)] = &[
    ("IS_SANDBOX", "1"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("CLAUDE_CODE_DISABLE_AUTO_MEMORY", "1"),
    // Its servers are there when it begins.
    ("MCP_CONNECTION_NONBLOCKING", "0"),
    ("DISABLE_AUTOUPDATER", "1"),
    ("DISABLE_TELEMETRY", "1"),
    ("DISABLE_ERROR_REPORTING", "1"),
    ("DISABLE_FEEDBACK_COMMAND", "1"),
    ("DISABLE_INSTALLATION_CHECKS", "1"),
];
const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];
const SETTINGS: &str = "settings.json";
const SHELL: &str = "shell-environment";
const PROMPT: &str = "instructions.md";
const SERVERS: &str = "mcp.json";

pub(super) fn launch(task: &HarnessTask) -> Result<Launch, Error> {
    let at = |name: &str| task.home.join(name).to_string_lossy().into_owned();
    let mut words: Vec<String> =
        ["claude", "-p", "--verbose", "--include-partial-messages"].map(str::to_owned).into();
    let mut env: BTreeMap<String, String> =
        ENV.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut files = BTreeMap::new();
    let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    option("--output-format", "stream-json");
    option("--input-format", "stream-json");
    option("--permission-mode", "bypassPermissions");
    option("--settings", &at(SETTINGS));
    option("--mcp-config", &at(SERVERS));
    if let Some(model) = task.model_id.as_deref().filter(|model| !model.is_empty() && *model != "default") {
        option("--model", model);
    }
    if !task.fallback_model_ids.is_empty() {
        option("--fallback-model", &task.fallback_model_ids.join(","));
    }
    match task.reasoning_level.as_deref() {
        None | Some("" | "default") => {}
        Some("none" | "off") => drop(env.insert("MAX_THINKING_TOKENS".to_owned(), "0".to_owned())),
        Some(level) if EFFORTS.contains(&level) => option("--effort", level),
        Some(level) => {
            let expected = format!("none, {}", EFFORTS.join(", "));
            return Err(Error::invalid_field("config.harness.reasoning_level", level, &expected));
        }
    }
    if let Some(turns) = task.limits.max_turns {
        option("--max-turns", &turns.to_string());
    }
    if let Some(cost) = task.limits.max_cost_usd {
        option("--max-budget-usd", &cost.to_string());
    }
    if let Some(text) = instructions(task, &["CLAUDE.md", "CLAUDE.local.md"]) {
        option("--append-system-prompt-file", &at(PROMPT));
        files.insert(PathBuf::from(PROMPT), text.into_bytes());
    }
    if let Some(saved) = &task.saved {
        option("--resume", &saved.session_id);
        files.insert(conversation(&task.workspace, &saved.session_id), saved.content.clone());
    }
    let mut off = switched_off(&task.permissions);
    off.extend(mcp::denied(task));
    if !off.is_empty() {
        option("--disallowedTools", &off.join(","));
    }
    words.push("--strict-mcp-config".to_owned());
    env.insert("CLAUDE_ENV_FILE".to_owned(), at(SHELL));
    // One for all: it has none for each server.
    let seconds = task.mcp_servers.values().map(|server| server.timeout_seconds.unwrap_or(60)).max();
    let milliseconds = (seconds.unwrap_or(60) * 1000).to_string();
    for name in ["MCP_TIMEOUT", "MCP_CONNECT_TIMEOUT_MS", "MCP_TOOL_TIMEOUT"] {
        env.insert(name.to_owned(), milliseconds.clone());
    }
    files.insert(SETTINGS.into(), settings(task).to_string().into_bytes());
    files.insert(SHELL.into(), shell_environment(task).into_bytes());
    files.insert(SERVERS.into(), mcp::config(task).to_string().into_bytes());
    Ok(Launch {
        words,
        env,
        files,
        skills: Some(".claude/skills".into()),
        stdin: Some(match permits::wanted(&task.permissions) {
            true => permits::beginning() + &user(&task.prompt),
            false => user(&task.prompt),
        }),
        listens: true,
    })
}

/// Settings that are stronger than those of a repository, which must not turn the key to another address.
fn settings(task: &HarnessTask) -> serde_json::Value {
    let set = task.auth.get(oz_core::env::ANTHROPIC_BASE_URL).filter(|address| !address.is_empty());
    let address = set.map_or("https://api.anthropic.com", String::as_str);
    json!({"env": { "ANTHROPIC_BASE_URL": address }, "hooks": {"PreToolUse": mcp::hooks(task)}})
}

/// The tools that the permissions leave out.
fn switched_off(permissions: &Permissions) -> Vec<String> {
    // What has to be asked is asked when it is called.
    let may = |level: Option<&PermissionLevel>| level != Some(&PermissionLevel::Never);
    let table: [(bool, &[&str]); 5] = [
        (may(permissions.execute_commands.as_ref()), &["Bash", "BashOutput", "KillShell", "Monitor"]),
        (may(permissions.apply_code_diffs.as_ref()), &["Edit", "MultiEdit", "Write", "NotebookEdit"]),
        (may(permissions.read_files.as_ref()), &["Read", "Glob", "Grep", "LS", "NotebookRead"]),
        (may(permissions.call_mcp_servers.as_ref()), &["mcp__*"]),
        (may_browse(permissions), &["WebFetch", "WebSearch"]),
    ];
    let off = table.iter().filter(|(may, _)| !may).flat_map(|(_, tools)| tools.iter());
    // Nobody is there to answer, nor after the end of the run.
    off.chain(&["AskUserQuestion", "CronCreate", "CronDelete", "CronList", "ScheduleWakeup"])
        .map(|tool| (*tool).to_owned())
        .collect()
}
