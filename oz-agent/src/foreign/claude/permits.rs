//! Claude Code asks before each call of a tool, by a hook that it calls over its input and output, as the published SDKs
//! of Claude Code do.

use crate::{
    foreign::{
        permits::{Permit, Wish},
        rules::plain,
        shown,
    },
    tool::{Workspace, real},
};
use oz_core::{
    harness::HarnessTask,
    permission::{Ask, Permissions},
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The name of the hook.
const HOOK: &str = "permission";
/// How long it waits for an answer, in seconds: as long as a human may need.
const PATIENCE: u32 = 7 * 24 * 3600;

/// Whether there is anything to ask about.
pub(super) fn wanted(permissions: &Permissions) -> bool {
    *permissions != Permissions::default() && !permissions.run_until_completion
}

/// The line that makes it ask.
pub(super) fn beginning() -> String {
    let hook = json!({"matcher": null, "hookCallbackIds": [HOOK], "timeout": PATIENCE});
    let request = json!({"subtype": "initialize", "hooks": {"PreToolUse": [hook]}});
    format!("{}\n", json!({"type": "control_request", "request_id": "initialize", "request": request}))
}

/// The line that answers.
pub(super) fn word(permit: &Permit) -> String {
    let said = match &permit.denied {
        None => json!({"continue": true}),
        Some(why) => json!({"hookSpecificOutput": {
            "hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": why,
        }}),
    };
    let response = json!({"subtype": "success", "request_id": permit.id, "response": said});
    format!("{}\n", json!({"type": "control_response", "response": response}))
}

/// What is needed to understand what it asks.
#[derive(Default)]
pub(super) struct Desk {
    workspace: PathBuf,
    /// The servers, by the names that it gives them.
    servers: Vec<(String, String)>,
}

impl Desk {
    pub(super) fn of(task: &HarnessTask) -> Self {
        let servers = task.mcp_servers.keys().map(|name| (format!("mcp__{}__", plain(name)), name.clone()));
        Self { workspace: task.workspace.clone(), servers: servers.collect() }
    }

    /// The question that a `control_request` is, if it is one.
    pub(super) fn wish(&self, message: &Value) -> Option<Wish> {
        let request = &message["request"];
        if request["subtype"] != "hook_callback" || request["callback_id"] != HOOK {
            return None;
        }
        let (tool, input) = (request["input"]["tool_name"].as_str()?, &request["input"]["tool_input"]);
        Some(Wish {
            id: message["request_id"].as_str()?.to_owned(),
            asks: self.asks(tool, input),
            input: shown::input(input),
        })
    }

    /// What a call of a tool would do. Tools that are not known here change nothing outside of the conversation.
    fn asks(&self, tool: &str, input: &Value) -> Vec<Ask> {
        let text = |name: &str| input[name].as_str().map(str::to_owned);
        let paths = || {
            let named = ["file_path", "notebook_path", "path"].iter().find_map(|name| text(name));
            let path = named.unwrap_or_else(|| ".".to_owned());
            let root = Workspace::new(&self.workspace);
            vec![root.map_or_else(|_| self.workspace.join(&path), |root| real(&root, &path))]
        };
        match tool {
            "Bash" | "Monitor" => {
                vec![Ask::Execute { command: text("command").unwrap_or_default(), risky: false }]
            }
            "Read" | "NotebookRead" | "Glob" | "Grep" | "LS" => vec![Ask::Read { paths: paths() }],
            "Edit" | "MultiEdit" | "Write" | "NotebookEdit" => vec![Ask::Change { paths: paths() }],
            "WebFetch" | "WebSearch" => vec![Ask::Web],
            "ExitPlanMode" => vec![Ask::Plan],
            _ => {
                let of = self.servers.iter().find_map(|(prefix, server)| {
                    tool.strip_prefix(prefix.as_str()).map(|tool| (server.clone(), tool.to_owned()))
                });
                of.map(|(server, tool)| Ask::Mcp { server, tool, read_only: false }).into_iter().collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::config::McpServerConfig;

    #[test]
    fn calls_are_understood_as_what_they_do() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let servers = [("my server".to_owned(), McpServerConfig::default())].into();
        let desk = Desk::of(&HarnessTask {
            workspace: root.clone(),
            mcp_servers: servers,
            ..HarnessTask::default()
        });
        let wish = |tool: &str, input: Value| {
            let input = json!({"hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": input});
            let request = json!({"subtype": "hook_callback", "callback_id": HOOK, "input": input});
            desk.wish(&json!({"type": "control_request", "request_id": "r1", "request": request})).unwrap()
        };
        let execute = |command: &str| Ask::Execute { command: command.to_owned(), risky: false };
        assert_eq!(wish("Bash", json!({"command": "rm x"})).asks, [execute("rm x")]);
        assert_eq!(wish("Bash", json!({})).asks, [execute("")]);
        let change = |path: PathBuf| Ask::Change { paths: vec![path] };
        assert_eq!(wish("Write", json!({"file_path": "a/../b"})).asks, [change(root.join("b"))]);
        assert_eq!(wish("NotebookEdit", json!({"notebook_path": "/etc/x"})).asks, [change("/etc/x".into())]);
        assert_eq!(wish("Grep", json!({"pattern": "x"})).asks, [Ask::Read { paths: vec![root.clone()] }]);
        assert_eq!(wish("WebFetch", json!({})).asks, [Ask::Web]);
        let (server, tool) = ("my server".to_owned(), "close".to_owned());
        let asks = wish("mcp__my_server__close", json!({})).asks;
        assert_eq!(asks, [Ask::Mcp { server, tool, read_only: false }]);
        assert_eq!(wish("TodoWrite", json!({})).asks, []);
        assert_eq!(desk.wish(&json!({"request": {"subtype": "interrupt"}})), None);
    }

    #[test]
    fn only_runs_with_bounds_are_asked_about() {
        assert!(!wanted(&Permissions::default()));
        assert!(!wanted(&Permissions { run_until_completion: true, ..Permissions::default() }));
        let command_denylist = vec!["rm .*".to_owned()];
        assert!(wanted(&Permissions { command_denylist, ..Permissions::default() }));
    }
}
