//! Takes a conversation out of opencode's database.

use crate::foreign::{Launch, home, program};
use oz_core::harness::HarnessTask;
use std::{
    fs::{self, File},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long that may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How often to look whether it is done.
const LOOK: Duration = Duration::from_millis(50);

/// The conversation `session_id` as `opencode export` writes it; `None` when it can't.
pub(super) fn exported(task: &HarnessTask, launch: &Launch, session_id: &str) -> Option<Vec<u8>> {
    let env = home::environment(task, launch);
    let program = program::find("opencode", &env, &task.workspace)?;
    let to = task.home.join(".oz/exported.json");
    let program = program.to_string_lossy();
    let words = task.network.words([&*program, "export", session_id]);
    let mut child = Command::new(words[0])
        .args(&words[1..])
        .current_dir(&task.workspace)
        .env_clear()
        .envs(env)
        .stdin(Stdio::null())
        .stdout(File::create(&to).ok()?)
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let begun = Instant::now();
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.success(),
            Ok(None) if begun.elapsed() < LIMIT => sleep(LOOK),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                break false;
            }
        }
    };
    let content = fs::read(&to).ok().filter(|_| ended)?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&content).is_ok().then_some(content)
}
