//! The MCP servers of a run, as Claude Code wants them.

use crate::foreign::{home::of_commands, rules::plain};
use oz_core::{
    config::{McpServerConfig, McpTransport},
    harness::HarnessTask,
};
use serde_json::{Map, Value, json};

/// Its `--mcp-config`.
pub(super) fn config(task: &HarnessTask) -> Value {
    let servers = task.mcp_servers.iter().map(|(name, server)| (name.clone(), entry(task, server)));
    json!({"mcpServers": servers.collect::<Map<_, _>>()})
}

fn entry(task: &HarnessTask, server: &McpServerConfig) -> Value {
    if let Some(url) = &server.url {
        let kind = if server.transport == Some(McpTransport::Sse) { "sse" } else { "http" };
        return json!({"type": kind, "url": url, "headers": server.headers});
    }
    // Servers get the environment of the program, which is not theirs: not its home, nor its key.
    let mut env = of_commands(task);
    env.extend(server.env.iter().map(|(name, value)| (name.clone(), value.clone())));
    let command = server.command.clone().unwrap_or_default();
    let Some(directory) = &server.working_directory else {
        return json!({"type": "stdio", "command": command, "args": server.args, "env": env});
    };
    let directory = task.workspace.join(directory).to_string_lossy().into_owned();
    let mut args = vec!["-c".to_owned(), r#"cd "$0" && exec "$@""#.to_owned(), directory, command];
    args.extend(server.args.clone());
    json!({"type": "stdio", "command": "/bin/sh", "args": args, "env": env})
}

/// The tools that are not offered.
pub(super) fn denied(task: &HarnessTask) -> Vec<String> {
    let servers = task.mcp_servers.iter();
    servers
        .flat_map(|(name, server)| {
            server.denied_tools.iter().map(move |tool| format!("{}{}", prefix(name), plain(tool)))
        })
        .collect()
}

/// Hooks that refuse all tools but those that are offered, where a server offers only some.
pub(super) fn hooks(task: &HarnessTask) -> Value {
    let some = task.mcp_servers.iter().filter(|(_, server)| !server.allowed_tools.is_empty());
    some.map(|(name, server)| {
        let tools: Vec<String> = server.allowed_tools.iter().map(|tool| plain(tool)).collect();
        let others = format!("^{}(?!(?:{})$)", prefix(name), tools.join("|"));
        let command = "echo 'this tool is not offered in this run' >&2; exit 2";
        json!({"matcher": others, "hooks": [{"type": "command", "command": command}]})
    })
    .collect()
}

/// How the names of a server's tools begin.
fn prefix(server: &str) -> String {
    format!("mcp__{}__", plain(server))
}
