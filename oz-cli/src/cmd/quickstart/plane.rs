//! The quickstart's control plane: a process like any other `oz serve`, with its own data, home and key.

use super::model;
use crate::error::CliError;
use oz_client::Client;
use oz_core::env;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};
use uuid::Uuid;

const SCRIPT: &str = include_str!("script.yaml");
/// How long the control plane may take to start, and to stop.
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(10);

/// A control plane that runs.
pub(super) struct Plane {
    child: Child,
    url: String,
    key: String,
}

impl Plane {
    /// Starts a control plane on a free port.
    pub(super) async fn start(dir: &Path, model: &model::Choice) -> Result<Self, CliError> {
        let log = dir.join("server.log");
        let key = format!("wk-1.{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir.join("data"))
            .env(env::BOOTSTRAP_API_KEY, &key)
            // Neither the user's login nor his git settings belong here.
            .env("HOME", home(dir)?)
            .env_remove("XDG_CONFIG_HOME")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log)?)
            .kill_on_drop(true);
        if model.prepared {
            let script = dir.join("script.yaml");
            fs::write(&script, SCRIPT)?;
            command.env(env::SCRIPTED_MODEL, script);
        }
        let mut child = command.spawn()?;
        let said = timeout(START, listening(&mut child)).await.ok().flatten();
        let url = said.ok_or_else(|| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            CliError::new("the control plane did not start").hint(log)
        })?;
        Ok(Self { child, url, key })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn client(&self) -> Result<Client, CliError> {
        Ok(Client::new(&self.url, Some(self.key.clone()))?.with_source("CLI"))
    }

    /// Stops it as Ctrl-C would, so that nothing of its runs is left.
    pub(super) async fn stop(mut self) {
        #[cfg(unix)]
        if let Some(pid) = self.child.id().and_then(|id| rustix::process::Pid::from_raw(id.try_into().ok()?))
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            if timeout(STOP, self.child.wait()).await.is_ok() {
                return;
            }
        }
        let _ = self.child.kill().await;
    }
}

fn home(dir: &Path) -> Result<PathBuf, CliError> {
    let home = dir.join("home");
    fs::create_dir_all(&home)?;
    Ok(home)
}

/// The address that it says it listens on.
async fn listening(child: &mut Child) -> Option<String> {
    let mut lines = BufReader::new(child.stdout.take()?).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(url) = line.strip_prefix("Listening on ") {
            let url = url.to_owned();
            // What else it prints must not fill the pipe.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some(url);
        }
    }
    None
}
