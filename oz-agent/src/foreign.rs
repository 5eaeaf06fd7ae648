//! Command line agents of others behind the [`Harness`] seam. One engine starts the program,
//! reads what it tells, ends its whole family of processes and reports; what differs from program to program is a
//! [`Dialect`], one file for each.

mod begun;
mod claude;
mod codex;
mod command;
mod engine;
mod fault;
mod gemini;
mod home;
mod lines;
mod opencode;
mod pairs;
mod permits;
mod pipes;
mod program;
mod rules;
mod shown;

use crate::human::Waiting;
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use oz_core::{
    Error, ErrorCode,
    config::HarnessType,
    harness::{Harness, HarnessEvent, HarnessTask, SavedSession},
    request::Answer,
};
use permits::{Permit, Wish};
use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How one command line agent is started and understood. It starts nothing itself.
pub(crate) trait Dialect: Send + Sync {
    /// The harness's name, such as `claude`.
    fn name(&self) -> &'static str;

    /// The format of its conversations, such as `claude_code`.
    fn format(&self) -> &'static str;

    /// How to get the program, for who does not have it.
    fn install_hint(&self, task: &HarnessTask) -> String;

    /// What to start for `task`, whose `home` is private to the run. Files that the program expects are written by the
    /// engine before it starts.
    ///
    /// # Errors
    /// When the task asks for what the program can't do.
    fn launch(&self, task: &HarnessTask) -> Result<Launch, Error>;

    /// A reader for the output of one start.
    fn reader(&self, task: &HarnessTask) -> Box<dyn Reader>;

    /// Where the conversation `session_id` lies in the home after the program has ended, and how it was changed.
    fn saved(&self, task: &HarnessTask, session_id: &str) -> Option<SavedSession>;

    /// What to write to its standard input to give it another message while it works; `None` when it takes none.
    fn message(&self, text: &str) -> Option<String> {
        let _ = text;
        None
    }

    /// Whether it asks before each call with [`Told::Wish`].
    fn asks(&self) -> bool {
        false
    }

    /// What to write to its standard input as the word on a call that it asked for with [`Told::Wish`].
    fn word(&self, permit: &Permit) -> String {
        let _ = permit;
        String::new()
    }

    /// What to write to its standard input to end the step that it is at; `None` when that would end it.
    fn interruption(&self) -> Option<String> {
        None
    }
}

/// What to start.
#[derive(Default)]
pub(crate) struct Launch {
    /// The program, looked for in the `PATH` of the task, and its arguments.
    pub(crate) words: Vec<String>,
    /// Variables beside those of the task; they win.
    pub(crate) env: BTreeMap<String, String>,
    /// Files to write first, by their paths in the home of the task; nobody else can read them.
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    /// Where in the home the directories of the task's skills are copied to.
    pub(crate) skills: Option<PathBuf>,
    /// What to write to its standard input.
    pub(crate) stdin: Option<String>,
    /// Whether its standard input stays open for [`Dialect::message`] until [`Told::Rest`].
    pub(crate) listens: bool,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Variables, files and arguments may hold secrets.
        f.debug_struct("Launch").field("program", &self.words.first()).finish_non_exhaustive()
    }
}

/// Reads what a program tells of its work. It is pure.
pub(crate) trait Reader: Send {
    /// What a line of standard output means. A line that is too long for memory has been cut.
    fn line(&mut self, line: &str) -> Vec<Told>;

    /// What it means that the program ended with `exit_code`, after `errors`, the end of its standard error.
    fn end(&mut self, exit_code: i32, errors: &str) -> End;
}

/// What a line of output means.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    /// Something happened.
    Event(HarnessEvent),
    /// The conversation has this name.
    Session(String),
    /// Another model call begins, which counts against `max_turns`.
    Turn,
    /// It did what it was asked and ends unless it is asked more.
    Rest,
    /// It wants to make a call and waits for [`Dialect::word`].
    Wish(Wish),
    /// It does not wait for the word on this any more.
    Unwished(String),
    /// It goes on, but nothing can come of it: it is ended.
    Hopeless(ErrorCode, String),
}

/// How a program ended.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    /// It did its task, with this summary.
    Done(Option<String>),
    /// It did not.
    Failed(ErrorCode, String),
}

/// A command line agent as a harness.
pub(crate) struct Foreign {
    dialect: Arc<dyn Dialect>,
    cancel: CancellationToken,
    conversation: Arc<Mutex<Conversation>>,
    waiting: Arc<Waiting>,
}

/// What is known of the one conversation of a [`Foreign`].
#[derive(Default)]
struct Conversation {
    task: Option<HarnessTask>,
    session_id: Option<String>,
    /// Where messages go while the program takes some.
    input: Option<mpsc::UnboundedSender<engine::Input>>,
}

impl Foreign {
    /// The command line agent for this choice; `None` for the native one.
    pub(crate) fn of(kind: &HarnessType) -> Option<Self> {
        Some(match kind {
            HarnessType::Claude => Self::new(claude::Claude),
            HarnessType::Codex => Self::new(codex::Codex),
            HarnessType::Gemini => Self::new(gemini::Gemini),
            HarnessType::Opencode => Self::new(opencode::Opencode),
            HarnessType::Command => Self::new(command::Command),
            _ => return None,
        })
    }

    pub(crate) fn new(dialect: impl Dialect + 'static) -> Self {
        Self {
            dialect: Arc::new(dialect),
            cancel: CancellationToken::new(),
            conversation: Arc::default(),
            waiting: Arc::default(),
        }
    }

    fn conversation(&self) -> std::sync::MutexGuard<'_, Conversation> {
        self.conversation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, input: engine::Input) -> Result<(), Error> {
        let late =
            || Error::settled(format!("the harness '{}' takes no messages: it does not work", self.name()));
        let conversation = self.conversation();
        conversation.input.as_ref().ok_or_else(late)?.send(input).map_err(|_| late())
    }
}

#[async_trait]
impl Harness for Foreign {
    fn name(&self) -> &str {
        self.dialect.name()
    }

    async fn start(self: Arc<Self>, task: HarnessTask) -> Result<BoxStream<'static, HarnessEvent>, Error> {
        {
            let mut conversation = self.conversation();
            if conversation.task.is_some() {
                return Err(Error::settled("this agent was started already"));
            }
            conversation.task = Some(task.clone());
        }
        engine::start(&self, task)
    }

    async fn send(&self, message: String) -> Result<(), Error> {
        let Some(text) = self.dialect.message(&message) else {
            return Err(Error::unsupported(format!(
                "the harness '{}' takes no messages while it works",
                self.name()
            )));
        };
        self.put(engine::Input::Message(text))
    }

    async fn answer(&self, request_id: Uuid, answer: Answer) -> Result<(), Error> {
        self.waiting.answer(request_id, answer)
    }

    async fn interrupt(&self) -> Result<(), Error> {
        let Some(text) = self.dialect.interruption() else {
            return Err(Error::unsupported(format!(
                "the harness '{}' can't be interrupted without ending it",
                self.name()
            )));
        };
        self.put(engine::Input::Interruption(text))
    }

    async fn save(&self) -> Option<SavedSession> {
        let (task, session_id) = {
            let conversation = self.conversation();
            (conversation.task.clone()?, conversation.session_id.clone()?)
        };
        let dialect = Arc::clone(&self.dialect);
        tokio::task::spawn_blocking(move || dialect.saved(&task, &session_id)).await.ok().flatten()
    }

    async fn cancel(&self) {
        self.cancel.cancel();
    }
}

#[cfg(test)]
mod tests;
