//! What the kernel tells of processes of the run that it killed for want of memory.

use oz_core::env;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Watches the memory of the run, where that is limited.
#[derive(Debug)]
pub(crate) struct Memory {
    events: Option<PathBuf>,
}

impl Memory {
    /// The memory of the run that has this environment.
    pub(crate) fn new(env: &BTreeMap<String, String>) -> Self {
        Self { events: env.get(env::MEMORY_EVENTS).map(PathBuf::from) }
    }

    /// How many processes were killed so far.
    pub(crate) fn kills(&self) -> u64 {
        let text = self.events.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
    }

    /// What to say when there were `before` killed before.
    pub(crate) fn since(&self, before: u64) -> Option<String> {
        if self.kills() <= before {
            return None;
        }
        let limit = ["memory.max", "memory.limit_in_bytes"].iter().find_map(|name| {
            let text = fs::read_to_string(self.events.as_ref()?.with_file_name(name)).ok()?;
            text.trim().parse::<u64>().ok()
        });
        let limit = limit.map_or("it may".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
        Some(format!("the run used more than {limit} of memory, and what used it was stopped"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_were_killed_are_told_of_with_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let events = dir.path().join("memory.events");
        let write = |text: &str| fs::write(&events, text).unwrap();
        write("low 0\noom 3\noom_kill 1\n");
        fs::write(dir.path().join("memory.max"), "67108864\n").unwrap();
        let memory =
            Memory::new(&[(env::MEMORY_EVENTS.to_owned(), events.to_string_lossy().into_owned())].into());
        let before = memory.kills();
        assert_eq!((before, memory.since(before)), (1, None));
        write("oom_kill 2\n");
        assert!(memory.since(before).unwrap().contains("more than 64 MiB of memory"));
        assert_eq!(Memory::new(&BTreeMap::new()).since(0), None);
    }
}
