//! The arguments of `oz` for an assignment, in the protocol's order. The prompt is never among them: the agent fetches
//! it by its task id.

use crate::Config;
use oz_core::{
    config::{AgentConfig, HarnessType, PublicAccess},
    worker::Assignment,
};

/// The arguments after the program's name.
pub(crate) fn arguments(assignment: &Assignment, server_root: &str, settings: &Config) -> Vec<String> {
    let task = &assignment.task;
    let mut list = List(vec!["agent".to_owned(), "run".to_owned()]);
    if task.owner.as_ref().is_some_and(|owner| owner.kind == "TEAM") {
        list.pair("--share", "team:edit");
    }
    list.pair("--task-id", &task.id.to_string());
    list.flag("--sandboxed");
    list.pair("--server-root-url", server_root);
    if let Some(config) = &task.agent_config_snapshot {
        list.config(config);
    }
    list.0.extend_from_slice(&assignment.additional_oz_args);
    let minutes = task.agent_config_snapshot.as_ref().and_then(|c| c.idle_timeout_minutes).filter(|m| *m > 0);
    let idle = minutes
        .map(|m| format!("{m}m"))
        .or_else(|| settings.idle_on_complete.as_ref().map(|v| v.trim().to_owned()));
    list.flag("--idle-on-complete");
    list.0.extend(idle);
    list.optional("--session-sharing-server-url", settings.session_sharing_url.as_deref());
    list.0
}

struct List(Vec<String>);

impl List {
    fn flag(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    fn pair(&mut self, name: &str, value: &str) {
        self.flag(name);
        self.0.push(value.trim().to_owned());
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            self.pair(name, value);
        }
    }

    fn config(&mut self, config: &AgentConfig) {
        let kind = config.harness.as_ref().map_or("", |harness| harness.kind.as_str()).trim();
        let native = kind.is_empty() || HarnessType::from(kind) == HarnessType::Oz;
        self.optional("--model", config.model_id.as_deref().filter(|_| native));
        self.optional("--profile", config.profile_id.as_deref());
        self.optional("--skill", config.skill_spec.as_deref());
        if !config.mcp_servers.is_empty() {
            // A map of strings and lists can always be written as JSON.
            self.optional("--mcp", serde_json::to_string(&config.mcp_servers).ok().as_deref());
        }
        let computer = config.computer_use_enabled.unwrap_or(native);
        self.flag(if computer { "--computer-use" } else { "--no-computer-use" });
        let aws = config.inference_providers.as_ref().and_then(|providers| providers.aws.as_ref());
        let aws = aws.filter(|aws| aws.disabled != Some(true));
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        if let Some(role) = aws.and_then(|aws| filled(&aws.role_arn)) {
            self.pair("--bedrock-inference-role", &role);
            self.optional("--bedrock-role-region", aws.and_then(|aws| filled(&aws.region)).as_deref());
        }
        self.optional("--harness", Some(kind));
        match config.session_sharing.as_ref().and_then(|sharing| sharing.public_access.as_ref()) {
            Some(PublicAccess::Viewer) => self.pair("--share", "public:view"),
            Some(PublicAccess::Editor) => self.pair("--share", "public:edit"),
            Some(PublicAccess::Unknown(_)) | None => {}
        }
        if config.snapshot_disabled == Some(true) {
            self.flag("--no-snapshot");
        }
        for (name, seconds) in [
            ("--snapshot-upload-timeout", config.snapshot_upload_timeout_secs),
            ("--snapshot-script-timeout", config.snapshot_script_timeout_secs),
        ] {
            if let Some(seconds) = seconds.filter(|seconds| *seconds > 0) {
                self.pair(name, &format!("{seconds}s"));
            }
        }
        self.optional("--environment", config.environment_id.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const TASK: &str = "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11";

    fn assignment(task: &Value, extra: &[&str]) -> Assignment {
        let mut whole = json!({ "id": TASK, "title": "t", "task_definition": { "prompt": "p" },
            "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z" });
        for (key, value) in task.as_object().unwrap() {
            whole[key] = value.clone();
        }
        serde_json::from_value(json!({ "task_id": TASK, "task": whole, "additional_oz_args": extra }))
            .unwrap()
    }

    fn settings(idle: Option<&str>) -> Config {
        Config { idle_on_complete: idle.map(str::to_owned), ..crate::config::tests::example() }
    }

    fn line(task: &Value, extra: &[&str], idle: Option<&str>) -> String {
        let joined = arguments(&assignment(task, extra), "http://s", &settings(idle)).join(" ");
        joined.replace(&format!("--task-id {TASK} --sandboxed --server-root-url http://s"), "BASE")
    }

    #[test]
    fn the_table() {
        let config = |value: Value| json!({ "agent_config_snapshot": value });
        let rows: &[(Value, &[&str], Option<&str>, &str)] = &[
            (json!({}), &[], None, "agent run BASE --idle-on-complete"),
            (json!({}), &[], Some(" 10m "), "agent run BASE --idle-on-complete 10m"),
            (
                json!({}),
                &["--skip-initial-turn"],
                None,
                "agent run BASE --skip-initial-turn --idle-on-complete",
            ),
            (
                json!({ "owner": { "Type": "TEAM", "Id": 1 } }),
                &[],
                None,
                "agent run --share team:edit BASE --idle-on-complete",
            ),
            (json!({ "owner": { "Type": "USER", "Id": 1 } }), &[], None, "agent run BASE --idle-on-complete"),
            (config(json!({})), &[], None, "agent run BASE --computer-use --idle-on-complete"),
            (
                config(json!({ "model_id": " m ", "skill_spec": "o/r:s", "environment_id": "e",
                    "mcp_servers": { "x": { "url": "http://m" } }, "computer_use_enabled": false,
                    "harness": { "type": "oz" }, "snapshot_disabled": true, "idle_timeout_minutes": 5 })),
                &["--extra", "a b"],
                Some("10m"),
                "agent run BASE --model m --skill o/r:s --mcp {\"x\":{\"url\":\"http://m\"}} --no-computer-use \
                 --harness oz --no-snapshot --environment e --extra a b --idle-on-complete 5m",
            ),
            (
                config(
                    json!({ "model_id": "m", "harness": { "type": "claude", "model_id": "c" }, "skill_spec": " " }),
                ),
                &[],
                None,
                "agent run BASE --no-computer-use --harness claude --idle-on-complete",
            ),
            (
                config(json!({ "computer_use_enabled": true, "harness": { "type": "brand-new" } })),
                &[],
                None,
                "agent run BASE --computer-use --harness brand-new --idle-on-complete",
            ),
            (
                config(json!({ "profile_id": " p ", "skill_spec": "s", "harness": { "type": "oz" },
                    "inference_providers": { "aws": { "role_arn": "arn:x", "region": "eu-1" } },
                    "session_sharing": { "public_access": "EDITOR" }, "snapshot_disabled": true,
                    "snapshot_upload_timeout_secs": 5, "snapshot_script_timeout_secs": 6, "environment_id": "e" })),
                &[],
                None,
                "agent run BASE --profile p --skill s --computer-use --bedrock-inference-role arn:x \
                 --bedrock-role-region eu-1 --harness oz --share public:edit --no-snapshot \
                 --snapshot-upload-timeout 5s --snapshot-script-timeout 6s --environment e --idle-on-complete",
            ),
            (
                config(json!({ "inference_providers": { "aws": { "role_arn": "arn:x" } },
                    "session_sharing": { "public_access": "VIEWER" }, "snapshot_upload_timeout_secs": 0 })),
                &[],
                None,
                "agent run BASE --computer-use --bedrock-inference-role arn:x --share public:view --idle-on-complete",
            ),
            (
                config(json!({ "inference_providers": { "aws": { "role_arn": "arn:x", "disabled": true } },
                    "session_sharing": { "public_access": "OWNER" }, "profile_id": " " })),
                &[],
                None,
                "agent run BASE --computer-use --idle-on-complete",
            ),
            (
                config(json!({ "model_id": "m", "harness": { "type": "" }, "idle_timeout_minutes": 0 })),
                &[],
                Some("0s"),
                "agent run BASE --model m --computer-use --idle-on-complete 0s",
            ),
        ];
        for (task, extra, idle, expected) in rows {
            assert_eq!(line(task, extra, *idle), *expected);
        }
    }
}
