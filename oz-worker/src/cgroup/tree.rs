//! Where this machine keeps control groups, and where a new one can be made. What the kernel tells is read by functions
//! of text.

use super::writable;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What can be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controller {
    Memory,
    Cpu,
    Pids,
}

impl Controller {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Pids => "pids",
        }
    }
}

/// One tree of groups, and a directory in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hierarchy {
    pub(super) v2: bool,
    pub(super) controllers: Vec<Controller>,
    pub(super) directory: PathBuf,
}

/// The hierarchies that have what is needed, each with the group of this process in it.
pub(super) fn find(needed: &[Controller]) -> Result<Vec<(Hierarchy, PathBuf)>, String> {
    let unread = |e: io::Error| format!("control groups can't be found: {e}");
    let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(unread)?;
    let groups = fs::read_to_string("/proc/self/cgroup").map_err(unread)?;
    if let Some(own) = own(&mounts, &groups, None) {
        let has = words(&own.join("cgroup.controllers"));
        if needed.iter().all(|controller| has.iter().any(|name| name == controller.name())) {
            let hierarchy = Hierarchy { v2: true, controllers: needed.to_vec(), directory: PathBuf::new() };
            return Ok(vec![(hierarchy, own)]);
        }
    }
    let mut found: Vec<(Hierarchy, PathBuf)> = Vec::new();
    for controller in needed {
        let missing = || format!("this machine has no control groups for '{}'", controller.name());
        let own = own(&mounts, &groups, Some(controller.name())).ok_or_else(missing)?;
        // Controllers may share a hierarchy.
        match found.iter_mut().find(|(_, there)| *there == own) {
            Some((hierarchy, _)) => hierarchy.controllers.push(*controller),
            None => {
                let hierarchy =
                    Hierarchy { v2: false, controllers: vec![*controller], directory: PathBuf::new() };
                found.push((hierarchy, own));
            }
        }
    }
    Ok(found)
}

/// The directory of this process's group in the hierarchy of a controller; of version 2 without one.
pub(super) fn own(mounts: &str, groups: &str, controller: Option<&str>) -> Option<PathBuf> {
    let (root, mount) = mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, mount) = (fields.next()?, fields.next()?);
        let mut kind = after.split(' ');
        let fits = match (kind.next()?, controller) {
            ("cgroup2", None) => true,
            ("cgroup", Some(name)) => kind.nth(1)?.split(',').any(|option| option == name),
            _ => false,
        };
        fits.then_some((root, mount))
    })?;
    let path = groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (names, path) = (fields.next()?, fields.next()?);
        let fits = controller.map_or(names.is_empty(), |name| names.split(',').any(|one| one == name));
        fits.then_some(path)
    })?;
    // In a container the mount may begin at the group itself.
    let below =
        Path::new(path).strip_prefix(root).unwrap_or_else(|_| Path::new(path.trim_start_matches('/')));
    Some(Path::new(mount).join(below.strip_prefix("/").unwrap_or(below)))
}

impl Hierarchy {
    /// Makes the group `name` below `own`, or beside it where the kernel does not let one be below.
    pub(super) fn make(&self, own: &Path, name: &str) -> Result<PathBuf, String> {
        let failed = |at: &Path, e: io::Error| {
            format!(
                "no control group can be made in '{}' ({e}); run the worker as a service with Delegate=yes, or as root",
                at.display()
            )
        };
        if !self.v2 {
            let directory = own.join(name);
            return fs::create_dir(&directory).map(|()| directory).map_err(|e| failed(own, e));
        }
        let mut why = None;
        // Groups with limits can't be in one that has processes of its own, so it may have to be a sibling.
        for parent in
            own.ancestors().take_while(|at| at.join("cgroup.procs").exists()).filter(|at| writable(at))
        {
            let made = self.enable(parent).and_then(|()| {
                let directory = parent.join(name);
                fs::create_dir(&directory).map(|()| directory)
            });
            match made {
                Ok(directory) => return Ok(directory),
                Err(e) => why = why.or(Some(failed(parent, e))),
            }
        }
        Err(why.unwrap_or_else(|| failed(own, io::ErrorKind::PermissionDenied.into())))
    }

    fn enable(&self, parent: &Path) -> io::Result<()> {
        let file = parent.join("cgroup.subtree_control");
        let on = words(&file);
        for controller in self.controllers.iter().filter(|c| on.iter().all(|name| name != c.name())) {
            fs::write(&file, format!("+{}", controller.name()))?;
        }
        Ok(())
    }
}

fn words(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}
