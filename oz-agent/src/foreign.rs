//! Command line agents of others behind the [`Harness`](oz_core::harness::Harness) seam. One engine starts the program,
//! reads what it tells, ends its whole family of processes and reports; what differs from program to program is a
//! [`Dialect`], one file for each.

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use oz_core::{
    Error, ErrorCode,
    config::HarnessType,
    harness::{Harness, HarnessEvent, HarnessTask, SavedSession},
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// How one command line agent is started and understood. It starts nothing itself.
pub(crate) trait Dialect: Send + Sync {
    /// The harness's name, such as `claude`.
    fn name(&self) -> &'static str;

    /// The format of its conversations, such as `claude_code`.
    fn format(&self) -> &'static str;

    /// How to get the program, for who does not have it.
    fn install_hint(&self) -> String;

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
}

/// What to start.
#[derive(Debug, Default)]
pub(crate) struct Launch {
    /// The program, looked for in the `PATH` of the task, and its arguments.
    pub(crate) words: Vec<String>,
    /// Variables beside those of the task.
    pub(crate) env: BTreeMap<String, String>,
    /// Files to write first, by their paths in the home of the task; nobody else can read them.
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    /// What to write to its standard input, which is closed then.
    pub(crate) stdin: Option<String>,
}

/// Reads what a program tells of its work. It is pure.
pub(crate) trait Reader: Send {
    /// What a line of standard output means.
    fn line(&mut self, line: &str) -> Vec<Told>;

    /// What it means that the program ended with `exit_code`, after `errors`, the end of its standard error.
    fn end(&mut self, exit_code: i32, errors: &str) -> End;
}

/// What a line of output means.
#[derive(Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "each lives for a moment")]
pub(crate) enum Told {
    /// Something happened.
    Event(HarnessEvent),
    /// The conversation has this name.
    Session(String),
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
    dialect: Box<dyn Dialect>,
}

impl Foreign {
    /// The command line agent for this choice; `None` for the native one.
    pub(crate) fn of(kind: &HarnessType) -> Option<Self> {
        let _ = kind;
        None
    }
}

#[async_trait]
impl Harness for Foreign {
    fn name(&self) -> &str {
        self.dialect.name()
    }

    async fn start(self: Arc<Self>, _: HarnessTask) -> Result<BoxStream<'static, HarnessEvent>, Error> {
        Err(Error::unsupported(format!("the harness '{}' is not available in this build", self.name())))
    }

    async fn send(&self, _: String) -> Result<(), Error> {
        Err(Error::unsupported(format!("the harness '{}' takes no messages while it works", self.name())))
    }

    async fn cancel(&self) {}
}
