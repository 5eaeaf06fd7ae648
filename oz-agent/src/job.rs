//! Commands of an agent: those it waits for and those that go on beside it, with or without a terminal. Each is a job.
//! A job keeps what it printed, and everything that came of it ends with it or with the agent.

mod face;
mod keys;
mod list;
mod log;
mod pump;
mod shell;
mod start;

pub(crate) use keys::encode;
pub(crate) use list::{Jobs, Order};

use crate::process::Family;
use face::Face;
use log::Log;
use rustix::process::{Pid, Signal};
use std::{
    io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    sync::{Mutex as AsyncMutex, watch},
    time::{Instant, sleep_until, timeout},
};

/// How long a job may take to end by itself when it is told to.
const GRACE: Duration = Duration::from_secs(2);
/// How long a job may take to read what is written to it.
const WRITE: Duration = Duration::from_secs(10);

/// One command.
pub(crate) struct Job {
    /// Its number.
    pub(crate) id: u32,
    /// What was asked for.
    pub(crate) command: String,
    /// Whether it has a terminal.
    pub(crate) pty: bool,
    state: Mutex<State>,
    changes: watch::Sender<()>,
    input: AsyncMutex<Option<Box<dyn AsyncWrite + Send + Unpin>>>,
    family: Mutex<Family>,
}

struct State {
    face: Face,
    log: Log,
    exit_code: Option<i32>,
    killed: bool,
    touched: Instant,
}

/// What a job shows, and how it stands.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What came since the last look, or the screen.
    pub(crate) text: String,
    /// How much is left out of that.
    pub(crate) dropped: u64,
    /// Where everything is that it printed, when it is more than was shown.
    pub(crate) file: Option<PathBuf>,
    /// How it ended, 128 + n after signal n; `None` while it runs.
    pub(crate) exit_code: Option<i32>,
    /// Whether it was killed.
    pub(crate) killed: bool,
}

impl Job {
    /// Looks at it. What a job without a terminal has printed is shown once.
    pub(crate) fn look(&self) -> Seen {
        let mut state = self.state();
        let (text, dropped) = state.face.take();
        let file = state.log.path(dropped > 0);
        Seen { text, dropped, file, exit_code: state.exit_code, killed: state.killed }
    }

    /// Whether its command still runs.
    pub(crate) fn runs(&self) -> bool {
        self.state().exit_code.is_none()
    }

    /// Waits until the command has ended. Answers whether it has by `deadline`.
    pub(crate) async fn ended(&self, deadline: Instant) -> bool {
        self.wait(deadline, |state| state.exit_code.is_some()).await;
        !self.runs()
    }

    /// Waits until the command has ended, or nothing has come for `quiet`.
    pub(crate) async fn quiet(&self, quiet: Duration, deadline: Instant) {
        let begin = Instant::now();
        self.wait(deadline, |state| {
            state.exit_code.is_some() || Instant::now() >= state.touched.max(begin) + quiet
        })
        .await;
    }

    /// Waits until what it shows contains `text`, or the command has ended. Answers whether it contains it.
    pub(crate) async fn shows(&self, text: &str, deadline: Instant) -> bool {
        self.wait(deadline, |state| state.exit_code.is_some() || state.face.contains(text)).await;
        self.state().face.contains(text)
    }

    /// Waits until `done` says so, which is asked whenever something has changed and now and then besides.
    async fn wait(&self, deadline: Instant, done: impl Fn(&State) -> bool) {
        const OFTEN: Duration = Duration::from_millis(50);
        let mut changes = self.changes.subscribe();
        while !done(&self.state()) && Instant::now() < deadline {
            let soon = deadline.min(Instant::now() + OFTEN);
            tokio::select! {
                _ = changes.changed() => {}
                () = sleep_until(soon) => {}
            }
        }
    }

    /// Whether the cursor keys are to be sent in their other form.
    pub(crate) fn application_cursor(&self) -> bool {
        self.state().face.application_cursor()
    }

    /// Writes to its input.
    ///
    /// # Errors
    /// When it has none any more, or does not read it.
    pub(crate) async fn write(&self, bytes: &[u8]) -> Result<(), String> {
        let mut input = self.input.lock().await;
        let Some(open) = input.as_mut() else { return Err(self.closed()) };
        let write = async {
            open.write_all(bytes).await?;
            open.flush().await
        };
        match timeout(WRITE, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(format!("it can't be written to: {e}")),
            Err(_) => Err(format!("it did not read what was written within {} s", WRITE.as_secs())),
        }
    }

    fn closed(&self) -> String {
        match self.runs() {
            true => "its input is closed; start it with `background` or `pty` to write to it".to_owned(),
            false => "it has ended".to_owned(),
        }
    }

    /// Ends its input.
    pub(crate) async fn close_input(&self) {
        *self.input.lock().await = None;
    }

    /// Sends a signal to its process group.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(leader) = self.family().leader {
            let _ = rustix::process::kill_process_group(leader, signal);
        }
    }

    /// Asks it to end, and kills what has not ended then.
    pub(crate) async fn end(&self) {
        if self.runs() {
            self.state().killed = true;
            self.signal(Signal::TERM);
            self.ended(Instant::now() + GRACE).await;
        }
        self.kill();
        self.ended(Instant::now() + GRACE).await;
    }

    /// Kills it with everything that came of it.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        state.killed |= state.exit_code.is_none();
        drop(state);
        self.family().kill();
    }

    fn new(id: u32, command: &str, pty: bool, face: Face, log: Log, mark: String) -> Self {
        Self {
            id,
            command: command.to_owned(),
            pty,
            state: Mutex::new(State { face, log, exit_code: None, killed: false, touched: Instant::now() }),
            changes: watch::Sender::new(()),
            input: AsyncMutex::new(None),
            family: Mutex::new(Family { leader: None, mark }),
        }
    }

    fn lead(&self, leader: Option<u32>) {
        self.family().leader = leader.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    }

    /// Takes what it printed, without secrets. Answers with what its terminal says to that.
    fn took(&self, bytes: &[u8]) -> Vec<u8> {
        if bytes.is_empty() {
            return Vec::new();
        }
        let mut state = self.state();
        state.touched = Instant::now();
        state.log.push(bytes);
        let reply = state.face.push(bytes);
        drop(state);
        self.changes.send_replace(());
        reply
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changes.send_replace(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn family(&self) -> MutexGuard<'_, Family> {
        self.family.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What went wrong when a job was to be started.
fn refused(error: &io::Error) -> String {
    format!("the command could not be started: {error}")
}
