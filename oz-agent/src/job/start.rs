//! Starts the process of a job: with pipes, or with a terminal.

use super::{
    Job,
    face::{self, Face},
    log::Log,
    pump, refused,
    shell::Call,
};
use oz_core::{Redactor, egress::Network, env::PROCESS_MARK};
use std::{io, os::fd::OwnedFd, path::PathBuf, process::Stdio, sync::Arc};
use tokio::{net::unix::pipe, sync::Mutex};

/// A job to start.
pub(super) struct Start<'a> {
    pub(super) id: u32,
    pub(super) command: &'a str,
    pub(super) call: &'a Call,
    pub(super) mark: String,
    pub(super) log: PathBuf,
    pub(super) pty: bool,
    /// Whether it can be written to; a terminal always can.
    pub(super) input: bool,
    pub(super) redactor: &'a Redactor,
    pub(super) network: &'a Network,
}

impl Start<'_> {
    /// The program and its arguments.
    fn words(&self) -> (&str, Vec<&str>) {
        let words = self.network.words([self.call.program, "-c", &self.call.script]);
        (words[0], words[1..].to_vec())
    }
}

/// Starts it.
pub(super) fn start(start: Start<'_>) -> Result<Arc<Job>, String> {
    if start.pty { with_terminal(start) } else { with_pipes(start).map_err(|e| refused(&e)) }
}

fn with_pipes(start: Start<'_>) -> io::Result<Arc<Job>> {
    let (reader, writer) = io::pipe()?;
    let mut child = {
        let (program, arguments) = start.words();
        let mut command = tokio::process::Command::new(program);
        command
            .args(arguments)
            .current_dir(&start.call.directory)
            .env_clear()
            .envs(&start.call.env)
            .env(PROCESS_MARK, &start.mark)
            .stdin(if start.input { Stdio::piped() } else { Stdio::null() })
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0);
        // The writing ends that this process holds close with `command`, so that the reader comes to an end.
        command.spawn()?
    };
    let mut job = Job::new(start.id, start.command, false, Face::lines(), Log::new(start.log), start.mark);
    job.input = Mutex::new(child.stdin.take().map(|input| Box::new(input) as _));
    let job = Arc::new(job);
    job.lead(child.id());
    match pipe::Receiver::from_owned_fd(OwnedFd::from(reader)) {
        Ok(reader) => pump::begin(&job, reader, child, start.redactor),
        Err(error) => {
            job.kill();
            return Err(error);
        }
    }
    Ok(job)
}

fn with_terminal(start: Start<'_>) -> Result<Arc<Job>, String> {
    let failed = |e: pty_process::Error| format!("the command could not be started in a terminal: {e}");
    let (pty, pts) = pty_process::open().map_err(failed)?;
    pty.resize(pty_process::Size::new(face::ROWS, face::COLUMNS)).map_err(failed)?;
    let (program, arguments) = start.words();
    let child = pty_process::Command::new(program)
        .args(arguments)
        .current_dir(&start.call.directory)
        .env_clear()
        .envs(&start.call.env)
        .env("TERM", "xterm")
        .env(PROCESS_MARK, &start.mark)
        .spawn(pts)
        .map_err(failed)?;
    let (reader, writer) = pty.into_split();
    let mut job = Job::new(start.id, start.command, true, Face::screen(), Log::new(start.log), start.mark);
    job.input = Mutex::new(Some(Box::new(writer) as _));
    let job = Arc::new(job);
    job.lead(child.id());
    pump::begin(&job, reader, child, start.redactor);
    Ok(job)
}
