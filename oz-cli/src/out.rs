//! How values are printed: tables and cards for people, JSON for programs. Results go to standard output.

use crate::{cli::Format, error::CliError};
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use oz_core::{Open, Run, artifact::Artifact};
use serde::Serialize;
use std::io::Write as _;

/// Prints a line to standard output. A reader that went away is no error of ours.
pub(crate) fn line(text: impl std::fmt::Display) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Prints a note to standard error.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints a value as JSON: indented, or on one line for `ndjson`.
pub(crate) fn json<T: Serialize>(format: Format, value: &T) -> Result<(), CliError> {
    let text = if format == Format::Ndjson {
        serde_json::to_string(value)
    } else {
        serde_json::to_string_pretty(value)
    };
    line(text.map_err(CliError::new)?);
    Ok(())
}

/// Prints a value as JSON on one line.
pub(crate) fn json_line<T: Serialize>(value: &T) {
    if let Ok(text) = serde_json::to_string(value) {
        line(text);
    }
}

/// A list of runs as a table.
pub(crate) fn runs(runs: &[Run], format: Format) -> String {
    const HEADER: [&str; 5] = ["RUN ID", "STATE", "CREATED", "RUN TIME", "TITLE"];
    let rows = runs.iter().map(|run| {
        [
            run.run_id.to_string(),
            run.state.to_string(),
            run.created_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            run.run_time.clone().map_or_else(|| "-".to_owned(), |t| duration(&t)),
            one_line(&run.title, 60),
        ]
    });
    if format == Format::Text {
        let lines = rows.map(|row| row.join("\t"));
        return std::iter::once(HEADER.join("\t")).chain(lines).collect::<Vec<_>>().join("\n");
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(HEADER);
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// `PT2M30.5S` as `2m 30.5s`.
fn duration(iso: &str) -> String {
    let text = iso.trim_start_matches("PT").to_lowercase();
    text.replace('h', "h ").replace('m', "m ").trim().to_owned()
}

/// A run as a card.
pub(crate) fn card(run: &Run) -> String {
    let mut rows = vec![
        ("Run", run.run_id.to_string()),
        ("State", run.state.to_string()),
        ("Title", one_line(&run.title, 100)),
    ];
    if let Some(status) = &run.status_message {
        rows.push(("Status", status.message.trim().replace('\n', "\n            ")));
        if let Some(code) = &status.error_code {
            rows.push(("Error code", code.to_string()));
        }
    }
    rows.push(("Created", run.created_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()));
    if let Some(time) = &run.run_time {
        rows.push(("Run time", duration(time)));
    }
    if let Some(config) = &run.agent_config {
        rows.push(("Harness", config.harness_type().to_string()));
        rows.extend(config.model_id.clone().map(|m| ("Model", m)));
        rows.extend(config.worker_host.clone().map(|h| ("Host", h)));
    }
    if let Some(execution) = &run.execution {
        let worker = execution.worker_id.as_deref().unwrap_or("-");
        rows.push(("Execution", format!("attempt {} on worker {worker}", execution.attempt)));
    }
    if let Some(usage) = &run.request_usage {
        let cost = usage.inference_cost_usd.map_or_else(String::new, |usd| format!(", ${usd:.4}"));
        rows.push(("Usage", format!("{} tokens{cost}", usage.total_tokens.unwrap_or(0))));
    }
    for item in &run.artifacts {
        rows.push(("Artifact", artifact(&item.artifact)));
    }
    rows.iter().map(|(name, value)| format!("{name:<11} {value}")).collect::<Vec<_>>().join("\n")
}

/// An artifact in one line.
pub(crate) fn artifact(artifact: &Open<Artifact>) -> String {
    match artifact {
        Open::Known(Artifact::PullRequest { url, branch }) => {
            format!("pull request {url} (branch: {branch})")
        }
        Open::Known(Artifact::ExternalReference { reference_type, url, .. }) => {
            format!("{reference_type} {url}")
        }
        Open::Known(Artifact::Plan { title, document_uid, .. }) => {
            format!("plan {}", title.as_deref().unwrap_or(document_uid))
        }
        Open::Known(Artifact::Screenshot { artifact_uid, .. }) => format!("screenshot {artifact_uid}"),
        Open::Known(Artifact::File { filepath, .. }) => format!("file {filepath}"),
        Open::Unknown(value) => value.to_string(),
    }
}

/// The first line of a text, cut to `width`.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut cut: String = line.chars().take(width).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}
