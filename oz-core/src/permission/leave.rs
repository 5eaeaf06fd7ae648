//! What a human has said yes to for the rest of a run.

use super::{
    Ask,
    decide::{normal, starts_servers},
    shell::{self, Part},
};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

/// What was granted so far.
#[derive(Debug, Default)]
pub struct Leave(HashSet<Grant>);

#[derive(Debug, PartialEq, Eq, Hash)]
enum Grant {
    /// A simple command, and the files that it writes.
    Command(String, Vec<String>),
    /// A command that is not clear, as it is.
    Script(String),
    Read(PathBuf),
    Change(PathBuf),
    Server(String),
    Program(String),
    Kind(&'static str),
}

impl Leave {
    /// Grants the like: the same simple commands, files in the same directories, the same server, the same program.
    pub fn grant(&mut self, ask: &Ask) {
        self.0.extend(grants(ask));
    }

    /// Whether all of it was granted.
    #[must_use]
    pub fn covers(&self, ask: &Ask) -> bool {
        let needed = grants(ask);
        !needed.is_empty() && needed.iter().all(|grant| self.0.contains(grant))
    }
}

fn grants(ask: &Ask) -> Vec<Grant> {
    match ask {
        Ask::Execute { command, .. } => {
            let script = shell::read(command);
            if script.unclear.is_some() {
                return vec![Grant::Script(command.clone())];
            }
            script.parts.into_iter().map(|Part { text, writes, .. }| Grant::Command(text, writes)).collect()
        }
        Ask::Read { paths } => paths.iter().map(|path| Grant::Read(place(path))).collect(),
        Ask::Change { paths } => paths.iter().map(|path| Grant::Change(place(path))).collect(),
        Ask::Mcp { server, .. } => vec![Grant::Server(server.clone())],
        Ask::Interact { program, .. } => vec![Grant::Program(program.clone())],
        Ask::Web => vec![Grant::Kind("web")],
        Ask::Plan => vec![Grant::Kind("plan")],
        Ask::Question => vec![Grant::Kind("question")],
        Ask::Computer => vec![Grant::Kind("computer")],
    }
}

/// The directory of a file; a file that starts servers stands for itself.
fn place(path: &Path) -> PathBuf {
    let path = normal(path);
    match path.parent() {
        Some(parent) if !starts_servers(&path) => parent.to_owned(),
        _ => path,
    }
}
