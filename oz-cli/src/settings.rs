//! What the command line remembers between calls: the address and key of one control plane, readable by its owner only.

use crate::error::CliError;
use etcetera::BaseStrategy as _;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub(crate) use oz_client::connection::Login;

fn strategy() -> Result<impl etcetera::BaseStrategy, CliError> {
    etcetera::choose_base_strategy().map_err(|_| no_home())
}

fn no_home() -> CliError {
    CliError::new("there is no home directory; set HOME")
}

/// Where the control plane keeps its data unless told otherwise.
pub(crate) fn default_data_dir() -> Result<PathBuf, CliError> {
    Ok(strategy()?.data_dir().join("oz"))
}

#[cfg(feature = "serve")]
/// Where the control plane makes the master key of its secrets unless told otherwise: not beside its data, so that who
/// takes the one does not have the other.
pub(crate) fn default_master_key() -> Result<PathBuf, CliError> {
    Ok(strategy()?.config_dir().join("oz").join("master.key"))
}

/// The file of the stored login, whether or not it is there.
pub(crate) fn path() -> Result<PathBuf, CliError> {
    Login::path().ok_or_else(no_home)
}

/// The file with this person's model services, if there is one.
pub(crate) fn models_file() -> Option<PathBuf> {
    let path = strategy().ok()?.config_dir().join("oz").join("models.yaml");
    path.is_file().then_some(path)
}

#[cfg(feature = "serve")]
/// The stored login, if there is one.
pub(crate) fn load() -> Option<Login> {
    Login::load()
}

/// Stores a login. Returns where.
pub(crate) fn store(login: &Login) -> Result<PathBuf, CliError> {
    let path = path()?;
    let text = serde_json::to_string_pretty(login).map_err(CliError::new)?;
    write_private(&path, &text).map_err(|e| CliError::new(format!("{}: {e}", path.display())))?;
    Ok(path)
}

/// Forgets the login. Returns whether there was one.
pub(crate) fn forget() -> Result<bool, CliError> {
    match fs::remove_file(path()?) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Writes a file that only its owner can read, at no moment half of it.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    // Made private from the start: a key must not be readable even for a moment.
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&fresh)?;
    file.write_all(text.as_bytes())?;
    fs::rename(fresh, path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_stored_is_private_even_over_an_open_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("oz").join("login.json");
        fs::create_dir(dir.path().join("oz")).unwrap();
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path().join("oz")).unwrap().count(), 1);
    }
}
