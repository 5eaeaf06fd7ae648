//! A program of others at its start: its home is furnished, its environment is its own, its processes are marked.

use super::{Conversation, Dialect, Launch, engine::Input, home, program};
use crate::{
    command::Guard,
    process::{Family, Household},
};
use oz_core::{Error, ErrorCode, env::PROCESS_MARK, harness::HarnessTask};
use rustix::process::Pid;
use std::{
    process::Stdio,
    sync::{Mutex, PoisonError},
};
use tokio::{process::Child, sync::mpsc};

/// A program that was started.
pub(super) struct Begun {
    pub(super) child: Child,
    pub(super) guard: Guard,
    pub(super) launch: Launch,
    pub(super) inputs: mpsc::UnboundedReceiver<Input>,
}

/// Starts the program for `task`.
///
/// # Errors
/// When it is not there, or can't be started.
pub(super) fn begin(
    dialect: &dyn Dialect,
    conversation: &Mutex<Conversation>,
    task: &HarnessTask,
) -> Result<Begun, Error> {
    let launch = dialect.launch(task)?;
    home::furnish(task, &launch)?;
    let (child, guard) = spawn(dialect, task, &launch)?;
    let (sender, inputs) = mpsc::unbounded_channel();
    let mut conversation = conversation.lock().unwrap_or_else(PoisonError::into_inner);
    conversation.session_id = task.saved.as_ref().map(|saved| saved.session_id.clone());
    conversation.input = Some(sender).filter(|_| launch.listens);
    Ok(Begun { child, guard, launch, inputs })
}

fn spawn(dialect: &dyn Dialect, task: &HarnessTask, launch: &Launch) -> Result<(Child, Guard), Error> {
    let env = home::environment(task, launch);
    let failed = |text: String| Error::new(ErrorCode::EnvironmentSetupFailed, text);
    let (word, arguments) =
        launch.words.split_first().ok_or_else(|| failed("there is no program to start".to_owned()))?;
    let program = program::find(word, &env, &task.workspace).ok_or_else(|| {
        failed(format!(
            "the harness '{}' needs the program '{word}', which is not in the PATH of the run; {}",
            dialect.name(),
            dialect.install_hint(task)
        ))
    })?;
    let mark = Household::new().mark();
    let stdin = if launch.stdin.is_some() || launch.listens { Stdio::piped() } else { Stdio::null() };
    let path = program.to_string_lossy();
    let words = task.network.words([&*path]);
    let child = tokio::process::Command::new(words[0])
        .args(&words[1..])
        .args(arguments)
        .current_dir(&task.workspace)
        .env_clear()
        .envs(env)
        .env(PROCESS_MARK, &mark)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|e| failed(format!("'{}' can't be started: {e}", program.display())))?;
    let leader = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    Ok((child, Guard(Some(Family { leader, mark }))))
}
