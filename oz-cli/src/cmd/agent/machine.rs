//! What `oz agent run` prints for programs: one JSON object a line, in the published form. What has no published form
//! prints nothing.

use oz_agent::driver::{DriverEvent, DriverResult};
use oz_core::{
    ErrorCode, Open, RunState,
    artifact::Artifact,
    harness::{ActionState, HarnessEvent},
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

/// A line: a JSON object whose fields keep their order.
pub(super) struct Line(Vec<(String, Value)>);

impl Line {
    fn of(kind: &str) -> Self {
        Self(Vec::new()).with("type", kind)
    }
    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The line for something that happened.
pub(super) fn line(event: &DriverEvent, server_url: &str) -> Option<Line> {
    match event {
        DriverEvent::RunStarted { run_id } => Some(
            Line::of("system")
                .with("event_type", "run_started")
                .with("run_id", run_id.to_string())
                .with("run_url", format!("{server_url}/runs/{run_id}")),
        ),
        DriverEvent::Event { event } => harness(event),
        DriverEvent::Listens => None,
    }
}

/// The line that says where others may watch a run that has just begun.
pub(super) fn sharing(event: &DriverEvent, server_url: &str) -> Option<Line> {
    let DriverEvent::RunStarted { run_id } = event else { return None };
    let line = Line::of("system").with("event_type", "shared_session_established");
    Some(line.with("join_url", format!("{server_url}/runs/{run_id}")))
}

/// The last line: how the run ended.
pub(super) fn result(finished: &DriverResult) -> Line {
    let DriverResult { state, status, usage, run_id } = finished;
    Line::of("result")
        .with("state", state.as_str())
        .with("run_id", run_id.map(|id| id.to_string()))
        .with("summary", status.message.as_str())
        .with("error_code", status.error_code.as_ref().map(ErrorCode::as_str))
        .with("usage", json!(usage))
        .with("exit_code", i32::from(*state != RunState::Succeeded))
}

fn harness(event: &HarnessEvent) -> Option<Line> {
    match event {
        HarnessEvent::Text { text } => Some(Line::of("agent").with("text", text.as_str())),
        HarnessEvent::Reasoning { text } => Some(Line::of("agent_reasoning").with("text", text.as_str())),
        HarnessEvent::Action { name, input, .. } => tool("tool_call", name, input),
        HarnessEvent::ActionResult { name, state, output, .. } => match state {
            ActionState::Failed => {
                let error = output.get("error").cloned().unwrap_or_else(|| "failed".into());
                Some(Line::of("tool_error").with("error", error))
            }
            ActionState::Denied => Some(Line::of("tool_canceled")),
            _ => tool("tool_result", name, output),
        },
        HarnessEvent::Artifact { artifact: Open::Known(artifact) } => Some(created(artifact)),
        HarnessEvent::Stage { name, ok: false, duration_ms, detail } => Some(
            Line::of("system")
                .with("event_type", "stage_failed")
                .with("stage", name.as_str())
                .with("detail", detail.clone())
                .with("duration_ms", *duration_ms),
        ),
        _ => None,
    }
}

/// A tool's fields stand beside its name.
fn tool(kind: &str, name: &str, fields: &Map<String, Value>) -> Option<Line> {
    // What these do has lines of its own: `artifact_created` and `result`.
    if matches!(name, "report_artifact" | "finish") {
        return None;
    }
    let fields = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "type" | "tool"));
    Some(fields.fold(Line::of(kind).with("tool", name), |line, (name, value)| line.with(name, value.clone())))
}

fn created(artifact: &Artifact) -> Line {
    let of = |kind: &str| Line::of("artifact_created").with("artifact_type", kind);
    match artifact {
        Artifact::PullRequest { url, branch } => {
            of("pull_request").with("url", url.as_str()).with("branch", branch.as_str())
        }
        Artifact::Plan { document_uid, url, title, .. } => of("plan")
            .with("document_id", document_uid.as_str())
            .with("notebook_link", url.clone())
            .with("title", title.clone()),
        Artifact::Screenshot { artifact_uid, mime_type, description } => of("screenshot")
            .with("artifact_uid", artifact_uid.as_str())
            .with("mime_type", mime_type.as_str())
            .with("description", description.clone()),
        Artifact::File { artifact_uid, filepath, filename, mime_type, description, size_bytes, .. } => {
            of("file")
                .with("artifact_uid", artifact_uid.as_str())
                .with("filepath", filepath.as_str())
                .with("filename", filename.as_str())
                .with("mime_type", mime_type.as_str())
                .with("description", description.clone())
                .with("size_bytes", *size_bytes)
        }
        Artifact::ExternalReference { reference_type, url, title, .. } => of("external_reference")
            .with("reference_type", reference_type.as_str())
            .with("url", url.as_str())
            .with("title", title.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::{run::StatusMessage, usage::Usage};

    fn text(line: &Line) -> String {
        serde_json::to_string(line).unwrap()
    }

    fn shown(events: Value) -> String {
        let events: Vec<HarnessEvent> = serde_json::from_value(events).unwrap();
        let lines = events.into_iter().filter_map(|event| line(&DriverEvent::Event { event }, "http://s"));
        lines.map(|line| text(&line)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_published_lines() {
        let action = |name: &str, input: Value| json!({ "type": "action", "id": "1", "category": "command", "name": name, "input": input });
        let result = |state: &str, output: Value| {
            json!({ "type": "action_result", "action_id": "1", "category": "command",
            "name": "run_command", "state": state, "output": output })
        };
        let artifact = |kind: &str, data: Value| json!({ "type": "artifact", "artifact": { "artifact_type": kind, "data": data } });
        insta::assert_snapshot!(shown(json!([
            { "type": "prompt", "text": "not echoed" },
            { "type": "reasoning", "text": "hm" },
            { "type": "text", "text": "hello" },
            action("run_command", json!({ "command": "ls" })),
            result("completed", json!({ "status": "complete", "exit_code": 0, "output": "a\n" })),
            result("failed", json!({ "error": "killed", "output": "" })),
            result("denied", json!({})),
            artifact("PULL_REQUEST", json!({ "url": "u", "branch": "b" })),
            artifact("PLAN", json!({ "document_uid": "d" })),
            artifact("SCREENSHOT", json!({ "artifact_uid": "a", "mime_type": "image/png" })),
            artifact("FILE", json!({ "artifact_uid": "a", "filepath": "x/y", "filename": "y", "mime_type": "t" })),
            artifact("HOLOGRAM", json!({})),
            action("finish", json!({ "success": true })),
            { "type": "stage", "name": "setup_environment_repo_clone", "ok": true, "duration_ms": 1, "detail": "not told" },
            { "type": "stage", "name": "mcp_server_startup", "ok": false, "duration_ms": 20, "detail": "the MCP server 'a' is left out: it ended" },
            { "type": "usage", "model": "m", "usage": {} },
            { "type": "state", "state": "succeeded", "message": "done" }
        ])), @r#"
        {"type":"agent_reasoning","text":"hm"}
        {"type":"agent","text":"hello"}
        {"type":"tool_call","tool":"run_command","command":"ls"}
        {"type":"tool_result","tool":"run_command","exit_code":0,"output":"a\n","status":"complete"}
        {"type":"tool_error","error":"killed"}
        {"type":"tool_canceled"}
        {"type":"artifact_created","artifact_type":"pull_request","url":"u","branch":"b"}
        {"type":"artifact_created","artifact_type":"plan","document_id":"d","notebook_link":null,"title":null}
        {"type":"artifact_created","artifact_type":"screenshot","artifact_uid":"a","mime_type":"image/png","description":null}
        {"type":"artifact_created","artifact_type":"file","artifact_uid":"a","filepath":"x/y","filename":"y","mime_type":"t","description":null,"size_bytes":null}
        {"type":"system","event_type":"stage_failed","stage":"mcp_server_startup","detail":"the MCP server 'a' is left out: it ended","duration_ms":20}
        "#);
    }

    #[test]
    fn the_first_and_the_last_line() {
        let run_id = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e".parse().unwrap();
        insta::assert_snapshot!(text(&line(&DriverEvent::RunStarted { run_id }, "http://s").unwrap()), @r#"{"type":"system","event_type":"run_started","run_id":"0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e","run_url":"http://s/runs/0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e"}"#);
        let finished = DriverResult {
            state: RunState::Failed,
            status: StatusMessage::error(oz_core::ErrorCode::BudgetExceeded, "too dear"),
            usage: Usage { output_tokens: 2, ..Usage::default() },
            run_id: None,
        };
        insta::assert_snapshot!(text(&result(&finished)), @r#"{"type":"result","state":"FAILED","run_id":null,"summary":"too dear","error_code":"budget_exceeded","usage":{"cache_read_tokens":0,"cache_write_tokens":0,"input_tokens":0,"output_tokens":2},"exit_code":1}"#);
    }
}
