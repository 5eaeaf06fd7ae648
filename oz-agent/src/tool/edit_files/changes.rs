//! Changes of files that are all made or none is.

use super::super::{Workspace, diff, read_files};
use oz_core::Redactor;
use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    io::Read as _,
    path::{Path, PathBuf},
};

/// The largest file that can be edited.
const MAX: u64 = 8 << 20;

/// What files are to become.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<PathBuf, Change>);

/// A file before and after; `None` where there is none.
struct Change {
    old: Option<String>,
    new: Option<String>,
    permissions: Option<Permissions>,
}

impl Changes {
    /// What is in a file by now.
    pub(super) fn text(&mut self, path: &Path) -> Result<String, String> {
        let new = self.at(path)?.new.clone();
        new.ok_or_else(|| "it does not exist; use write_file to create it".to_owned())
    }

    /// What a file becomes.
    pub(super) fn set(&mut self, path: &Path, text: String) -> Result<(), String> {
        self.at(path)?.new = Some(text);
        Ok(())
    }

    /// Makes a file that is not there yet.
    pub(super) fn add(&mut self, path: &Path, text: String) -> Result<(), String> {
        let change = self.at(path)?;
        if change.new.is_some() {
            return Err("it exists already; update it instead".to_owned());
        }
        change.new = Some(text);
        Ok(())
    }

    /// Removes a file that is there.
    pub(super) fn remove(&mut self, path: &Path) -> Result<(), String> {
        self.text(path)?;
        self.at(path)?.new = None;
        Ok(())
    }

    /// Moves a file to where none is.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> Result<(), String> {
        let text = self.text(from)?;
        let permissions = self.at(from)?.permissions.clone();
        self.add(to, text).map_err(|e| format!("it can't be moved to '{}': {e}", to.display()))?;
        self.at(to)?.permissions = permissions;
        self.at(from)?.new = None;
        Ok(())
    }

    fn at(&mut self, path: &Path) -> Result<&mut Change, String> {
        if !self.0.contains_key(path) {
            let old = read(path)?;
            let permissions = path.metadata().ok().map(|m| m.permissions());
            self.0.insert(path.to_owned(), Change { new: old.clone(), old, permissions });
        }
        self.0.get_mut(path).ok_or_else(|| "it was lost".to_owned())
    }

    /// Makes them. Answers with the difference.
    pub(super) fn make(&self, workspace: &Workspace, redactor: &Redactor) -> Result<String, String> {
        let mut whole = String::new();
        for (at, (path, change)) in self.0.iter().enumerate() {
            let shown = workspace.show(path);
            if let Err(error) = put(path, change.new.as_deref(), change.permissions.as_ref()) {
                // What was done until now is taken back.
                for (path, change) in self.0.iter().take(at + 1) {
                    let _ = put(path, change.old.as_deref(), change.permissions.as_ref());
                }
                return Err(format!("'{shown}' can't be written: {error}; nothing was changed"));
            }
            match (&change.old, &change.new) {
                (old, Some(new)) if old.as_ref() != Some(new) => {
                    let old = old.as_deref().unwrap_or_default();
                    whole.push_str(&diff::unified(&shown, old, new, redactor));
                }
                (Some(_), None) => whole.push_str(&format!("deleted {shown}\n")),
                _ => {}
            }
        }
        Ok(whole)
    }
}

fn put(path: &Path, text: Option<&str>, permissions: Option<&Permissions>) -> std::io::Result<()> {
    let Some(text) = text else {
        return match fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        };
    };
    let fresh = !path.exists();
    if let (true, Some(parent)) = (fresh, path.parent()) {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)?;
    match permissions {
        Some(permissions) if fresh => fs::set_permissions(path, permissions.clone()),
        _ => Ok(()),
    }
}

/// The text of a file, when there is one.
fn read(path: &Path) -> Result<Option<String>, String> {
    if !path.exists() {
        return Ok(None);
    }
    let mut text = Vec::new();
    read_files::open(path)?.take(MAX + 1).read_to_end(&mut text).map_err(|e| e.to_string())?;
    if text.len() as u64 > MAX {
        return Err(format!("it is larger than {MAX} bytes; use run_command"));
    }
    match String::from_utf8(text) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err("it is not a text file in UTF-8; use run_command".to_owned()),
    }
}
