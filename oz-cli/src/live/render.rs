//! What a run does, as lines for people: pure functions from events to text.

use crate::out::{one_line, plain, run::artifact};
use anstyle::{AnsiColor, Style};
use oz_core::{
    event::EventType,
    harness::{ActionState, HarnessEvent, TaskItem, TaskState},
    request::{Request, RequestKind},
};
use serde_json::{Map, Value};

/// Lines of a command's output that are shown.
const SHOWN: usize = 20;
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();

/// What becomes of long outputs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Long<'a> {
    /// They are shown as they are.
    Whole,
    /// Their end is shown.
    Cut,
    /// Their end is shown; the run with this id has all of them.
    Elsewhere(&'a str),
}

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
pub(crate) fn event(event: &HarnessEvent, long: Long<'_>) -> Option<String> {
    let text = match event {
        HarnessEvent::Text { text } => plain(text.trim_end()),
        HarnessEvent::Reasoning { text } => format!("{DIM}{}{DIM:#}", plain(text.trim_end())),
        HarnessEvent::Action { name, input, .. } => format!("{BOLD}{}{BOLD:#}", action(name, input)?),
        HarnessEvent::ActionResult { state, output, name, .. } => result(name, state, output, long)?,
        HarnessEvent::Artifact { artifact: made } => format!("Created {}", artifact(made)),
        HarnessEvent::Stage { name, ok, duration_ms, detail } => {
            stage(name, *ok, *duration_ms, detail.as_deref().unwrap_or_default())
        }
        HarnessEvent::Output { text, .. } => format!("{DIM}{}{DIM:#}", indent(text.trim_end(), long)),
        HarnessEvent::Request { request } => asked(request),
        HarnessEvent::Answered { answer, .. } => {
            let text = answer.text.as_deref().filter(|text| !text.is_empty());
            let said = text.map_or_else(String::new, |text| format!(": {text}"));
            aside(&one_line(&format!("answered with {}{said}", answer.decision), 200))
        }
        HarnessEvent::Tasks { tasks } => tasks.iter().map(task).collect::<Vec<_>>().join("\n"),
        HarnessEvent::Session { .. } | HarnessEvent::Delta { .. } => {
            return None;
        }
        // Who shows a run has shown its prompt before, and shows its record after.
        HarnessEvent::Prompt { .. } | HarnessEvent::Usage { .. } | HarnessEvent::State { .. } => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn task(task: &TaskItem) -> String {
    let title = one_line(&task.title, 200);
    match task.state {
        TaskState::Completed => format!("  {GREEN}☑{GREEN:#} {DIM}{title}{DIM:#}"),
        TaskState::InProgress => format!("  {BOLD}▸ {title}{BOLD:#}"),
        TaskState::Cancelled => format!("  {DIM}☒ {title}{DIM:#}"),
        _ => format!("  ☐ {title}"),
    }
}

fn asked(request: &Request) -> String {
    let what = if request.kind == RequestKind::Approval { "It asks for leave" } else { "It asks" };
    let mut text = format!("{BOLD}{what}: {}{BOLD:#}", plain(request.title.trim_end()));
    let numbered = request.options.iter().zip(1..);
    let options = numbered.map(|(option, n)| format!("\n  {n}. {}", one_line(option, 200)));
    let reason = request.reason.as_ref().map(|reason| format!("\n{DIM}{}{DIM:#}", plain(reason.trim_end())));
    text.extend(detail(request).map(|detail| format!("\n{detail}")));
    text.extend(options.chain(reason));
    text
}

/// What a human is to judge, beyond the line that names it.
fn detail(request: &Request) -> Option<String> {
    let text = |value: &Value, key: &str| plain(value[key].as_str().unwrap_or_default());
    let whole = Value::Object(request.detail.clone());
    let command = text(&whole, "command");
    if command.trim_end().contains('\n') {
        return Some(indent_all(&command));
    }
    let mut diff = text(&whole, "patch");
    for edit in whole["edits"].as_array().map(Vec::as_slice).unwrap_or_default() {
        diff.push_str(&format!("{}\n", text(edit, "path")));
        for (mark, key) in [('-', "old"), ('+', "new")] {
            text(edit, key).lines().for_each(|line| diff.push_str(&format!("{mark}{line}\n")));
        }
    }
    text(&whole, "content").lines().for_each(|line| diff.push_str(&format!("+{line}\n")));
    (!diff.trim().is_empty()).then(|| colour_diff(&diff))
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
        "list_files" => format!(
            "Listing {}",
            Some(text("path")).filter(|path| !path.is_empty()).unwrap_or_else(|| ".".to_owned())
        ),
        "fetch_url" => format!("Fetching {}", one_line(&text("url"), 200)),
        "web_search" => format!("Searching the web for {}", one_line(&text("query"), 200)),
        "run_subagent" => format!("Asking a helper: {}", one_line(&text("task"), 200)),
        "write_plan" => {
            let page = indent_all(&super::markdown::render(&text("text")));
            return Some(format!("{BOLD}Plan: {}{BOLD:#}\n{page}", one_line(&text("title"), 200)))
                .filter(|_| !text("text").is_empty());
        }
        quiet if SHOWN_OTHERWISE.contains(&quiet) => return None,
        other => one_line(&format!("{other} {}", Value::Object(input.clone())), 100),
    })
}

/// Actions without a line of their own: a list, a question, what the run left behind or its summary shows what they did.
const SHOWN_OTHERWISE: &[&str] = &["update_tasks", "ask_user", "report_artifact", "finish"];

fn result(name: &str, state: &ActionState, output: &Map<String, Value>, long: Long<'_>) -> Option<String> {
    let text = |key: &str| output.get(key).and_then(Value::as_str);
    if let Some(diff) = text("diff") {
        return Some(colour_diff(diff));
    }
    let mut lines = Vec::new();
    if name == "run_command" {
        lines.extend(text("output").map(|text| indent(text, long)));
        let failed = output.get("exit_code").and_then(Value::as_i64).filter(|code| *code != 0);
        lines.extend(failed.map(|code| format!("{DIM}(exited with code {code}){DIM:#}")));
    }
    if *state == ActionState::Failed {
        let mut error = text("error").unwrap_or("failed").to_owned();
        if SHOWN_OTHERWISE.contains(&name) {
            error = format!("{name}: {error}");
        }
        lines.push(format!("{RED}{}{RED:#}", indent(&error, long)));
    }
    lines.retain(|line| !line.is_empty());
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn indent_all(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// The last lines of an output, indented, and where the others are.
fn indent(text: &str, long: Long<'_>) -> String {
    let text = plain(text);
    let lines: Vec<&str> = text.lines().collect();
    let (most, place) = match long {
        Long::Whole => (usize::MAX, String::new()),
        Long::Cut => (SHOWN, String::new()),
        Long::Elsewhere(run_id) => (SHOWN, format!(", in `oz run transcript {run_id}`")),
    };
    let hidden = lines.len().saturating_sub(most);
    let above = (hidden > 0).then(|| format!("  {DIM}… {hidden} lines more{place}{DIM:#}"));
    let shown = lines.iter().skip(hidden).map(|line| format!("  {line}"));
    above.into_iter().chain(shown).collect::<Vec<_>>().join("\n")
}

/// A unified diff in colour.
pub(crate) fn colour_diff(diff: &str) -> String {
    let diff = plain(diff);
    let lines = diff.lines().map(|line| match line.as_bytes().first() {
        Some(b'@') => format!("  {DIM}{line}{DIM:#}"),
        Some(b'+') => format!("  {GREEN}{line}{GREEN:#}"),
        Some(b'-') => format!("  {RED}{line}{RED:#}"),
        _ => format!("  {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
