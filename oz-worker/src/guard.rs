//! The guard: a small process that owns one agent process and everything that descends from it. It ends when nothing
//! of the agent is left and never looks at what the agent does or says.
//!
//! Its standard input is a pipe whose other end only the worker holds, so the kernel itself tells it that the worker
//! died. Orphans below it become its children, so it is done exactly when it has no child left.

mod options;

use crate::{
    cgroup::Cgroup,
    process::{self, Table},
};
use options::Options;
pub(crate) use options::arguments;
use oz_core::env;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::{
    ffi::OsString,
    io::{self, Read, Write},
    os::unix::{net::UnixStream, process::CommandExt},
    process::{Command, ExitCode, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

/// How long an agent may take to end by itself after the request to.
const GRACE: Duration = Duration::from_millis(700);
/// How long to wait between two attempts to kill what is left.
const PAUSE: Duration = Duration::from_millis(20);
/// When to leave what can't be killed, such as a process stuck in the kernel, to the worker.
const GIVE_UP: Duration = Duration::from_secs(10);

const USAGE: u8 = 2;
/// The limits of the command can't be had here.
pub(crate) const NOT_LIMITED: u8 = 124;
/// The command was killed because it used more memory than it may.
pub(crate) const OUT_OF_MEMORY: u8 = 125;
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;
const KILLED: u8 = 128 + 9;

enum Event {
    EndWanted,
    AgentEnded(u8),
    NothingLeft,
}

/// Runs `command` as a guarded process and answers with its exit code, 128 + n after signal n.
///
/// The command ends when it wants to, when this process's standard input reaches its end, or on SIGTERM, SIGINT or
/// SIGHUP: SIGTERM first, SIGKILL after a short grace. Whatever it leaves running is killed as well.
#[must_use]
pub fn guard(command: Vec<OsString>) -> ExitCode {
    ExitCode::from(watch(command))
}

fn watch(command: Vec<OsString>) -> u8 {
    let Options { group, limits, command } = match options::read(command) {
        Ok(options) => options,
        Err(error) => {
            complain(&error);
            return USAGE;
        }
    };
    let mut words = command.into_iter();
    let Some(program) = words.next() else {
        complain("usage: oz guard -- PROGRAM [ARGUMENT]...");
        return USAGE;
    };
    // A session of its own marks what belongs to this agent, and has no terminal to ask for passwords on. It can't be
    // had when this process leads a group already, as it does when a shell starts it.
    let _ = rustix::process::setsid();
    process::adopt_orphans();
    let (tell, events) = mpsc::channel();
    if let Err(error) = listen(&tell) {
        complain(&format!("can't listen for signals: {error}"));
        return NOT_EXECUTABLE;
    }
    let limited = limits.memory_mb.is_some() || limits.cpus.is_some() || limits.max_processes.is_some();
    let group = match group.map(|name| Cgroup::create(&name, &limits)) {
        Some(Err(error)) if limited => {
            complain(&format!("the limits of the sandbox can't be enforced here: {error}"));
            return NOT_LIMITED;
        }
        group => group.and_then(Result::ok),
    };
    let agent = match start(&program, words, group.as_ref().map(|group| (group, limited))) {
        Ok(pid) => pid,
        Err(error) => {
            complain(&format!("can't start '{}': {error}", program.display()));
            return if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
        }
    };
    thread::spawn(move || reap(agent, &tell));

    let me = rustix::process::getpid();
    let mut code = None;
    let mut kill_at: Option<Instant> = None;
    let mut give_up_at = None;
    loop {
        let event = match kill_at {
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => events.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match event {
            Ok(Event::AgentEnded(ended)) => {
                code = Some(ended);
                kill_at = Some(Instant::now());
            }
            Ok(Event::EndWanted) if kill_at.is_none() => {
                let _ = rustix::process::kill_process_group(agent, Signal::TERM);
                kill_at = Some(Instant::now() + GRACE);
            }
            Ok(Event::EndWanted) => {}
            Ok(Event::NothingLeft) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                if Instant::now() > *give_up_at.get_or_insert_with(|| Instant::now() + GIVE_UP) {
                    complain("some processes can't be killed");
                    break;
                }
                process::kill_once(|table: &Table| table.descendants(me));
                kill_at = Some(Instant::now() + PAUSE);
            }
        }
    }
    match group.as_ref().and_then(Cgroup::out_of_memory) {
        Some(why) if code == Some(KILLED) => {
            complain(&why);
            OUT_OF_MEMORY
        }
        _ => code.unwrap_or(KILLED),
    }
}

/// Starts the agent in a process group of its own. It must be the thread that stays to the end: an agent that asks to
/// be killed with its parent dies with the thread that started it.
fn start(
    program: &OsString,
    arguments: impl Iterator<Item = OsString>,
    group: Option<(&Cgroup, bool)>,
) -> io::Result<Pid> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    let Some((group, limited)) = group else { return Ok(Pid::from_child(&command.spawn()?)) };
    if limited {
        command.env(env::SANDBOX_LIMITED, "1");
    }
    if let Some(events) = group.memory_events() {
        command.env(env::MEMORY_EVENTS, events);
    }
    // A child begins where its parent is; so nothing of it is ever outside of the group.
    let joined = group.join();
    if limited {
        joined?;
    }
    let child = command.spawn();
    group.leave()?;
    Ok(Pid::from_child(&child?))
}

/// Tells when the end of the agent is wanted.
fn listen(tell: &Sender<Event>) -> io::Result<()> {
    let (mut received, sent) = UnixStream::pair()?;
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        signal_hook::low_level::pipe::register(signal, sent.try_clone()?)?;
    }
    let on_signal = tell.clone();
    thread::spawn(move || {
        let _ = received.read(&mut [0]);
        let _ = on_signal.send(Event::EndWanted);
    });
    let on_end_of_input = tell.clone();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = on_end_of_input.send(Event::EndWanted);
    });
    Ok(())
}

/// Waits for every child, adopted ones included, until there is none.
fn reap(agent: Pid, tell: &Sender<Event>) {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == agent => {
                let _ = tell.send(Event::AgentEnded(exit_code(status)));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => break,
        }
    }
    let _ = tell.send(Event::NothingLeft);
}

fn exit_code(status: WaitStatus) -> u8 {
    let code = status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(KILLED)
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "oz guard: {text}");
}

#[cfg(test)]
pub(crate) mod tests;
