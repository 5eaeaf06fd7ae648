//! What is alive on this machine, as far as a test is concerned.

use std::{fs, path::Path};

/// A process that belongs to a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its command line.
    pub command: String,
}

/// The live processes whose environment, working directory or command line names `dir`. Zombies don't count.
#[must_use]
pub fn naming(dir: &Path) -> Vec<Process> {
    let needle = dir.as_os_str().as_encoded_bytes();
    let contains = |hay: &[u8]| hay.windows(needle.len()).any(|w| w == needle);
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let root = entry.path();
        let stat = fs::read_to_string(root.join("stat")).unwrap_or_default();
        if stat.rsplit(") ").next().is_none_or(|rest| rest.starts_with('Z')) {
            continue;
        }
        let environ = fs::read(root.join("environ")).unwrap_or_default();
        let command = fs::read(root.join("cmdline")).unwrap_or_default();
        let cwd = fs::read_link(root.join("cwd")).unwrap_or_default();
        if contains(&environ) || contains(&command) || cwd.starts_with(dir) {
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            found.push(Process { pid, command: command.trim().to_owned() });
        }
    }
    found
}

/// The live processes of a world that are agents or their commands: everything that names the workspaces.
#[must_use]
pub fn of_agents(workspaces: &Path) -> Vec<Process> {
    let servers = |p: &Process| {
        [" serve ", " worker "].iter().any(|w| p.command.contains(w)) && !p.command.contains(" guard ")
    };
    naming(workspaces).into_iter().filter(|p| !servers(p)).collect()
}

/// Kills a process without asking it.
pub fn kill_9(pid: i32) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}
