//! What was found, and how it is shown.

use crate::{
    cli::Format,
    error::CliError,
    out::{self, one_line, table},
};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::{fmt, time::Duration};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// All is well.
    Ok,
    /// It works, but not as well as it could.
    Warning,
    /// Something can't work.
    Problem,
    /// There is nothing to check.
    Skipped,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::Skipped => "skipped",
        })
    }
}

impl Status {
    fn style(self) -> Style {
        match self {
            Self::Ok => AnsiColor::Green.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default(),
            Self::Problem => AnsiColor::Red.on_default().bold(),
            Self::Skipped => Style::new().dimmed(),
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) message: String,
    /// What to type.
    pub(super) fix: Option<String>,
}

impl Check {
    fn new(name: &str, status: Status, message: impl fmt::Display, fix: Option<&str>) -> Self {
        let message = one_line(&message.to_string(), 300);
        Self { name: name.to_owned(), status, message, fix: fix.map(|fix| one_line(fix, 300)) }
    }

    pub(super) fn ok(name: &str, message: impl fmt::Display) -> Self {
        Self::new(name, Status::Ok, message, None)
    }

    pub(super) fn warning(name: &str, message: impl fmt::Display, fix: &str) -> Self {
        Self::new(name, Status::Warning, message, Some(fix))
    }

    pub(super) fn problem(name: &str, message: impl fmt::Display, fix: &str) -> Self {
        Self::new(name, Status::Problem, message, Some(fix))
    }

    pub(super) fn skipped(name: &str, message: impl fmt::Display) -> Self {
        Self::new(name, Status::Skipped, message, None)
    }

    /// Something that one can do without, and how to get it.
    pub(super) fn absent(name: &str, message: impl fmt::Display, fix: &str) -> Self {
        Self::new(name, Status::Skipped, message, Some(fix))
    }

    /// A group of checks that has no end.
    pub(super) fn unfinished(name: &str, limit: Duration) -> Self {
        Self::warning(name, format!("no answer within {} s", limit.as_secs()), "oz doctor --debug")
    }
}

/// All checks, in their order.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) checks: Vec<Check>,
}

impl Report {
    pub(super) fn has_problem(&self) -> bool {
        self.count(Status::Problem) > 0
    }

    fn count(&self, status: Status) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    /// Prints the report: as JSON, a check a line as `ndjson`, a check a line with tabs as `text`.
    pub(super) fn print(&self, format: Format) -> Result<(), CliError> {
        match format {
            Format::Json => out::json(format, self)?,
            Format::Ndjson => self.checks.iter().try_for_each(out::json_line)?,
            Format::Text => out::line(self.rows()),
            Format::Pretty => out::line(self.text()),
        }
        Ok(())
    }

    fn rows(&self) -> String {
        let row = |check: &Check| {
            let fix = check.fix.as_deref().unwrap_or("-");
            format!("{}\t{}\t{}\t{fix}", check.name, check.status, check.message)
        };
        let head = "NAME\tSTATUS\tMESSAGE\tFIX".to_owned();
        std::iter::once(head).chain(self.checks.iter().map(row)).collect::<Vec<_>>().join("\n")
    }

    /// For people: what to do stands below what is wrong.
    fn text(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        let mut lines = Vec::new();
        for check in &self.checks {
            let (style, dim) = (check.status.style(), Style::new().dimmed());
            let Check { name, status, message, fix } = check;
            lines.push(format!("{style}{status:<7}{style:#}  {name:<width$}  {message}"));
            let indent = width + 11;
            lines.extend(fix.iter().map(|fix| format!("{:indent$}{dim}=>{dim:#} {fix}", "")));
        }
        lines.push(String::new());
        lines.push(self.summary());
        lines.join("\n")
    }

    fn summary(&self) -> String {
        let several = |count, what| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        match (self.count(Status::Problem), self.count(Status::Warning)) {
            (0, 0) => "All is well.".to_owned(),
            (0, warnings) => format!("No problem; {}.", several(warnings, "warning")),
            (problems, 0) => format!("{}.", several(problems, "problem")),
            (problems, warnings) => {
                format!("{}, {}.", several(problems, "problem"), several(warnings, "warning"))
            }
        }
    }
}

/// A size as people read it.
pub(super) fn size(bytes: u64) -> String {
    match bytes >> 20 {
        mib @ 0..1024 => format!("{mib} MiB"),
        mib => format!("{:.1} GiB", mib as f64 / 1024.0),
    }
}

/// Some names in one cell.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    table::joined(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            checks: vec![
                Check::ok("server", "http://127.0.0.1:7700 answers"),
                Check::warning("clock", "this machine is 9 s behind", "sudo timedatectl set-ntp true"),
                Check::problem("workers", "no worker is\u{1b}[2J connected", "oz worker --worker-id build-1"),
                Check::skipped("docker", "not installed"),
                Check::absent("codex", "not installed", "npm install -g @openai/codex"),
            ],
        }
    }

    #[test]
    fn what_to_do_stands_below_what_is_wrong() {
        let text = anstream::adapter::strip_str(&report().text()).to_string();
        insta::assert_snapshot!(text, @"
        ok       server   http://127.0.0.1:7700 answers
        warning  clock    this machine is 9 s behind
                          => sudo timedatectl set-ntp true
        problem  workers  no worker is connected
                          => oz worker --worker-id build-1
        skipped  docker   not installed
        skipped  codex    not installed
                          => npm install -g @openai/codex

        1 problem, 1 warning.
        ");
        insta::assert_snapshot!(report().rows(), @"
        NAME	STATUS	MESSAGE	FIX
        server	ok	http://127.0.0.1:7700 answers	-
        clock	warning	this machine is 9 s behind	sudo timedatectl set-ntp true
        workers	problem	no worker is connected	oz worker --worker-id build-1
        docker	skipped	not installed	-
        codex	skipped	not installed	npm install -g @openai/codex
        ");
        insta::assert_snapshot!(serde_json::to_string(&report()).unwrap(), @r#"{"checks":[{"name":"server","status":"ok","message":"http://127.0.0.1:7700 answers","fix":null},{"name":"clock","status":"warning","message":"this machine is 9 s behind","fix":"sudo timedatectl set-ntp true"},{"name":"workers","status":"problem","message":"no worker is connected","fix":"oz worker --worker-id build-1"},{"name":"docker","status":"skipped","message":"not installed","fix":null},{"name":"codex","status":"skipped","message":"not installed","fix":"npm install -g @openai/codex"}]}"#);
    }

    #[test]
    fn the_summary_counts() {
        let of = |problems, warnings| {
            let mut checks = vec![Check::problem("a", "b", "c"); problems];
            checks.extend(vec![Check::warning("a", "b", "c"); warnings]);
            let report = Report { checks };
            assert_eq!(report.has_problem(), problems > 0);
            report.summary()
        };
        let all = [of(0, 0), of(0, 1), of(1, 0), of(2, 1), of(1, 2)];
        insta::assert_snapshot!(all.join("\n"), @"
        All is well.
        No problem; 1 warning.
        1 problem.
        2 problems, 1 warning.
        1 problem, 2 warnings.
        ");
    }
}
