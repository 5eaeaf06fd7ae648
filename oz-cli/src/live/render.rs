//! What a run does, as lines for people: pure functions from events to text.

use crate::out::{one_line, plain, run::artifact};
use anstyle::{AnsiColor, Style};
use oz_core::{
    event::EventType,
    harness::{ActionState, HarnessEvent},
    request::{Request, RequestKind},
};
use serde_json::{Map, Value};

/// Lines of a command's output that are shown.
const SHOWN: usize = 20;
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();

/// What a lifecycle event means for who waits; nothing for an end, which the run's record tells.
pub(crate) fn state(event: &EventType) -> Option<&'static str> {
    match event {
        EventType::RunQueued => Some("waiting for a worker"),
        EventType::RunClaimed => Some("a worker prepares the workspace"),
        EventType::RunInProgress => Some("the agent works"),
        EventType::RunBlocked => Some("the agent waits for a human"),
        _ => None,
    }
}

/// Something that is not the agent's own word.
pub(crate) fn aside(text: &str) -> String {
    format!("{DIM}[{text}]{DIM:#}")
}

/// What an agent reports, if it is worth a line.
pub(crate) fn event(event: &HarnessEvent) -> Option<String> {
    let text = match event {
        HarnessEvent::Text { text } => plain(text.trim_end()),
        HarnessEvent::Reasoning { text } => format!("{DIM}{}{DIM:#}", plain(text.trim_end())),
        HarnessEvent::Action { name, input, .. } => format!("{BOLD}{}{BOLD:#}", action(name, input)?),
        HarnessEvent::ActionResult { state, output, name, .. } => result(name, state, output)?,
        HarnessEvent::Artifact { artifact: made } => format!("Created {}", artifact(made)),
        HarnessEvent::Stage { name, ok, duration_ms, detail } => {
            stage(name, *ok, *duration_ms, detail.as_deref().unwrap_or_default())
        }
        HarnessEvent::Output { text, .. } => format!("{DIM}{}{DIM:#}", indent(text.trim_end())),
        HarnessEvent::Request { request } => asked(request),
        HarnessEvent::Answered { answer, .. } => {
            let text = answer.text.as_deref().filter(|text| !text.is_empty());
            let said = text.map_or_else(String::new, |text| format!(": {text}"));
            aside(&one_line(&format!("answered with {}{said}", answer.decision), 200))
        }
        HarnessEvent::Tasks { .. } | HarnessEvent::Session { .. } | HarnessEvent::Delta { .. } => {
            return None;
        }
        // Who shows a run has shown its prompt before, and shows its record after.
        HarnessEvent::Prompt { .. } | HarnessEvent::Usage { .. } | HarnessEvent::State { .. } => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn asked(request: &Request) -> String {
    let what = if request.kind == RequestKind::Approval { "It asks for leave" } else { "It asks" };
    let mut text = format!("{BOLD}{what}: {}{BOLD:#}", plain(request.title.trim_end()));
    let options = request.options.iter().map(|option| format!("\n  - {}", one_line(option, 200)));
    let reason = request.reason.as_ref().map(|reason| format!("\n{DIM}{}{DIM:#}", plain(reason.trim_end())));
    text.extend(options.chain(reason));
    text
}

fn stage(name: &str, ok: bool, ms: u64, detail: &str) -> String {
    let name = match name {
        // They say all by themselves, and took no time.
        "record_run" | "model_fallback" => return aside(&one_line(detail, 200)),
        "setup_environment_repo_clone" => "repositories",
        "setup_environment_setup_commands" => "setup commands",
        other => other,
    };
    let (name, detail) = (one_line(name, 60), one_line(detail, 200));
    let style = if ok { DIM } else { RED };
    let failed = if ok { "" } else { " failed" };
    format!("{style}[{name}{failed} after {}: {detail}]{style:#}", duration(ms))
}

fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

fn action(name: &str, input: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| plain(input.get(key).and_then(Value::as_str).unwrap_or_default());
    let list = |key: &str| -> String {
        let list = input.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let names = list.iter().map(|v| v.as_str().or_else(|| v["path"].as_str()).unwrap_or_default());
        one_line(&names.collect::<Vec<_>>().join(", "), 200)
    };
    Some(match name {
        "run_command" => format!("Running `{}`", text("command").trim_end()),
        "read_files" => format!("Reading {}", list("files")),
        "edit_files" => format!("Editing {}", list("file_paths")),
        "write_file" => format!("Writing {}", text("path")),
        "grep" => format!("Grepping for {}", list("queries")),
        "file_glob" => format!("Finding {}", list("patterns")),
        // What these did is shown as what the run left behind and as its summary.
        "report_artifact" | "finish" => return None,
        other => one_line(&format!("{other} {}", Value::Object(input.clone())), 100),
    })
}

fn result(name: &str, state: &ActionState, output: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| output.get(key).and_then(Value::as_str);
    if let Some(diff) = text("diff") {
        return Some(colour_diff(diff));
    }
    let mut lines = Vec::new();
    if name == "run_command" {
        lines.extend(text("output").map(indent));
        let failed = output.get("exit_code").and_then(Value::as_i64).filter(|code| *code != 0);
        lines.extend(failed.map(|code| format!("{DIM}(exited with code {code}){DIM:#}")));
    }
    if *state == ActionState::Failed {
        lines.push(format!("{RED}{}{RED:#}", indent(text("error").unwrap_or("failed"))));
    }
    lines.retain(|line| !line.is_empty());
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The last lines of an output, indented.
fn indent(text: &str) -> String {
    let text = plain(text);
    let lines: Vec<&str> = text.lines().collect();
    let hidden = lines.len().saturating_sub(SHOWN);
    let above = (hidden > 0).then(|| format!("  {DIM}… {hidden} lines more{DIM:#}"));
    let shown = lines.iter().skip(hidden).map(|line| format!("  {line}"));
    above.into_iter().chain(shown).collect::<Vec<_>>().join("\n")
}

/// A unified diff in colour.
pub(crate) fn colour_diff(diff: &str) -> String {
    let diff = plain(diff);
    let lines = diff.lines().map(|line| match line.as_bytes().first() {
        Some(b'+') => format!("  {GREEN}{line}{GREEN:#}"),
        Some(b'-') => format!("  {RED}{line}{RED:#}"),
        _ => format!("  {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
