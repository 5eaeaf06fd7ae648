//! The workspaces of runs under one root, and what becomes of them when a worker dies. A workspace is never deleted
//! while the worker that made it lives, and nothing but workspaces is ever deleted.
//!
//! `ROOT/ID` is a workspace and `ROOT/ID.lock` a file that its worker holds locked. The kernel unlocks it when the
//! worker dies, however it dies, and so a free lock means a stale workspace even if several workers share the root.

use super::dotenv;
use crate::{Error, environment, process};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use uuid::Uuid;

const LOCK_SUFFIX: &str = ".lock";
/// Held for a moment by who makes a workspace or looks for stale ones.
const ROOT_LOCK: &str = ".lock";
const GIT_CONFIG: &str = ".gitconfig";
const ENVIRONMENT_FILE: &str = ".oz-environment";
/// More can't come from a sensible setup command.
const LARGEST_ENVIRONMENT_FILE: u64 = 1 << 20;
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// Where workspaces are made.
#[derive(Debug, Clone)]
pub(super) struct Root {
    place: Place,
    home: Option<PathBuf>,
}

#[derive(Debug, Clone)]
enum Place {
    /// A directory for each run under this one.
    Own(PathBuf),
    /// This directory for all runs.
    Shared(PathBuf),
}

/// Where one run works.
#[derive(Debug)]
pub(super) struct Workspace {
    /// The agent's working directory.
    pub(super) directory: PathBuf,
    /// Whether it belongs to all runs.
    pub(super) shared: bool,
    /// Where this run's own files are: the same directory, unless it is shared.
    files: PathBuf,
    lock: Option<(PathBuf, File)>,
}

impl Root {
    /// A root with a directory for each run. What dead workers left there is ended and, with `cleanup`, deleted.
    pub(super) async fn own(path: &Path, home: Option<PathBuf>, cleanup: bool) -> Result<Self, Error> {
        let path = path.to_owned();
        let opened = blocking(move || {
            let open = || {
                DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
                let path = fs::canonicalize(&path)?;
                clear_stale(&path, cleanup)?;
                Ok(path)
            };
            open().map_err(|source| Error::WorkspaceRoot { path: path.clone(), source })
        });
        Ok(Self { place: Place::Own(opened.await?), home })
    }

    /// One directory for all runs.
    pub(super) fn shared(path: &Path, home: Option<PathBuf>) -> Result<Self, Error> {
        let wrong = |_| Error::setting("target_dir", &path.to_string_lossy(), "a directory that exists");
        Ok(Self { place: Place::Shared(fs::canonicalize(path).map_err(wrong)?), home })
    }

    /// Makes the workspace of the run `id`.
    pub(super) async fn claim(&self, id: Uuid) -> io::Result<Workspace> {
        let root = self.clone();
        blocking(move || {
            let workspace = match &root.place {
                Place::Own(path) => own_workspace(path, id)?,
                Place::Shared(directory) => {
                    let files = std::env::temp_dir().join(format!("oz-{}", Uuid::new_v4()));
                    DirBuilder::new().mode(0o700).create(&files)?;
                    Workspace { directory: directory.clone(), shared: true, files, lock: None }
                }
            };
            match workspace.furnish(root.home.as_deref()) {
                Ok(()) => Ok(workspace),
                Err(error) => {
                    workspace.abandon();
                    Err(error)
                }
            }
        })
        .await
    }
}

impl Workspace {
    /// The run's global git configuration.
    pub(super) fn git_config(&self) -> PathBuf {
        self.files.join(GIT_CONFIG)
    }

    /// Where the setup command leaves variables for the agent.
    pub(super) fn environment_file(&self) -> PathBuf {
        self.files.join(ENVIRONMENT_FILE)
    }

    /// What the run's processes are told of it.
    pub(super) fn place(&self) -> environment::Place {
        environment::Place {
            backend: "direct",
            workspace: self.directory.clone(),
            environment_file: Some(self.environment_file()),
            git_config: Some(self.git_config()),
        }
    }

    fn furnish(&self, home: Option<&Path>) -> io::Result<()> {
        write_private(&self.git_config(), &git_config(&self.directory, home)?)?;
        write_private(&self.environment_file(), "")
    }

    /// Takes back what was made of a workspace that could not be made whole; what an earlier try left in it stays.
    fn abandon(self) {
        let _ = remove_file(&self.git_config());
        let _ = remove_file(&self.environment_file());
        let _ = fs::remove_dir(&self.files);
        if let Some((path, _locked)) = &self.lock {
            let _ = remove_file(path);
        }
    }

    /// What the setup command left. Problems are logged, without values.
    pub(super) fn read_environment(&self) -> Vec<(String, String)> {
        let path = self.environment_file();
        let read = fs::metadata(&path).and_then(|meta| {
            if meta.len() > LARGEST_ENVIRONMENT_FILE {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
            }
            fs::read_to_string(&path)
        });
        match read {
            Ok(text) => {
                let (variables, problems) = dotenv::parse(&text);
                for problem in problems {
                    tracing::warn!("OZ_ENVIRONMENT_FILE, {problem}; ignored");
                }
                variables
            }
            Err(error) => {
                tracing::warn!(%error, "can't read OZ_ENVIRONMENT_FILE; ignored");
                Vec::new()
            }
        }
    }

    /// Gives the workspace up: deletes it with `cleanup`, else only the file with variables, which may be secret.
    pub(super) async fn leave(self, cleanup: bool) {
        let path = self.files.clone();
        let left = blocking(move || {
            let result = if self.shared || cleanup {
                remove_tree(&self.files)
            } else {
                remove_file(&self.environment_file())
            };
            if let Some((path, _locked)) = &self.lock {
                remove_file(path)?;
            }
            result
        });
        if let Err(error) = left.await {
            tracing::warn!(%error, path = %path.display(), "can't delete a workspace");
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let result = tokio::task::spawn_blocking(work).await;
    result.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn own_workspace(root: &Path, id: Uuid) -> io::Result<Workspace> {
    let _guard = lock_root(root)?;
    let lock_path = root.join(format!("{id}{LOCK_SUFFIX}"));
    let Some(lock) = try_lock(&lock_path)? else {
        return Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            format!("another worker uses '{}'", lock_path.display()),
        ));
    };
    let directory = root.join(id.to_string());
    match DirBuilder::new().mode(0o700).create(&directory) {
        // Kept from an earlier try of the same run.
        Err(error)
            if error.kind() == io::ErrorKind::AlreadyExists && fs::symlink_metadata(&directory)?.is_dir() => {
        }
        result => result?,
    }
    let files = directory.clone();
    Ok(Workspace { directory, shared: false, files, lock: Some((lock_path, lock)) })
}

/// Ends and, with `cleanup`, deletes what workers left that are dead.
fn clear_stale(root: &Path, cleanup: bool) -> io::Result<()> {
    let _guard = lock_root(root)?;
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        let id = name
            .to_str()
            .and_then(|name| name.strip_suffix(LOCK_SUFFIX))
            .and_then(|id| Uuid::try_parse(id).ok());
        let (Some(id), lock_path) = (id, root.join(&name)) else { continue };
        let Some(_lock) = try_lock(&lock_path)? else { continue };
        let directory = root.join(id.to_string());
        tracing::info!(workspace = %directory.display(), "a worker died here; ending what it left");
        let mark = format!("{}={}", oz_core::env::WORKSPACE_ROOT, directory.display());
        if !process::kill_until_gone(KILL_LIMIT, |table| table.trees(table.marked(&mark))) {
            tracing::error!(workspace = %directory.display(), "some processes can't be killed");
        }
        if cleanup && let Err(error) = remove_tree(&directory) {
            tracing::warn!(%error, workspace = %directory.display(), "can't delete a workspace");
            continue;
        }
        remove_file(&lock_path)?;
    }
    Ok(())
}

fn lock_root(root: &Path) -> io::Result<File> {
    let file = lock_file(&root.join(ROOT_LOCK))?;
    file.lock()?;
    Ok(file)
}

fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let file = lock_file(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use io::Write;
    remove_file(path)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

/// The run's own global configuration: it begins with the user's, and what the agent changes stays in it.
fn git_config(directory: &Path, home: Option<&Path>) -> io::Result<String> {
    let quote = |path: &Path| path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
    let mut text = String::new();
    if let Some(home) = home {
        for file in [home.join(".config/git/config"), home.join(".gitconfig")] {
            text += &format!("[include]\n\tpath = \"{}\"\n", quote(&file));
        }
    }
    // Git refuses repositories of other users unless it is told otherwise.
    if fs::metadata(directory)?.uid() != rustix::process::geteuid().as_raw() {
        text += &format!("[safe]\n\tdirectory = \"{}\"\n", quote(directory));
    }
    Ok(text)
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Deletes a directory, also one with parts that nobody may write to, such as a module cache.
fn remove_tree(path: &Path) -> io::Result<()> {
    let remove = || match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    };
    match remove() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            make_writable(path)?;
            remove()
        }
        result => result,
    }
}

fn make_writable(directory: &Path) -> io::Result<()> {
    fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // The type of the entry itself: a link is not followed.
        if entry.file_type()?.is_dir() {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
