//! Why a worker can't start. What goes wrong later ends a run or a connection, never the worker.

use std::{io, path::PathBuf};

/// Why a worker can't start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is not usable.
    #[error("{field}: '{value}' is not valid; expected {expected}")]
    Setting {
        /// The setting.
        field: &'static str,
        /// Its value; empty for a secret.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The configuration file can't be used.
    #[error("{}: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, where, and what would be right.
        message: String,
    },
    /// The directory of the workspaces can't be used.
    #[error("workspace_root: '{}' can't be used: {source}", path.display())]
    WorkspaceRoot {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What the backend needs is not there.
    #[error("{backend}: {problem}")]
    Backend {
        /// The backend.
        backend: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The Kubernetes cluster can't be used as it is set up.
    #[error("{0}")]
    Kubernetes(String),
}

impl Error {
    pub(crate) fn setting(field: &'static str, value: &str, expected: &'static str) -> Self {
        Self::Setting { field, value: value.escape_debug().to_string(), expected }
    }
}
