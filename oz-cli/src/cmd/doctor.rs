//! `oz doctor`: checks what `oz` needs and says what to do. A file per group of checks; they run at the same time, each
//! with a limit, and are shown in their order.

mod completions;
mod disk;
mod docker;
mod git;
mod harness;
mod http;
mod login;
mod models;
mod progress;
mod report;
mod server;
#[cfg(test)]
mod tests;
mod tool;

use super::Outcome;
use crate::{
    cli::Global,
    connection::{self, Connection},
    error::CliError,
    settings,
};
use clap::Args;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use progress::Progress;
use report::{Check, Report};
use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, pin::Pin, time::Duration};

/// How long a group of checks may take in all; what asks others has a shorter limit of its own.
const LIMIT: Duration = Duration::from_secs(30);

/// Check this machine and the control plane, and say what to do.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz doctor
  oz doctor --server-only --server-root-url https://oz.example.com
  oz doctor --local-only --output-format json")]
pub(crate) struct DoctorArgs {
    /// Check only the way to the control plane
    #[arg(long, conflicts_with = "local_only")]
    server_only: bool,
    /// Check only this machine
    #[arg(long)]
    local_only: bool,
}

/// What the checks look at.
struct Surroundings {
    /// The environment.
    vars: BTreeMap<String, String>,
    login_file: PathBuf,
    data_dir: PathBuf,
    home: PathBuf,
}

impl Surroundings {
    fn here() -> Result<Self, CliError> {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let vars: BTreeMap<_, _> = std::env::vars_os().filter_map(text).collect();
        let data_dir = match vars.get(oz_core::env::DATA_DIR).filter(|dir| !dir.is_empty()) {
            Some(dir) => dir.into(),
            None => settings::default_data_dir()?,
        };
        let home = vars.get("HOME").map(PathBuf::from).unwrap_or_default();
        Ok(Self { vars, login_file: settings::path()?, data_dir, home })
    }

    /// A variable that is set to something.
    fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Where programs are looked for.
    fn path(&self) -> &str {
        self.var("PATH").unwrap_or_default()
    }
}

/// Some checks that belong together.
struct Group<'a> {
    name: &'static str,
    work: Pin<Box<dyn Future<Output = Vec<Check>> + 'a>>,
}

impl<'a> Group<'a> {
    fn new(name: &'static str, work: impl Future<Output = Vec<Check>> + 'a) -> Self {
        Self { name, work: Box::pin(work) }
    }
}

pub(crate) async fn run(args: &DoctorArgs, global: &Global) -> Outcome {
    let here = Surroundings::here()?;
    let connection = connection::of(global);
    let report = Report { checks: gather(groups(args, &here, &connection), LIMIT).await };
    report.print(global.output_format)?;
    Ok(!report.has_problem())
}

fn groups<'a>(args: &DoctorArgs, here: &'a Surroundings, connection: &'a Connection) -> Vec<Group<'a>> {
    let asks_server = !args.local_only;
    let mut groups = vec![Group::new("login", async move {
        login::checks(&here.login_file, connection.api_key.is_some(), asks_server)
    })];
    if asks_server {
        groups.push(Group::new("server", server::checks(connection)));
    }
    if !args.server_only {
        groups.extend([
            Group::new("git", git::checks(here.path())),
            Group::new("docker", docker::checks(here.path())),
            Group::new("harnesses", harness::checks(here.path())),
            Group::new("models", models::checks(here)),
            Group::new("disk", async { disk::checks(&here.data_dir) }),
            Group::new("completions", async { completions::checks(here) }),
        ]);
    }
    groups
}

/// Does the work of all groups at the same time. The checks come in the groups' order; a group without an answer within
/// `limit` is a warning.
async fn gather(groups: Vec<Group<'_>>, limit: Duration) -> Vec<Check> {
    let progress = Progress::new(groups.iter().map(|group| group.name).collect());
    let mut left: FuturesUnordered<_> = groups
        .into_iter()
        .enumerate()
        .map(|(place, group)| async move {
            let checks = tokio::time::timeout(limit, group.work).await;
            (place, group.name, checks.unwrap_or_else(|_| vec![Check::unfinished(group.name, limit)]))
        })
        .collect();
    let mut done = Vec::new();
    while let Some((place, name, checks)) = left.next().await {
        progress.done(name);
        done.push((place, checks));
    }
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().flat_map(|(_, checks)| checks).collect()
}
