//! A command that runs below a guard process, seen from the worker: started, listened to, stopped, and swept up after.
//! It does not know what the command is for.

use crate::{cgroup, environment::Environment, guard, output::Tail, process};
use oz_core::config::Sandbox;
use rustix::process::Pid;
use std::{
    ffi::OsString,
    future::Future,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// How long a guard may take to end its command: its own grace and time to kill what is left.
const STOP_LIMIT: Duration = Duration::from_millis(1400);
/// How long killing what a guard left may take.
const SWEEP_LIMIT: Duration = Duration::from_secs(5);
/// How long output may still flow when every process that could write it is gone.
const FLUSH_LIMIT: Duration = Duration::from_millis(500);

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself, with this code, 128 + n after signal n.
    Exited(i32),
    /// Because it was stopped.
    Stopped,
}

/// A command to run below a guard.
pub(super) struct Guarded<'a> {
    /// The program that is the guard.
    pub(super) oz: &'a Path,
    /// The program to guard and its arguments.
    pub(super) command: Vec<OsString>,
    /// All of its environment.
    pub(super) environment: Environment,
    /// Where it works.
    pub(super) directory: PathBuf,
    /// The environment entry that all processes of this run carry and no others.
    pub(super) mark: String,
    /// The name of its control group.
    pub(super) group: String,
    /// What it may use.
    pub(super) limits: Sandbox,
}

impl Guarded<'_> {
    /// Runs the command to its end, or until `stop` is ready. Nothing of it is left afterwards. When the future is
    /// dropped, the guard ends the command by itself.
    pub(super) async fn run(self, tail: &Tail, stop: impl Future<Output = ()>) -> io::Result<Ended> {
        let mut guard = Command::new(self.oz)
            .arg("guard")
            .args(guard::arguments(&self.group, &self.limits))
            .arg("--")
            .args(&self.command)
            .env_clear()
            .envs(self.environment.iter())
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let session = guard.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        // The guard lives as long as this end of the pipe is open.
        let pipe = guard.stdin.take();
        let (stdout, stderr) = (guard.stdout.take(), guard.stderr.take());
        let output = tail.drain_both(stdout, stderr);
        let ending = async {
            let ended = tokio::select! {
                status = guard.wait() => Ended::Exited(process::exit_code(status?)),
                () = stop => {
                    drop(pipe);
                    end(&mut guard).await?;
                    Ended::Stopped
                }
            };
            if let Some(session) = session {
                sweep(session, self.mark.clone(), self.group.clone()).await;
            }
            io::Result::Ok(ended)
        };
        tokio::pin!(output, ending);
        tokio::select! {
            ended = &mut ending => {
                let _ = timeout(FLUSH_LIMIT, output).await;
                ended
            }
            () = &mut output => ending.await,
        }
    }
}

/// Waits for a guard whose pipe is closed; kills one that does not do its duty.
async fn end(guard: &mut Child) -> io::Result<()> {
    if timeout(STOP_LIMIT, guard.wait()).await.is_err() {
        guard.start_kill()?;
        guard.wait().await?;
    }
    Ok(())
}

/// Kills what is left when a guard was killed before it was done.
async fn sweep(session: Pid, mark: String, group: String) {
    let sweep = move || {
        cgroup::end(&group);
        process::kill_orphans(session, &mark, SWEEP_LIMIT)
    };
    let swept = tokio::task::spawn_blocking(sweep).await;
    if !matches!(swept, Ok(true)) {
        tracing::error!("some processes of a run can't be killed");
    }
}
