//! Servers that are programs: messages go over their standard input and output.

use crate::{process::Family, tool::Desk};
use oz_core::{Redactor, config::McpServerConfig, env::PROCESS_MARK};
use rmcp::{
    RoleClient,
    transport::{Transport, async_rw::AsyncRwTransport},
};
use rustix::process::Pid;
use std::{
    collections::VecDeque,
    io,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

/// The most that a program may write in its life; one that writes more than this floods.
const MOST: u64 = 1 << 30;
/// The longest message.
const MESSAGE: usize = 16 << 20;
/// How long one that stopped talking may take to end.
const END: Duration = Duration::from_millis(500);
/// How much of the end of its errors is kept.
const ERRORS: usize = 2 << 10;

/// The program of a server. Dropping it kills it with everything that came of it.
pub(super) struct Program {
    child: Child,
    family: Family,
    errors: Arc<Mutex<VecDeque<u8>>>,
    reading: JoinHandle<()>,
    redactor: Redactor,
}

impl Program {
    /// The last lines of its standard error, in one.
    pub(super) fn last_words(&self) -> Option<String> {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = errors.iter().copied().collect();
        let text = self.redactor.string(String::from_utf8_lossy(&bytes).into_owned());
        let mut lines: Vec<&str> =
            text.lines().rev().map(str::trim).filter(|line| !line.is_empty()).take(5).collect();
        lines.reverse();
        (!lines.is_empty()).then(|| lines.join(" | "))
    }

    /// Lets it end, if it is about to, and its last errors be read. Answers whether it ended.
    pub(super) async fn settle(&mut self) -> bool {
        let ending = async {
            let ended = self.child.wait().await.is_ok();
            let _ = (&mut self.reading).await;
            ended
        };
        timeout(END, ending).await.unwrap_or(false)
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        // Its number may now be another's.
        self.family.leader = None;
        Some(status.to_string())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.family.kill();
        let _ = self.child.start_kill();
    }
}

/// Starts the program of a server.
pub(super) fn start(
    program: &str,
    config: &McpServerConfig,
    desk: &Desk,
) -> io::Result<(impl Transport<RoleClient, Error = io::Error> + use<>, Program)> {
    let root = desk.workspace.root();
    let directory = config.working_directory.as_ref().map_or_else(|| root.to_owned(), |dir| root.join(dir));
    let mark = desk.household.mark();
    let words = desk.network.words([program]);
    let mut child = Command::new(words[0])
        .args(&words[1..])
        .args(&config.args)
        .current_dir(directory)
        .env_clear()
        .envs(&desk.env)
        .envs(&config.env)
        .env(PROCESS_MARK, &mark)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let leader = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let family = Family { leader, mark };
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(input), Some(output), Some(errors)) = (input, output, errors) else {
        return Err(io::Error::other("its standard input and output are not there"));
    };
    let kept = Arc::default();
    let reading = tokio::spawn(keep(errors, Arc::clone(&kept)));
    let program = Program { child, family, errors: kept, reading, redactor: desk.redactor.clone() };
    let transport = AsyncRwTransport::new_client(output.take(MOST), input).with_max_line_length(MESSAGE);
    Ok((transport, program))
}

/// Reads errors to their end, so that the program never waits for a reader, and keeps the last of them.
async fn keep(mut errors: impl AsyncRead + Unpin, kept: Arc<Mutex<VecDeque<u8>>>) {
    let mut buffer = [0; 4 << 10];
    while let Ok(n @ 1..) = errors.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&buffer[..n]);
        let over = kept.len().saturating_sub(ERRORS);
        kept.drain(..over);
    }
}
