//! Finds the program of an agent as a shell would.

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// Where systems look that set no `PATH`.
const USUAL: &str = "/usr/local/bin:/usr/bin:/bin";

/// The file of `program`, in the `PATH` of `env`, or below `directory` when it is a path.
pub(super) fn find(program: &str, env: &BTreeMap<String, String>, directory: &Path) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(directory.join(program)).filter(|file| is_program(file));
    }
    let path = env.get("PATH").filter(|path| !path.is_empty()).map_or(USUAL, String::as_str);
    // An entry that is no absolute path would make files of the workspace into programs.
    let places = std::env::split_paths(path).filter(|place| place.is_absolute());
    places.map(|place| place.join(program)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn it_is_found_where_a_shell_finds_it() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("first"), dir.path().join("second"));
        for place in [&first, &second] {
            fs::create_dir(place).unwrap();
            fs::write(place.join("agent"), "").unwrap();
        }
        fs::set_permissions(second.join("agent"), Permissions::from_mode(0o755)).unwrap();
        let env = |path: &str| BTreeMap::from([("PATH".to_owned(), path.to_owned())]);
        let both = env(&format!("{}:{}", first.display(), second.display()));
        assert_eq!(find("agent", &both, dir.path()), Some(second.join("agent")));
        assert_eq!(find("second/agent", &both, dir.path()), Some(second.join("agent")));
        assert_eq!(find("agent", &env("second:."), dir.path()), None, "not in the workspace");
        assert_eq!(find("nobody-has-this", &BTreeMap::new(), dir.path()), None);
        assert!(find("sh", &BTreeMap::new(), dir.path()).is_some());
    }
}
