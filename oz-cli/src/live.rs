//! The live view of a run: plain lines as things happen, and on a terminal a progress line below them.

use crate::out;
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use oz_core::{
    event::EventType,
    harness::{ActionState, AgentState, HarnessEvent},
    transcript::LogItem,
};
use serde_json::{Map, Value};
use std::{io::IsTerminal as _, time::Duration};

/// Lines of a command's output that are shown.
const SHOWN: usize = 20;
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();

/// Shows a run as it happens.
pub(crate) struct Live {
    bar: Option<ProgressBar>,
}

impl Live {
    pub(crate) fn new() -> Self {
        // The line would only be noise in a file or a pipe.
        let bar = (std::io::stderr().is_terminal() && std::io::stdout().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
                bar.set_style(style);
            }
            bar.set_message("waiting for a worker");
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar }
    }

    /// Shows an item of a run's log.
    pub(crate) fn item(&self, item: &LogItem) {
        match item {
            LogItem::Event { event, .. } => self.event(&event.event_type),
            LogItem::Entry { entry } => {
                if let Some(event) = entry.event.known() {
                    self.harness(event);
                }
            }
        }
    }

    fn event(&self, event: &EventType) {
        let text = match event {
            EventType::RunQueued => "waiting for a worker",
            EventType::RunClaimed => "a worker prepares the workspace",
            EventType::RunInProgress => "the agent works",
            EventType::RunBlocked => "the agent waits for a human",
            _ => return,
        };
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None => self.print(format!("{DIM}[{text}]{DIM:#}")),
        }
    }

    /// Shows what an agent reports.
    pub(crate) fn harness(&self, event: &HarnessEvent) {
        match event {
            HarnessEvent::Text { text } => self.print(text.trim_end()),
            HarnessEvent::Reasoning { text } => self.print(format!("{DIM}{}{DIM:#}", text.trim_end())),
            HarnessEvent::Action { name, input, .. } => {
                self.print(format!("{BOLD}{}{BOLD:#}", action(name, input)))
            }
            HarnessEvent::ActionResult { state, output, name, .. } => self.result(name, state, output),
            HarnessEvent::Artifact { artifact } => self.print(format!("Created {}", out::artifact(artifact))),
            HarnessEvent::Stage { name, ok, duration_ms, detail } => {
                let style = if *ok { DIM } else { RED };
                let detail = detail.as_deref().map(|d| format!(": {}", d.trim_end())).unwrap_or_default();
                self.print(format!("{style}[{name} {duration_ms} ms{detail}]{style:#}"));
            }
            HarnessEvent::State { state, message: Some(message), .. } if *state != AgentState::Started => {
                self.print(message.trim_end());
            }
            HarnessEvent::Prompt { .. } | HarnessEvent::Usage { .. } | HarnessEvent::State { .. } => {}
        }
    }

    fn result(&self, name: &str, state: &ActionState, output: &Map<String, Value>) {
        let text = |key: &str| output.get(key).and_then(Value::as_str).unwrap_or_default();
        if let Some(diff) = output.get("diff").and_then(Value::as_str) {
            self.print(colour_diff(diff));
        } else if name == "run_command" {
            self.print(indent(text("output")));
            if let Some(code) = output.get("exit_code").and_then(Value::as_i64).filter(|code| *code != 0) {
                self.print(format!("{DIM}(exited with code {code}){DIM:#}"));
            }
        } else if *state == ActionState::Failed {
            self.print(format!("{RED}{}{RED:#}", indent(text("error"))));
        }
    }

    /// Prints above the progress line.
    pub(crate) fn print(&self, text: impl std::fmt::Display) {
        let text = text.to_string();
        if text.is_empty() {
            return;
        }
        match &self.bar {
            Some(bar) => bar.suspend(|| out::line(text)),
            None => out::line(text),
        }
    }

    /// Takes the progress line away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn action(name: &str, input: &Map<String, Value>) -> String {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let paths = |key: &str| -> String {
        let list = input.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let names = list.iter().map(|v| v.as_str().or_else(|| v["path"].as_str()).unwrap_or_default());
        names.collect::<Vec<_>>().join(", ")
    };
    match name {
        "run_command" => format!("Running `{}`", text("command")),
        "read_files" => format!("Reading {}", paths("files")),
        "edit_files" => format!("Editing {}", paths("file_paths")),
        "grep" => format!("Grepping for {}", paths("queries")),
        "file_glob" => format!("Finding {}", paths("patterns")),
        other => {
            let shown = out::one_line(&Value::Object(input.clone()).to_string(), 100);
            format!("{other} {shown}")
        }
    }
}

fn indent(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let cut = lines.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = lines[cut..].iter().map(|line| format!("  {line}")).collect();
    if cut > 0 {
        shown.insert(0, format!("  … {cut} more lines"));
    }
    shown.join("\n")
}

/// A unified diff in colour.
pub(crate) fn colour_diff(diff: &str) -> String {
    let lines = diff.lines().map(|line| match line.chars().next() {
        Some('+') => format!("  {GREEN}{line}{GREEN:#}"),
        Some('-') => format!("  {RED}{line}{RED:#}"),
        _ => format!("  {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}
