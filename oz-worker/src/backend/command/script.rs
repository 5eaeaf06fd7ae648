//! A shell command with a time limit. What it starts may outlive it, unless it is stopped: then all of it is killed.

use crate::{environment::Environment, output::Tail, process};
use rustix::process::{Pid, Signal};
use std::{future::Future, io, process::Stdio, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    time::timeout,
};

/// How long output may still flow when the command has ended; what it left running may hold the pipe for ever.
const FLUSH_LIMIT: Duration = Duration::from_millis(500);
/// How long killing what a stopped command has started may take.
const SWEEP_LIMIT: Duration = Duration::from_secs(5);

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself, with this code, 128 + n after signal n.
    Exited(i32),
    /// It took too long.
    TimedOut,
    /// It was stopped.
    Stopped,
}

/// A command to run.
pub(super) struct Script<'a> {
    pub(super) command: &'a str,
    /// All of its environment.
    pub(super) environment: Environment,
    /// What it can read from its standard input.
    pub(super) input: Option<Vec<u8>>,
    /// The environment entry that all of its processes carry and no others.
    pub(super) mark: String,
}

impl Script<'_> {
    /// Runs the command to its end, for at most `limit`, or until `stop` is ready.
    pub(super) async fn run(
        self,
        tail: &Tail,
        limit: Duration,
        stop: impl Future<Output = ()>,
    ) -> io::Result<Ended> {
        let (name, value) = self.mark.split_once('=').unwrap_or((&self.mark, ""));
        let mut child = Command::new("/bin/sh")
            .args(["-c", self.command])
            .env_clear()
            .envs(self.environment.iter())
            .env(name, value)
            .process_group(0)
            .stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let talk = async {
            let write = async {
                if let (Some(mut stdin), Some(input)) = (stdin, &self.input) {
                    // A command that does not want to read it all says by its exit code what it thinks of the run.
                    let _ = stdin.write_all(input).await;
                }
            };
            tokio::join!(write, tail.drain_both(stdout, stderr));
        };
        let ending = async {
            tokio::select! {
                status = child.wait() => return Ok(Ended::Exited(process::exit_code(status?))),
                () = tokio::time::sleep(limit) => {}
                () = stop => {
                    end(&mut child, group, &self.mark).await;
                    return Ok(Ended::Stopped);
                }
            }
            end(&mut child, group, &self.mark).await;
            io::Result::Ok(Ended::TimedOut)
        };
        tokio::pin!(talk, ending);
        tokio::select! {
            ended = &mut ending => {
                let _ = timeout(FLUSH_LIMIT, talk).await;
                ended
            }
            () = &mut talk => ending.await,
        }
    }
}

/// Kills a command and all that it has started.
async fn end(child: &mut Child, group: Option<Pid>, mark: &str) {
    if let Some(group) = group {
        // A group that is gone already is what this is about.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait().await;
    let mark = mark.to_owned();
    let sweep = move || process::kill_until_gone(SWEEP_LIMIT, |table| table.trees(table.marked(&mark)));
    if !matches!(tokio::task::spawn_blocking(sweep).await, Ok(true)) {
        tracing::error!("some processes of a command can't be killed");
    }
}
