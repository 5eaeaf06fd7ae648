//! Looks for skills in a repository. What it reads may have been written by anybody: it follows no link out of the
//! repository, where the keys of the run could be found, and reads nothing that is too large.

use super::{FILE, FOLDERS, Skill, parse::parse};
use crate::tool::Workspace;
use std::{
    collections::HashSet,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

/// How many skills a repository may have; the control plane takes no more.
const MOST: usize = 500;
/// How many directories of a folder are looked at.
const ENTRIES: usize = 5000;
/// The largest file, in bytes.
const BYTES: usize = 128 << 10;

/// The skills in the usual folders of a repository, those that count first.
pub(crate) fn discover(root: &Path) -> Vec<Skill> {
    let Ok(workspace) = Workspace::new(root) else { return Vec::new() };
    let mut seen = HashSet::new();
    let mut skills = Vec::new();
    for folder in FOLDERS {
        for name in directories(&workspace, folder) {
            let found = read(&workspace, &format!("{folder}/{name}/{FILE}"));
            // One folder is often a link to another.
            skills.extend(found.filter(|(real, _)| seen.insert(real.clone())).map(|(_, skill)| skill));
            if skills.len() == MOST {
                return skills;
            }
        }
    }
    skills
}

/// The skill whose file is at `path` in a repository.
pub(crate) fn read_at(root: &Path, path: &str) -> Option<Skill> {
    let workspace = Workspace::new(root).ok()?;
    read(&workspace, path).map(|(_, skill)| skill)
}

/// The names in a folder, in order.
fn directories(workspace: &Workspace, folder: &str) -> Vec<String> {
    let entries = workspace.resolve(folder).ok().and_then(|real| fs::read_dir(real).ok());
    let entries = entries.into_iter().flatten().flatten().take(ENTRIES);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Reads a skill, and where its file really is.
fn read(workspace: &Workspace, path: &str) -> Option<(PathBuf, Skill)> {
    let (real, content) = match workspace.resolve(path) {
        Ok(real) if !real.is_file() => return None,
        Ok(real) => {
            let content = text(&real).and_then(|text| parse(&text));
            (real, content)
        }
        Err(problem) => (workspace.root().join(path), Err(problem)),
    };
    Some((real, Skill { path: path.to_owned(), content }))
}

fn text(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(BYTES).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(file)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|e| format!("it can't be read: {e}"))?;
    if bytes.len() > BYTES {
        return Err(format!("it is larger than {} KiB", BYTES >> 10));
    }
    String::from_utf8(bytes).map_err(|_| "it is not text in UTF-8".to_owned())
}
