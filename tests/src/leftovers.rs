//! The end of a world: stopping its processes, and looking for what should not be there any more.

use crate::{World, database::Database, processes};
use oz_core::RunState;
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

impl World {
    /// Stops every process, politely first.
    pub(crate) fn stop_all(&mut self) -> bool {
        let mut polite = true;
        for child in self.workers.iter_mut().chain(&mut self.replicas).chain(self.server.as_mut()) {
            if let Ok(None) = child.try_wait()
                && let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap_or(0))
            {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
        for child in self.workers.iter_mut().chain(&mut self.replicas).chain(self.server.as_mut()) {
            let deadline = Instant::now() + Duration::from_secs(10);
            while let Ok(None) = child.try_wait() {
                if Instant::now() > deadline {
                    polite = false;
                    let _ = child.kill();
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
        polite
    }

    /// What a finished world must not have: unfinished runs, agent processes, workspaces, processes.
    pub(crate) fn leftovers(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        let unfinished = unfinished(&self.database());
        left.extend(unfinished.into_iter().map(|(id, state)| format!("run {id} is {state}")));
        self.no_agents_quietly(&mut left);
        if !self.stop_all() {
            left.push("a process did not stop within 10 s of SIGTERM".into());
        }
        let processes = processes::naming(self.dir.path());
        left.extend(processes.into_iter().map(|p| format!("process {} is alive: {}", p.pid, p.command)));
        let workspaces = list(&self.workspaces());
        left.extend(workspaces.into_iter().map(|path| format!("workspace {} is left", path.display())));
        left
    }

    fn no_agents_quietly(&self, left: &mut Vec<String>) {
        let deadline = Instant::now() + Duration::from_secs(3);
        loop {
            let agents = processes::of_agents(&self.workspaces());
            if agents.is_empty() {
                return;
            }
            if Instant::now() > deadline {
                left.extend(
                    agents.into_iter().map(|p| format!("agent process {} is alive: {}", p.pid, p.command)),
                );
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn unfinished(db: &Database) -> Vec<(String, String)> {
    let live: Vec<String> =
        RunState::ALL.iter().filter(|s| !s.is_terminal()).map(|s| format!("'{}'", s.as_str())).collect();
    let rows = db.select(&format!("SELECT run_id, state FROM runs WHERE state IN ({})", live.join(",")));
    let text = |value: Option<String>| value.unwrap_or_default();
    rows.into_iter()
        .map(|row| {
            let mut row = row.into_iter().map(text);
            (row.next().unwrap_or_default(), row.next().unwrap_or_default())
        })
        .collect()
}

/// The workspaces that are left under a root: its directories, also of each worker, but not the roots' own files.
fn list(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        if !path.is_dir() {
            continue;
        }
        let is_run = entry.file_name().to_string_lossy().parse::<uuid::Uuid>().is_ok();
        if is_run {
            found.push(path);
        } else {
            found.extend(list(&path));
        }
    }
    found
}
