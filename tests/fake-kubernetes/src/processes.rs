//! Containers that are processes of this machine.

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// A container's processes.
pub(crate) struct Process {
    pub(crate) pod: String,
    group: Option<Pid>,
    /// What runs in the container before it is asked to end.
    pre_stop: Option<Hook>,
}

/// A hook of a container, with its environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hook {
    pub(crate) words: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) directory: std::path::PathBuf,
}

impl Process {
    pub(crate) fn new(pod: &str, id: Option<u32>, hook: Hook) -> Self {
        let group = id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let pre_stop = (!hook.words.is_empty()).then_some(hook);
        Self { pod: pod.to_owned(), group, pre_stop }
    }

    /// Asks the container to end and kills it after some seconds, as a kubelet does.
    pub(crate) fn end(&self, grace: u64) {
        let (group, pre_stop) = (self.group, self.pre_stop.clone());
        thread::spawn(move || {
            let deadline = Instant::now() + Duration::from_secs(grace);
            if let Some(hook) = pre_stop {
                let _ = command(&hook).status();
            }
            signal(group, Signal::TERM);
            while group.is_some_and(|group| test_kill_process_group(group).is_ok())
                && Instant::now() < deadline
            {
                thread::sleep(Duration::from_millis(10));
            }
            signal(group, Signal::KILL);
        });
    }

    pub(crate) fn kill(&self) {
        signal(self.group, Signal::KILL);
    }
}

fn command(hook: &Hook) -> Command {
    let mut command = Command::new(hook.words.first().map_or("true", String::as_str));
    command
        .args(hook.words.iter().skip(1))
        .env_clear()
        .envs(hook.variables.iter().map(|(name, value)| (name, value)))
        .current_dir(&hook.directory);
    command
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        let _ = kill_process_group(group, signal);
    }
}
