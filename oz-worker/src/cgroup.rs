//! A control group for the processes of one run: what they may use together, and a way to end them all, however they
//! hide. Version 2 is used where it has what is needed, else version 1.

mod tree;

use oz_core::config::Sandbox;
use rustix::process::{Pid, Signal};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tree::{Controller, Hierarchy};

/// How long ending all processes may take.
const LIMIT: Duration = Duration::from_secs(5);
/// The time in which processor time is counted, in microseconds.
const PERIOD: u64 = 100_000;

/// A control group. Dropping it kills what is in it, but for the process that drops it.
#[derive(Debug)]
pub struct Cgroup {
    /// Its directory in every hierarchy, and the one that this process came from.
    places: Vec<(Hierarchy, PathBuf)>,
    memory_mb: Option<u64>,
}

impl Cgroup {
    /// Makes a group called `name` with these limits.
    ///
    /// # Errors
    /// Which limit can't be had here, and why.
    pub fn create(name: &str, limits: &Sandbox) -> Result<Self, String> {
        let mut needed = vec![Controller::Pids];
        needed.extend(limits.memory_mb.map(|_| Controller::Memory));
        needed.extend(limits.cpus.map(|_| Controller::Cpu));
        let mut group = Self { places: Vec::new(), memory_mb: limits.memory_mb };
        for (hierarchy, own) in tree::find(&needed)? {
            let directory = hierarchy.make(&own, name)?;
            group.places.push((Hierarchy { directory, ..hierarchy }, own));
        }
        group.limit(limits)?;
        Ok(group)
    }

    fn limit(&self, limits: &Sandbox) -> Result<(), String> {
        if let Some(memory) = limits.memory_mb {
            let bytes = (memory << 20).to_string();
            self.set(Controller::Memory, "memory.limit_in_bytes", "memory.max", &bytes)?;
            // Where there is no swap, there is nothing to limit.
            let _ = self.set(
                Controller::Memory,
                "memory.memsw.limit_in_bytes",
                "memory.swap.max",
                &bytes_of_swap(self, &bytes),
            );
        }
        if let Some(cpus) = limits.cpus {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was checked")]
            let quota = ((cpus * PERIOD as f64) as u64).max(1000);
            if self.is_v2() {
                self.set(Controller::Cpu, "", "cpu.max", &format!("{quota} {PERIOD}"))?;
            } else {
                self.set(Controller::Cpu, "cpu.cfs_period_us", "", &PERIOD.to_string())?;
                self.set(Controller::Cpu, "cpu.cfs_quota_us", "", &quota.to_string())?;
            }
        }
        if let Some(count) = limits.max_processes {
            self.set(Controller::Pids, "pids.max", "pids.max", &count.to_string())?;
        }
        Ok(())
    }

    fn is_v2(&self) -> bool {
        self.places.iter().any(|(hierarchy, _)| hierarchy.v2)
    }

    /// The file of a controller, by its names in version 1 and 2.
    fn file(&self, controller: Controller, v1: &str, v2: &str) -> Option<PathBuf> {
        let (hierarchy, _) = self.places.iter().find(|(h, _)| h.controllers.contains(&controller))?;
        Some(hierarchy.directory.join(if hierarchy.v2 { v2 } else { v1 }))
    }

    fn set(&self, controller: Controller, v1: &str, v2: &str, value: &str) -> Result<(), String> {
        let missing = || format!("this machine has no control groups for '{}'", controller.name());
        let file = self.file(controller, v1, v2).ok_or_else(missing)?;
        fs::write(&file, value).map_err(|e| format!("'{}' can't be set to {value}: {e}", file.display()))
    }

    /// Moves this process into the group; what it starts from now on is in it, too.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn join(&self) -> io::Result<()> {
        self.places.iter().try_for_each(|(h, _)| fs::write(h.directory.join("cgroup.procs"), "0"))
    }

    /// Moves this process back to where it was.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn leave(&self) -> io::Result<()> {
        self.places.iter().try_for_each(|(_, own)| fs::write(own.join("cgroup.procs"), "0"))
    }

    /// The file in which the kernel counts processes that it killed for want of memory.
    #[must_use]
    pub fn memory_events(&self) -> Option<PathBuf> {
        self.memory_mb?;
        self.file(Controller::Memory, "memory.oom_control", "memory.events")
    }

    /// How that is told, when it killed any.
    #[must_use]
    pub fn out_of_memory(&self) -> Option<String> {
        let kills = kills(&fs::read_to_string(self.memory_events()?).ok()?);
        (kills > 0).then(|| {
            format!(
                "the run used more than {} MiB of memory and was stopped",
                self.memory_mb.unwrap_or_default()
            )
        })
    }

    /// Kills all processes of the group but this one. Answers whether none is left.
    pub fn kill(&self) -> bool {
        // Nothing can be born while everything dies.
        let _ = self.set(Controller::Pids, "pids.max", "pids.max", "0");
        let me = rustix::process::getpid();
        let start = Instant::now();
        loop {
            let members: Vec<Pid> = self.members().into_iter().filter(|pid| *pid != me).collect();
            if members.is_empty() {
                return true;
            }
            if start.elapsed() > LIMIT {
                return false;
            }
            let inside = self.members().contains(&me);
            let all = self.places.iter().find(|(hierarchy, _)| hierarchy.v2).filter(|_| !inside);
            if all.is_none_or(|(h, _)| fs::write(h.directory.join("cgroup.kill"), "1").is_err()) {
                for pid in members {
                    // One that is gone already is what this is about.
                    let _ = rustix::process::kill_process(pid, Signal::KILL);
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn members(&self) -> Vec<Pid> {
        let read = |(h, _): &(Hierarchy, PathBuf)| {
            fs::read_to_string(h.directory.join("cgroup.procs")).unwrap_or_default()
        };
        let mut all: Vec<i32> = self
            .places
            .iter()
            .map(read)
            .flat_map(|text| text.lines().filter_map(|l| l.parse().ok()).collect::<Vec<_>>())
            .collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().filter_map(Pid::from_raw).collect()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = self.leave();
        if !self.kill() {
            tracing::error!("some processes of a run can't be killed");
        }
        for (hierarchy, _) in &self.places {
            // The kernel needs a moment after the last process is gone.
            for _ in 0..100 {
                match fs::remove_dir(&hierarchy.directory) {
                    Err(e) if e.kind() == io::ErrorKind::ResourceBusy => {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    _ => break,
                }
            }
        }
    }
}

/// How many processes a file of memory events counts.
fn kills(events: &str) -> u64 {
    let count = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}

/// Version 1 counts memory and swap together, version 2 apart.
fn bytes_of_swap(group: &Cgroup, memory: &str) -> String {
    if group.is_v2() { "0".to_owned() } else { memory.to_owned() }
}

/// Ends a group that its guard left behind, if there is one of this name.
pub(crate) fn end(name: &str) {
    let all = [Controller::Pids, Controller::Memory, Controller::Cpu];
    let found = all.iter().flat_map(|controller| tree::find(&[*controller]).unwrap_or_default());
    let mut places: Vec<(Hierarchy, PathBuf)> = Vec::new();
    for (hierarchy, own) in found {
        let at = own.ancestors().map(|at| at.join(name)).find(|at| at.join("cgroup.procs").exists());
        if let Some(directory) = at.filter(|at| places.iter().all(|(there, _)| there.directory != *at)) {
            places.push((Hierarchy { directory, ..hierarchy }, own));
        }
    }
    if !places.is_empty() {
        drop(Cgroup { places, memory_mb: None });
    }
}

/// How the names of all groups of runs begin.
pub(crate) const PREFIX: &str = "oz-run-";
/// A group that is empty for less than this may be one that somebody is about to use.
const FRESH: Duration = Duration::from_secs(60);

/// Removes the empty groups of runs whose guards and workers died together.
pub(crate) fn sweep() {
    let all = [Controller::Pids, Controller::Memory, Controller::Cpu];
    let found = all.iter().flat_map(|controller| tree::find(&[*controller]).unwrap_or_default());
    let mut places: Vec<PathBuf> =
        found.flat_map(|(_, own)| own.ancestors().map(Path::to_owned).collect::<Vec<_>>()).collect();
    places.sort_unstable();
    places.dedup();
    for place in places.iter().filter(|place| place.join("cgroup.procs").exists()) {
        sweep_in(place, FRESH);
    }
}

fn sweep_in(place: &Path, age: Duration) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let of_run = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let old = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|made| made.elapsed().ok());
        if of_run && old.is_some_and(|old| old >= age) && fs::remove_dir(entry.path()).is_ok() {
            // The kernel removes none that has processes.
            tracing::info!(group = %entry.path().display(), "removed what a run left behind");
        }
    }
}

/// Whether a directory is a control group that this process may change.
fn writable(directory: &Path) -> bool {
    rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(test)]
mod tests;
