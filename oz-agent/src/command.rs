//! Runs one command to its end, its time-out or the end of interest in it. Whatever way it ends early, its whole family
//! of processes ends with it; what it leaves in the background on purpose goes on until the agent ends.

mod clip;
mod live;

pub(crate) use clip::Clip;
pub(crate) use live::Live;

use crate::process::Family;
use oz_core::{Redactor, env::PROCESS_MARK};
use rustix::process::Pid;
use std::{
    collections::BTreeMap,
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt as _},
    path::Path,
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe,
    time::{Instant, sleep_until, timeout},
};

/// How much of the beginning and of the end of the output is kept.
pub(crate) const KEEP: usize = 32 << 10;
/// How long output may still come when the command itself has ended, but something in the background has not.
const AFTERWARDS: Duration = Duration::from_millis(150);
/// How long the end of a killed command may take to show.
const BURIAL: Duration = Duration::from_secs(2);

/// A command to run.
pub(crate) struct Command<'a> {
    /// The program and its arguments.
    pub(crate) words: &'a [&'a str],
    /// Where it runs.
    pub(crate) directory: &'a Path,
    /// Its whole environment.
    pub(crate) env: &'a BTreeMap<String, String>,
    /// What its processes are marked with; begins with the agent's mark.
    pub(crate) mark: String,
    /// How long it may take.
    pub(crate) limit: Duration,
    /// Takes secrets out of its output, before anything is left out of that.
    pub(crate) redactor: &'a Redactor,
    /// Gets the output as it comes.
    pub(crate) live: Option<&'a Live>,
}

/// What came of a command.
pub(crate) struct Ran {
    /// Its exit code, 128 + n after signal n; `None` when it was killed because it took too long.
    pub(crate) exit_code: Option<i32>,
    /// What it wrote to its output and its errors, as it came.
    pub(crate) output: Clip,
}

/// Kills a family unless it is told that all went well.
pub(crate) struct Guard(pub(crate) Option<Family>);

impl Guard {
    pub(crate) fn kill(&mut self) {
        if let Some(family) = self.0.take() {
            family.kill();
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a command. Dropping the future kills it.
///
/// # Errors
/// When it can't be started.
pub(crate) async fn run(command: Command<'_>) -> io::Result<Ran> {
    let (reader, writer) = io::pipe()?;
    let mut child = {
        let (program, arguments) = command.words.split_first().unwrap_or((&"true", &[]));
        let mut start = tokio::process::Command::new(program);
        start
            .args(arguments)
            .current_dir(command.directory)
            .env_clear()
            .envs(command.env)
            .env(PROCESS_MARK, &command.mark)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0);
        // The writing ends that this process holds close with `start`, so that the reader comes to an end.
        start.spawn()?
    };
    let leader = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let mut guard = Guard(Some(Family { leader, mark: command.mark }));
    let mut reader = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    let mut output = Clip::new(KEEP);
    let mut clean = command.redactor.stream();
    let mut keep = |bytes: Vec<u8>| {
        output.push(&bytes);
        if let Some(live) = command.live {
            live.push(&bytes);
        }
    };
    let mut buffer = vec![0; 16 << 10];
    let mut open = true;
    let mut exit_code = None;
    let mut deadline = Instant::now() + command.limit;
    while open || exit_code.is_none() {
        tokio::select! {
            read = reader.read(&mut buffer), if open => match read {
                Ok(n @ 1..) => keep(clean.push(&buffer[..n])),
                Ok(0) | Err(_) => open = false,
            },
            status = child.wait(), if exit_code.is_none() => {
                let status = status?;
                exit_code = Some(status.code().or(status.signal().map(|n| 128 + n)).unwrap_or(-1));
                deadline = Instant::now() + AFTERWARDS;
                if let Some(family) = &mut guard.0 {
                    family.leader = None;
                }
            }
            () = sleep_until(deadline) => break,
        }
    }
    keep(clean.finish());
    if exit_code.is_none() {
        guard.kill();
        let _ = timeout(BURIAL, child.wait()).await;
    } else {
        guard.0 = None;
        if open {
            // What still writes must not be killed by a pipe that nobody reads.
            tokio::spawn(async move { while reader.read(&mut buffer).await.is_ok_and(|n| n > 0) {} });
        }
    }
    Ok(Ran { exit_code, output })
}

#[cfg(test)]
mod tests;
