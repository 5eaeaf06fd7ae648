//! What a shell remembers from one command to the next: its directory and its exported variables. Every command has a
//! shell of its own, which writes both into a private file when it ends. So no output and no hanging command can
//! confuse the next, and commands that run at the same time don't disturb each other: each adds what it changed.

use oz_core::env::PROCESS_MARK;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The longest command; the kernel takes no argument above 128 KiB.
const LONGEST: usize = 100 << 10;
/// What every shell has of its own.
const OWN: [&str; 4] = [PROCESS_MARK, "SHLVL", "_", "PWD"];

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Shell(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    directory: Option<PathBuf>,
    /// Variables that were set, or unset.
    changed: BTreeMap<String, Option<String>>,
}

/// What one command begins with.
#[derive(Debug)]
pub(crate) struct Call {
    /// The shell to run.
    pub(crate) program: &'static str,
    /// What it is told to do.
    pub(crate) script: String,
    /// Where it runs.
    pub(crate) directory: PathBuf,
    /// Its whole environment.
    pub(crate) env: BTreeMap<String, String>,
    /// The directory that is gone, when it runs elsewhere for that.
    pub(crate) gone: Option<PathBuf>,
    file: Option<PathBuf>,
    secrets: Vec<String>,
}

impl Call {
    /// The file for what is to be remembered, when that is not wanted any more.
    pub(super) fn take_file(&mut self) -> Option<PathBuf> {
        self.file.take()
    }
}

impl Shell {
    /// Prepares a command. With a `file` it leaves there what is to be remembered.
    pub(super) fn begin(
        &self,
        command: &str,
        (root, env): (&Path, &BTreeMap<String, String>),
        secrets: &BTreeMap<String, String>,
        file: Option<PathBuf>,
    ) -> Result<Call, String> {
        if command.len() > LONGEST || command.contains('\0') {
            return Err(format!(
                "command: it is longer than {LONGEST} bytes or has a zero byte in it; put it into a file with write_file and \
                 run that"
            ));
        }
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut env = env.clone();
        for (name, value) in &memory.changed {
            match value {
                Some(value) => env.insert(name.clone(), value.clone()),
                None => env.remove(name),
            };
        }
        let wanted = memory.directory.clone().unwrap_or_else(|| root.to_owned());
        let (directory, gone) = match wanted.is_dir() {
            true => (wanted, None),
            false => (root.to_owned(), Some(wanted)),
        };
        // What is in its environment anyway is no secret that only this command has.
        let hidden: Vec<String> = secrets.keys().filter(|name| !env.contains_key(*name)).cloned().collect();
        env.extend(secrets.clone());
        let mut script = String::new();
        if let Some(file) = &file {
            let unset: String = hidden.iter().map(|name| format!("unset {}; ", quoted(name))).collect();
            let save = format!(
                "{{ command printf \"%s\\0\" \"$(command pwd)\"; ({unset}exec /usr/bin/env -0); }} >{} 2>/dev/null",
                quoted(&file.to_string_lossy())
            );
            script = format!("trap {} 0\n", quoted(&save));
        }
        script.push_str(&format!("eval {}", quoted(command)));
        Ok(Call { program: program(), script, directory, env, gone, file, secrets: hidden })
    }

    /// Remembers what the command has left, and where it is now.
    pub(super) fn end(&self, call: &Call) -> Option<PathBuf> {
        let file = call.file.as_ref()?;
        let saved = fs::read(file).ok()?;
        let _ = fs::remove_file(file);
        let (directory, after) = parse(&saved)?;
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if directory != call.directory || call.gone.is_some() {
            memory.directory = Some(directory.clone());
        }
        let own = |name: &str| OWN.contains(&name) || call.secrets.iter().any(|secret| secret == name);
        for (name, value) in &after {
            if !own(name) && call.env.get(name) != Some(value) {
                memory.changed.insert(name.clone(), Some(value.clone()));
            }
        }
        for name in call.env.keys().filter(|name| !own(name) && !after.contains_key(*name)) {
            memory.changed.insert(name.clone(), None);
        }
        Some(directory)
    }
}

/// The shell: what models write is most often meant for bash.
fn program() -> &'static str {
    if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A directory and variables, each followed by a zero byte. Half of them is nothing.
fn parse(saved: &[u8]) -> Option<(PathBuf, BTreeMap<String, String>)> {
    let text = std::str::from_utf8(saved.strip_suffix(b"\0")?).ok()?;
    let mut entries = text.split('\0');
    let directory = PathBuf::from(entries.next()?);
    let variables: BTreeMap<String, String> =
        entries.filter_map(|e| e.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect();
    (directory.is_absolute() && !variables.is_empty()).then_some((directory, variables))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_file_is_nothing() {
        let (directory, variables) = parse(b"/a\nb\0X=1\ny\0Z=\0").unwrap();
        assert_eq!(directory, Path::new("/a\nb"));
        assert_eq!(variables, BTreeMap::from([("X".into(), "1\ny".into()), ("Z".into(), String::new())]));
        for half in [b"".as_slice(), b"\0", b"/a\0", b"/a\0X=1", b"a\0X=1\0", b"/a\0\xff=1\0"] {
            assert_eq!(parse(half), None, "{half:?}");
        }
    }
}
