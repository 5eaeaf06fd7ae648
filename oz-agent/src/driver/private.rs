//! The private directory of a run: outside of its workspace, for nobody but its user, and gone when the run ends. What a
//! killed driver leaves is removed by the next one.

use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const PREFIX: &str = "oz-run-";
/// Held locked as long as its driver lives, however that ends.
const LOCK: &str = "lock";
/// Names of sockets may be 107 bytes long; this leaves room for the file's own.
const LONGEST: usize = 70;

/// A directory for what only this run may see.
#[derive(Debug)]
pub(super) struct Private {
    dir: TempDir,
    _lock: File,
}

impl Private {
    /// Makes the directory.
    pub(super) fn open() -> io::Result<Self> {
        let mut parent = std::env::temp_dir();
        if parent.as_os_str().len() > LONGEST {
            parent = PathBuf::from("/tmp");
        }
        sweep(&parent);
        Self::open_in(&parent)
    }

    fn open_in(parent: &Path) -> io::Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        // Locked before it has its name, so that nobody finds it free.
        let unnamed = dir.path().join("lock.new");
        let lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unnamed)?;
        lock.try_lock().map_err(io::Error::from)?;
        fs::rename(unnamed, dir.path().join(LOCK))?;
        Ok(Self { dir, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file that only this user can read. Who reads it meanwhile gets either what was there or all of the new.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        Self::write_in(self.path(), name, text)
    }

    /// The same for who only knows where the directory is.
    pub(super) fn write_in(directory: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
        use io::Write as _;
        let mut file =
            tempfile::Builder::new().permissions(Permissions::from_mode(0o600)).tempfile_in(directory)?;
        file.write_all(text.as_bytes())?;
        let path = directory.join(name);
        file.persist(&path)?;
        Ok(path)
    }
}

/// Removes the directories of drivers that are dead. Nothing depends on it.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        // Those of other users can't be opened.
        let Ok(lock) = OpenOptions::new().write(true).open(path.join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => {
                if let Err(error) = fs::remove_dir_all(&path) {
                    tracing::debug!(%error, path = %path.display(), "what a dead run left can't be removed");
                }
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn it_is_private_while_it_lives_and_gone_when_it_ends() {
        let parent = tempfile::tempdir().unwrap();
        let private = Private::open_in(parent.path()).unwrap();
        assert_eq!(private.path().metadata().unwrap().mode() & 0o777, 0o700);
        let file = private.write("f", "one").unwrap();
        assert_eq!(private.write("f", "two").unwrap(), file);
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        sweep(parent.path());
        assert!(file.exists(), "its driver lives");
        let stale = private.dir.keep();
        drop(private._lock);
        fs::create_dir(parent.path().join("oz-run-unfinished")).unwrap();
        sweep(parent.path());
        assert!(!stale.exists() && parent.path().join("oz-run-unfinished").exists());
        let path = Private::open_in(parent.path()).unwrap().path().to_owned();
        assert!(!path.exists());
    }
}
