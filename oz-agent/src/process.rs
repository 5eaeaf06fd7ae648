//! Processes that this one started, and how they are ended. It kills a command with everything that came of it, and
//! never a process that it can't tell to be such.

mod signals;

use oz_core::env::PROCESS_MARK;
use rustix::process::{Pid, Signal};
use std::{
    collections::HashSet,
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

pub(crate) use signals::unignore;

/// What belongs to one command, or to all commands of one agent.
#[derive(Debug)]
pub(crate) struct Family {
    /// The leader of the process group, as long as nobody has waited for it: afterwards its number may be another's.
    pub(crate) leader: Option<Pid>,
    /// The beginning of the value of [`PROCESS_MARK`], which is found even where a process has left its group and its parents behind.
    pub(crate) mark: String,
}

/// All commands of one agent. Dropping it kills what they left in the background.
#[derive(Debug)]
pub(crate) struct Household {
    mark: String,
    any: AtomicBool,
}

impl Household {
    pub(crate) fn new() -> Self {
        Self { mark: uuid::Uuid::new_v4().simple().to_string(), any: AtomicBool::new(false) }
    }

    /// A mark for one more command.
    pub(crate) fn mark(&self) -> String {
        self.any.store(true, Ordering::Relaxed);
        format!("{}.{}", self.mark, uuid::Uuid::new_v4().simple())
    }
}

impl Drop for Household {
    fn drop(&mut self) {
        if self.any.load(Ordering::Relaxed) {
            Family { leader: None, mark: self.mark.clone() }.kill();
        }
    }
}

struct Row {
    pid: Pid,
    parent: i32,
    group: i32,
    zombie: bool,
}

impl Family {
    /// Kills every process of the family. All are stopped before any is killed, so that one that forks without end
    /// can't outrun the search.
    pub(crate) fn kill(&self) {
        if let Some(leader) = self.leader {
            let _ = rustix::process::kill_process_group(leader, Signal::STOP);
        }
        let mut seen = HashSet::new();
        loop {
            let fresh: Vec<Pid> = self.members().into_iter().filter(|pid| seen.insert(*pid)).collect();
            if fresh.is_empty() {
                break;
            }
            for pid in fresh {
                // One that is gone already is what this is about.
                let _ = rustix::process::kill_process(pid, Signal::STOP);
            }
        }
        for pid in seen {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        if let Some(leader) = self.leader {
            let _ = rustix::process::kill_process_group(leader, Signal::KILL);
        }
    }

    /// The live processes of the family; where there is no `/proc`, none are found.
    fn members(&self) -> Vec<Pid> {
        let table = table();
        let me = rustix::process::getpid();
        let leader = self.leader.map(Pid::as_raw_pid);
        let mut family: HashSet<i32> = table
            .iter()
            .filter(|row| leader == Some(row.group) || (!row.zombie && self.marked(row.pid)))
            .map(|row| row.pid.as_raw_pid())
            .chain(leader)
            .collect();
        loop {
            let before = family.len();
            family.extend(
                table
                    .iter()
                    .filter(|row| family.contains(&row.parent))
                    .map(|row| row.pid.as_raw_pid())
                    .collect::<Vec<_>>(),
            );
            if family.len() == before {
                break;
            }
        }
        let live = |row: &&Row| !row.zombie && row.pid != me && family.contains(&row.pid.as_raw_pid());
        table.iter().filter(live).map(|row| row.pid).collect()
    }

    fn marked(&self, pid: Pid) -> bool {
        let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_pid())).unwrap_or_default();
        let beginning = format!("{PROCESS_MARK}={}", self.mark);
        environment.split(|byte| *byte == 0).any(|entry| entry.starts_with(beginning.as_bytes()))
    }
}

/// The process table.
fn table() -> Vec<Row> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let raw: i32 = entry.file_name().to_str()?.parse().ok()?;
            row(Pid::from_raw(raw)?, &fs::read(format!("/proc/{raw}/stat")).ok()?)
        })
        .collect()
}

/// Reads `/proc/PID/stat`. The program's name stands in parentheses and may itself contain some.
fn row(pid: Pid, stat: &[u8]) -> Option<Row> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(stat.get(end + 1..)?).ok()?.split_ascii_whitespace();
    let zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    Some(Row { pid, parent, group, zombie })
}

/// Ties this process to its worker: it dies when its parent does, and no other process may read its memory or its
/// environment, which hold the keys of the run and of model providers.
pub(crate) fn belong_to_the_worker() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior, set_parent_process_death_signal};
        // A kernel that refuses leaves the run to its lease, as on other systems.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_program_name_does_not_confuse_the_table() {
        let pid = Pid::from_raw(7).unwrap();
        let found = row(pid, b"7 (a) Z 1 (b)) S 3 4 5 0 -1").unwrap();
        assert_eq!((found.parent, found.group, found.zombie), (3, 4, false));
        assert!(row(pid, b"7 (x) Z 3 4 0 0").unwrap().zombie);
        assert!(row(pid, b"nonsense").is_none());
    }
}
