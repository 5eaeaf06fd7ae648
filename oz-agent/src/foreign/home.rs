//! The home of a command line agent: private to its run, so that nothing of the host's user gets into a run, and nothing
//! of one run into another.

use super::Launch;
use oz_core::{
    Error, ErrorCode,
    harness::{HarnessTask, Skill},
};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Component, Path, PathBuf},
};

/// The most that the skills of a run may take together, in bytes.
const SKILLS: u64 = 256 << 20;

/// A directory for temporary files of the program itself.
pub(super) const TEMPORARY: &str = "tmp";

/// Where programs look for files of their user, below the home.
const PLACES: &[(&str, &str)] = &[
    ("HOME", ""),
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_CACHE_HOME", ".cache"),
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
];

/// The whole environment of the program.
pub(super) fn environment(task: &HarnessTask, launch: &Launch) -> BTreeMap<String, String> {
    let mut env = task.env.clone();
    env.extend(task.auth.clone());
    for (name, place) in PLACES {
        let path = if place.is_empty() { task.home.clone() } else { task.home.join(place) };
        env.insert((*name).to_owned(), path.to_string_lossy().into_owned());
    }
    env.extend(launch.env.clone());
    env
}

/// What a process that the program starts needs beside the environment that it inherits from it, to have that of the
/// task: no variable of the login, which becomes empty, and the home of the user.
pub(super) fn of_commands(task: &HarnessTask) -> BTreeMap<String, String> {
    let own = PLACES.iter().map(|(name, _)| *name).chain(task.auth.keys().map(String::as_str));
    own.map(|name| (name.to_owned(), task.env.get(name).cloned().unwrap_or_default())).collect()
}

/// Where a shell finds the variables of commands, below the home.
pub(super) const SHELL: &str = ".oz/shell-environment";

/// What makes the `bash` of a program that starts one for each command read [`SHELL`] first.
pub(super) fn of_bash(task: &HarnessTask) -> (String, String) {
    ("BASH_ENV".to_owned(), task.home.join(SHELL).to_string_lossy().into_owned())
}

/// The same for a shell to read before each command.
pub(super) fn shell_environment(task: &HarnessTask) -> String {
    let line = |(name, value): (String, String)| match value.as_str() {
        "" => format!("unset {name}\n"),
        value => format!("export {name}='{}'\n", value.replace('\'', r"'\''")),
    };
    of_commands(task).into_iter().map(line).collect()
}

/// Writes what the program expects to find.
pub(super) fn furnish(task: &HarnessTask, launch: &Launch) -> Result<(), Error> {
    let failed = |path: &Path, e: io::Error| {
        let text = format!("'{}' can't be written for the agent: {e}", path.display());
        Error::new(ErrorCode::EnvironmentSetupFailed, text)
    };
    for (path, content) in &launch.files {
        write(&task.home, path, content).map_err(|e| failed(path, e))?;
    }
    let Some(place) = &launch.skills else { return Ok(()) };
    let mut room = SKILLS;
    for Skill { name, path, .. } in &task.skills {
        let (Some(directory), Some(to)) = (path.parent(), inside(&task.home, &place.join(name))) else {
            continue;
        };
        copy(directory, &to, &mut room).map_err(|e| {
            let text = format!("the skill '{name}' can't be given to the agent: {e}");
            Error::new(ErrorCode::EnvironmentSetupFailed, text)
        })?;
    }
    Ok(())
}

/// The place of `path` in the home; `None` when it would be outside.
fn inside(home: &Path, path: &Path) -> Option<PathBuf> {
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    plain.then(|| home.join(path))
}

fn write(home: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let file = inside(home, path)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it is not inside the home"))?;
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(content)
}

/// Copies a directory without what links would bring in from elsewhere.
fn copy(from: &Path, to: &Path, room: &mut u64) -> io::Result<()> {
    let root = from.canonicalize()?;
    let mut waiting = vec![(root.clone(), to.to_owned(), 0)];
    while let Some((from, to, depth)) = waiting.pop() {
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            // Links inside the skill are followed, those out of it are left out, as are dangling ones.
            let Ok(real) = entry.path().canonicalize() else { continue };
            if !real.starts_with(&root) || entry.file_name() == ".git" {
                continue;
            }
            let meta = real.metadata()?;
            let to = to.join(entry.file_name());
            if meta.is_dir() && depth < 16 {
                waiting.push((real, to, depth + 1));
            } else if meta.is_file() {
                *room = room.checked_sub(meta.len()).ok_or_else(|| {
                    io::Error::other(format!("the skills take more than {} MiB together", SKILLS >> 20))
                })?;
                fs::copy(&real, &to)?;
                let mode = 0o600 | (meta.permissions().mode() & 0o100);
                fs::set_permissions(&to, Permissions::from_mode(mode))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, symlink};

    #[test]
    fn files_are_private_and_inside() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), Path::new("a/b/c"), b"x").unwrap();
        assert_eq!(home.path().join("a/b/c").metadata().unwrap().mode() & 0o777, 0o600);
        for out in ["../c", "/tmp/c", "a/../../c"] {
            assert!(write(home.path(), Path::new(out), b"x").is_err(), "{out}");
        }
    }

    #[test]
    fn commands_get_the_environment_of_the_task() {
        let variables = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
        };
        let task = HarnessTask {
            home: "/private".into(),
            env: variables(&[("HOME", "/it's"), ("A", "a"), ("OWN_KEY", "theirs")]),
            auth: variables(&[("MODEL_KEY", "k"), ("OWN_KEY", "ours")]),
            ..HarnessTask::default()
        };
        let own = environment(&task, &Launch::default());
        assert_eq!((own["HOME"].as_str(), own["XDG_CACHE_HOME"].as_str()), ("/private", "/private/.cache"));
        assert_eq!((own["MODEL_KEY"].as_str(), own["OWN_KEY"].as_str()), ("k", "ours"));
        let script = format!(
            "{}echo \"$HOME $A $OWN_KEY $MODEL_KEY ${{XDG_CACHE_HOME-none}}\"",
            shell_environment(&task)
        );
        let out =
            std::process::Command::new("sh").args(["-c", &script]).env_clear().envs(own).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), "/it's a theirs  none");
    }

    #[test]
    fn skills_are_copied_without_what_is_not_theirs() {
        let dir = tempfile::tempdir().unwrap();
        let skill = dir.path().join("skill");
        fs::create_dir_all(skill.join("scripts")).unwrap();
        fs::write(skill.join("SKILL.md"), "# Do").unwrap();
        fs::write(skill.join("scripts/run.sh"), "#!/bin/sh").unwrap();
        fs::set_permissions(skill.join("scripts/run.sh"), Permissions::from_mode(0o755)).unwrap();
        fs::write(dir.path().join("secret"), "s").unwrap();
        symlink(dir.path().join("secret"), skill.join("link")).unwrap();
        symlink(dir.path(), skill.join("out")).unwrap();
        symlink("SKILL.md", skill.join("README.md")).unwrap();
        symlink(".", skill.join("loop")).unwrap();
        let to = dir.path().join("to");
        copy(&skill, &to, &mut 1000).unwrap();
        assert_eq!(fs::read_to_string(to.join("SKILL.md")).unwrap(), "# Do");
        assert_eq!(fs::read_to_string(to.join("README.md")).unwrap(), "# Do");
        assert_eq!(to.join("scripts/run.sh").metadata().unwrap().mode() & 0o777, 0o700);
        assert!(!to.join("link").exists() && !to.join("out").exists());
        let error = copy(&skill, &dir.path().join("full"), &mut 5).unwrap_err();
        assert!(error.to_string().contains("MiB"), "{error}");
    }
}
