//! Programs of others: where they are and what they say of themselves.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// How long a program may take to say its version. Some load a whole runtime first.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// What a program answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is not there.
    Missing,
    /// It said nothing in time.
    Silent,
    /// It failed, and why.
    Failed(String),
    /// The first line that it printed.
    Said(String),
}

/// The place of a program in `path`, a list of directories.
pub(super) fn find(program: &str, path: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(path).map(|dir| dir.join(&name)).find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

/// Runs a program that is looked for in `path`.
pub(super) async fn ask(program: &str, args: &[&str], path: &str, limit: Duration) -> Answer {
    let Some(file) = find(program, path) else { return Answer::Missing };
    let mut command = Command::new(file);
    command.args(args).env("PATH", path).stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(limit, command.output()).await {
        Err(_) => return Answer::Silent,
        Ok(Err(e)) => return Answer::Failed(e.to_string()),
        Ok(Ok(output)) => output,
    };
    let first = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
    };
    if output.status.success() {
        return Answer::Said(first(&output.stdout).unwrap_or_default());
    }
    let said = first(&output.stderr).or_else(|| first(&output.stdout));
    Answer::Failed(said.unwrap_or_else(|| output.status.to_string()))
}

/// The first version in a text, such as 2.43 in `git version 2.43.0`.
pub(super) fn version(text: &str) -> Option<(u32, u32)> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
        let mut parts = word.split('.').map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::tests::Programs, *};

    #[tokio::test]
    async fn programs_are_found_and_answer() {
        let programs = Programs::new(&[
            ("good", "echo; echo ' 1.2.3 '; echo more"),
            ("bad", "echo no daemon >&2; exit 3"),
            ("mute", "exit 4"),
            ("slow", "exec /bin/sleep 60"),
        ]);
        let ask = |program, limit| ask(program, &[], programs.path(), limit);
        assert_eq!(ask("good", LIMIT).await, Answer::Said("1.2.3".into()));
        assert_eq!(ask("bad", LIMIT).await, Answer::Failed("no daemon".into()));
        assert_eq!(ask("mute", LIMIT).await, Answer::Failed("exit status: 4".into()));
        assert_eq!(ask("slow", Duration::from_millis(50)).await, Answer::Silent);
        assert_eq!(ask("none", LIMIT).await, Answer::Missing);
        std::fs::write(programs.dir().join("text"), "no program").unwrap();
        assert_eq!(find("text", programs.path()), None);
    }

    #[test]
    fn versions_are_read() {
        for (text, expected) in [
            ("git version 2.43.0", Some((2, 43))),
            ("git version 2.39.5 (Apple Git-154)", Some((2, 39))),
            ("v20.1", Some((20, 1))),
            ("seven", None),
            ("", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
    }
}
