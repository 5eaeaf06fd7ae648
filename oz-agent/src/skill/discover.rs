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
/// How many directories may lie between a folder and a skill, such as one for each group of skills.
const DEPTH: usize = 3;
/// The largest file, in bytes.
const BYTES: usize = 128 << 10;

/// The skills in the usual folders of a repository, those that count first: at its root, and then in every directory on
/// the way down to `inside`.
pub(crate) fn discover(root: &Path, inside: &Path) -> Vec<Skill> {
    let Ok(workspace) = Workspace::new(root) else { return Vec::new() };
    let mut seen = HashSet::new();
    let mut skills = Vec::new();
    for level in levels(inside) {
        for folder in FOLDERS {
            for directory in directories(&workspace, &format!("{level}{folder}")) {
                let found = read(&workspace, &format!("{directory}/{FILE}"));
                // One folder is often a link to another.
                skills.extend(found.filter(|(real, _)| seen.insert(real.clone())).map(|(_, skill)| skill));
                if skills.len() == MOST {
                    return skills;
                }
            }
        }
    }
    skills
}

/// The skills right in a directory that is nothing but a folder of them.
pub(crate) fn on_shelf(root: &Path) -> Vec<Skill> {
    let Ok(workspace) = Workspace::new(root) else { return Vec::new() };
    let found = directories(&workspace, ".").into_iter();
    let paths = found.map(|directory| format!("{}/{FILE}", directory.trim_start_matches("./")));
    paths.filter_map(|path| Some(read(&workspace, &path)?.1)).take(MOST).collect()
}

/// The beginnings of paths in the directories from the root down to `inside`.
fn levels(inside: &Path) -> Vec<String> {
    let mut level = String::new();
    let mut levels = vec![level.clone()];
    for part in inside.components() {
        level = format!("{level}{}/", part.as_os_str().to_string_lossy());
        levels.push(level.clone());
    }
    levels
}

/// The skill whose file is at `path` in a repository.
pub(crate) fn read_at(root: &Path, path: &str) -> Option<Skill> {
    let workspace = Workspace::new(root).ok()?;
    read(&workspace, path).map(|(_, skill)| skill)
}

/// The directories in a folder that have a file of a skill, in order. What belongs to a skill is not looked at.
fn directories(workspace: &Workspace, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = ENTRIES;
    descend(workspace, folder, DEPTH, &mut left, &mut found);
    found
}

fn descend(workspace: &Workspace, folder: &str, depth: usize, left: &mut usize, found: &mut Vec<String>) {
    let entries = workspace.resolve(folder).ok().and_then(|real| fs::read_dir(real).ok());
    let entries = entries.into_iter().flatten().flatten().take(*left);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    *left -= names.len().min(*left);
    names.sort();
    for name in names.into_iter().filter(|name| !name.starts_with('.')) {
        let path = format!("{folder}/{name}");
        let Ok(real) = workspace.resolve(&path) else { continue };
        if fs::symlink_metadata(real.join(FILE)).is_ok() {
            found.push(path);
        } else if depth > 1 && real.is_dir() {
            descend(workspace, &path, depth - 1, left, found);
        }
    }
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
