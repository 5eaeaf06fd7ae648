//! What the kernel tells of processes, and how a set of them is killed until none is left. It never decides which
//! processes belong to a run; its callers say so.

use rustix::process::{Pid, Signal, WaitOptions};
use std::{
    collections::HashSet,
    fs,
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    time::{Duration, Instant},
};

/// A row of the process table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) pid: Pid,
    pub(crate) parent: Option<Pid>,
    pub(crate) session: Option<Pid>,
    pub(crate) zombie: bool,
}

/// The processes of this machine at one moment; empty where there is no `/proc`.
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn read() -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| {
            Pid::from_raw(entry.file_name().to_str()?.parse::<u32>().ok()?.cast_signed())
        });
        Self(pids.filter_map(|pid| Row::parse(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?)).collect())
    }

    /// The children of `parent`, dead ones that nobody waited for included.
    pub(crate) fn children(&self, parent: Pid) -> impl Iterator<Item = &Row> {
        self.0.iter().filter(move |row| row.parent == Some(parent))
    }

    /// The live processes whose environment at their start had `entry`, which is `NAME=value`.
    pub(crate) fn marked<'a>(&'a self, entry: &'a str) -> impl Iterator<Item = Pid> + 'a {
        self.0.iter().filter(|row| !row.zombie && has_environment(row.pid, entry)).map(|row| row.pid)
    }

    /// The live processes among `roots` and all that descend from them.
    pub(crate) fn trees(&self, roots: impl IntoIterator<Item = Pid>) -> HashSet<Pid> {
        let mut found = HashSet::new();
        let mut open: Vec<Pid> = roots.into_iter().collect();
        while let Some(pid) = open.pop() {
            if found.insert(pid) {
                open.extend(self.children(pid).map(|row| row.pid));
            }
        }
        self.0.iter().filter(|row| !row.zombie && found.contains(&row.pid)).map(|row| row.pid).collect()
    }

    /// The live processes that descend from `ancestor`.
    pub(crate) fn descendants(&self, ancestor: Pid) -> HashSet<Pid> {
        self.trees(self.children(ancestor).map(|row| row.pid))
    }
}

impl Row {
    /// Reads `/proc/PID/stat`. The program's name stands in parentheses and may itself contain some.
    fn parse(pid: Pid, stat: &[u8]) -> Option<Self> {
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
        let mut fields = rest.split_ascii_whitespace();
        let zombie = matches!(fields.next()?, "Z" | "X");
        // A process that is just being buried has the session -1, which `Pid` would not take.
        let pid_of = |field: &str| field.parse().ok().filter(|raw| *raw > 0).and_then(Pid::from_raw);
        let parent = pid_of(fields.next()?);
        let session = pid_of(fields.nth(1)?);
        Some(Self { pid, parent, session, zombie })
    }
}

/// The exit code of a process, 128 + n after signal n.
pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// Whether the environment of `pid` at its start had `entry`.
pub(crate) fn has_environment(pid: Pid, entry: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|found| found == entry.as_bytes())
}

/// Makes the calling process the parent of every orphan among its descendants.
pub(crate) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::warn!(%error, "can't become the parent of orphaned processes; some may outlive their run");
    }
}

/// Kills what `targets` selects. Everything is stopped before anything is killed, so that a process that forks
/// without end can't get ahead of the walk. Answers whether there was anything to kill.
pub(crate) fn kill_once(targets: impl Fn(&Table) -> HashSet<Pid>) -> bool {
    let mut seen = HashSet::new();
    loop {
        let found = targets(&Table::read());
        let fresh: Vec<Pid> = found.difference(&seen).copied().collect();
        if fresh.is_empty() {
            break;
        }
        for pid in fresh {
            // A process that is gone already is what this is about.
            let _ = rustix::process::kill_process(pid, Signal::STOP);
            seen.insert(pid);
        }
    }
    for pid in &seen {
        let _ = rustix::process::kill_process(*pid, Signal::KILL);
    }
    !seen.is_empty()
}

/// Kills what `targets` selects again and again until it selects nothing. Answers whether that was so within `limit`.
pub(crate) fn kill_until_gone(limit: Duration, targets: impl Fn(&Table) -> HashSet<Pid>) -> bool {
    let start = Instant::now();
    while kill_once(&targets) {
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Kills what a guard left to this process when the guard itself was killed: the children of this process that are in
/// the guard's `session` or carry `mark` in their environment, and their descendants. Nobody else waits for those, so
/// they are reaped too. Other children of this process are not touched.
pub(crate) fn kill_orphans(session: Pid, mark: &str, limit: Duration) -> bool {
    let me = rustix::process::getpid();
    let orphan = |row: &Row| row.session == Some(session) || (!row.zombie && has_environment(row.pid, mark));
    let start = Instant::now();
    let mut killed = HashSet::new();
    loop {
        let table = Table::read();
        let dead = |row: &&Row| row.zombie && (row.session == Some(session) || killed.contains(&row.pid));
        for row in table.children(me).filter(dead) {
            let _ = rustix::process::waitpid(Some(row.pid), WaitOptions::NOHANG);
        }
        let found = table.trees(table.children(me).filter(|row| orphan(row)).map(|row| row.pid));
        if found.is_empty() && !table.children(me).any(|row| killed.contains(&row.pid)) {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        killed.extend(found);
        kill_once(|table| table.trees(table.children(me).filter(|row| orphan(row)).map(|row| row.pid)));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn row(pid: i32, parent: i32, zombie: bool) -> Row {
        Row { pid: Pid::from_raw(pid).unwrap(), parent: Pid::from_raw(parent), session: None, zombie }
    }

    #[test]
    fn a_hostile_program_name_does_not_confuse_the_table() {
        let pid = Pid::from_raw(7).unwrap();
        let row = Row::parse(pid, b"7 (a) Z 1 (b)) S 3 4 5 0 -1").unwrap();
        assert_eq!((row.parent, row.session, row.zombie), (Pid::from_raw(3), Pid::from_raw(5), false));
        assert!(Row::parse(pid, b"7 (x) Z 3 4 0 0").unwrap().zombie);
        assert_eq!(Row::parse(pid, b"7 (x) X 0 -1 -1 0").unwrap().session, None);
        assert!(Row::parse(pid, b"nonsense").is_none());
    }

    #[test]
    fn descendants_are_found_at_any_depth_below_dead_ones_too() {
        let table = Table(vec![row(2, 1, false), row(3, 2, true), row(4, 3, false), row(5, 9, false)]);
        let mut found: Vec<i32> =
            table.descendants(Pid::from_raw(1).unwrap()).iter().map(|p| p.as_raw_pid()).collect();
        found.sort_unstable();
        assert_eq!(found, [2, 4]);
    }

    #[test]
    fn marked_processes_and_their_children_are_killed() {
        let mark = format!("OZ_TEST_MARK={}", uuid::Uuid::new_v4());
        let (name, value) = mark.split_once('=').unwrap();
        let mut child =
            Command::new("sh").args(["-c", "env -i sleep 60 & wait"]).env(name, value).spawn().unwrap();
        while !has_environment(Pid::from_child(&child), &mark)
            || Table::read().descendants(Pid::from_child(&child)).is_empty()
        {
            std::thread::yield_now();
        }
        assert!(kill_until_gone(Duration::from_secs(5), |table| table.trees(table.marked(&mark))));
        assert!(!child.wait().unwrap().success());
    }
}
