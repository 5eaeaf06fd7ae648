//! Room on the disk for the control plane's data and for workspaces.

use super::report::{Check, size};
use std::path::Path;

/// Below these, a run may fail for lack of room soon, and at once.
const LITTLE: u64 = 5 << 30;
const NOTHING: u64 = 512 << 20;

pub(super) fn checks(data_dir: &Path) -> Vec<Check> {
    let places = [("data-directory", data_dir.to_owned()), ("workspaces", data_dir.join("workspaces"))];
    places.into_iter().map(|(name, dir)| check(name, &dir, free(&dir))).collect()
}

fn check(name: &str, dir: &Path, free: Option<u64>) -> Check {
    let shown = dir.display();
    let fix = format!("du -xsh {shown}/* && df -h {shown}");
    match free {
        None => Check::skipped(name, format!("{shown}: the room left is not known")),
        Some(free) if free < NOTHING => {
            Check::problem(name, format!("{shown} has only {} left", size(free)), &fix)
        }
        Some(free) if free < LITTLE => {
            Check::warning(name, format!("{shown} has only {} left", size(free)), &fix)
        }
        Some(free) => Check::ok(name, format!("{shown} has {} left", size(free))),
    }
}

/// The room where a directory is, or will be made.
#[cfg(unix)]
fn free(dir: &Path) -> Option<u64> {
    let there = dir.ancestors().find(|dir| dir.exists())?;
    let about = rustix::fs::statvfs(there).ok()?;
    about.f_bavail.checked_mul(about.f_frsize)
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::{super::tests::shown, *};

    #[test]
    fn little_room_is_told() {
        let found = [None, Some(100 << 20), Some(2 << 30), Some(80 << 30)]
            .map(|free| shown(&[check("data-directory", Path::new("/d"), free)]));
        insta::assert_snapshot!(found.join("\n"), @"
        skipped data-directory: /d: the room left is not known
        problem data-directory: /d has only 100 MiB left => du -xsh /d/* && df -h /d
        warning data-directory: /d has only 2.0 GiB left => du -xsh /d/* && df -h /d
        ok data-directory: /d has 80.0 GiB left
        ");
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_is_not_there_yet_has_the_room_of_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free(&dir.path().join("a/b/c")).unwrap() > 0);
        let names: Vec<_> = checks(dir.path()).into_iter().map(|check| check.name).collect();
        assert_eq!(names, ["data-directory", "workspaces"]);
    }
}
