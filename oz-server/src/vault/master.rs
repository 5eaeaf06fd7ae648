//! Master keys: where they come from. They never lie beside the data that they protect, and are wiped from memory.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use zeroize::Zeroizing;

/// How long a command may take to print a key.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);

/// Where a master key comes from.
#[derive(Clone)]
pub enum KeySource {
    /// The key itself: 32 bytes in base64 or as 64 hex digits.
    Key(Zeroizing<String>),
    /// A file that holds it.
    File(PathBuf),
    /// A shell command that prints it.
    Command(String),
    /// A file that is made with a random key when a key is needed for the first time.
    MadeFile(PathBuf),
}

impl KeySource {
    /// Reads what `OZ_MASTER_KEY` may hold: `file:PATH`, `command:COMMAND`, or the key itself.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if let Some(path) = text.strip_prefix("file:") {
            Self::File(path.into())
        } else if let Some(command) = text.strip_prefix("command:") {
            Self::Command(command.to_owned())
        } else {
            Self::Key(Zeroizing::new(text.to_owned()))
        }
    }
}

// A key must not get into logs by way of a debug print, nor a command, which may hold a password.
impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(_) => f.write_str("Key"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Command(_) => f.write_str("Command"),
            Self::MadeFile(path) => f.debug_tuple("MadeFile").field(path).finish(),
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(_) => f.write_str("the master key that was given"),
            Self::File(path) | Self::MadeFile(path) => write!(f, "the master key in {}", path.display()),
            Self::Command(_) => f.write_str("the master key that its command prints"),
        }
    }
}

/// A master key.
#[derive(Clone)]
pub(crate) struct MasterKey(pub(super) Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Reads the key of a source; `None` when it is a file that was not made yet.
    pub(super) async fn read(source: &KeySource) -> Result<Option<Self>, String> {
        let text = match source {
            KeySource::Key(text) => text.clone(),
            KeySource::File(path) => {
                read_file(path).map_err(|e| format!("{} can't be read: {e}", path.display()))?
            }
            KeySource::Command(command) => printed(command).await?,
            KeySource::MadeFile(path) => match read_file(path) {
                Ok(text) => text,
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(e) => return Err(format!("{} can't be read: {e}", path.display())),
            },
        };
        let wrong = || {
            format!(
                "{source} is not a key: expected 32 bytes in base64 or as 64 hex digits, as `openssl rand -base64 32` makes"
            )
        };
        Self::decode(text.trim()).map(Some).ok_or_else(wrong)
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = match crate::auth::unhex(text) {
            Some(bytes) if bytes.len() == 32 => bytes,
            _ => BASE64_STANDARD.decode(text).ok()?,
        };
        let bytes = Zeroizing::new(bytes);
        let mut key = Zeroizing::new([0; 32]);
        (bytes.len() == key.len()).then(|| {
            key.copy_from_slice(&bytes);
            Self(key)
        })
    }

    /// A random key.
    pub(super) fn random() -> Result<Self, String> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(|e| format!("the system has no randomness: {e}"))?;
        Ok(Self(key))
    }

    /// Makes a file with a random key, unless another process is faster. Returns whether it did.
    pub(super) fn make(path: &Path) -> Result<bool, String> {
        let text = Zeroizing::new(format!("{}\n", BASE64_STANDARD.encode(*Self::random()?.0)));
        make_file(path, text.as_bytes()).map_err(|e| format!("{} can't be made: {e}", path.display()))
    }
}

fn read_file(path: &Path) -> io::Result<Zeroizing<String>> {
    fs::read_to_string(path).map(Zeroizing::new)
}

/// Makes a private file that is there either whole or not at all, and durably: what is sealed under a key that a power
/// cut took is lost.
fn make_file(path: &Path, content: &[u8]) -> io::Result<bool> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let fresh = path.with_extension(format!("new-{}", uuid::Uuid::new_v4().simple()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options.open(&fresh).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    // A link does not replace what is there; a rename would.
    let linked = written.and_then(|()| fs::hard_link(&fresh, path));
    fs::remove_file(&fresh)?;
    match linked {
        Ok(()) => {
            #[cfg(unix)]
            fs::File::open(dir)?.sync_all()?;
            Ok(true)
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e),
    }
}

/// What a shell command prints.
async fn printed(command: &str) -> Result<Zeroizing<String>, String> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let child = tokio::process::Command::new(shell)
        .args([flag, command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(COMMAND_WITHIN, child)
        .await
        .map_err(|_| {
            format!("the command for the master key took longer than {} seconds", COMMAND_WITHIN.as_secs())
        })?
        .map_err(|e| format!("the command for the master key can't be run: {e}"))?;
    let text = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(format!("the command for the master key failed: {}", output.status));
    }
    let text = std::str::from_utf8(&text).map_err(|_| "the command for the master key printed no text")?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    async fn read(text: &str) -> Result<Option<Vec<u8>>, String> {
        let key = MasterKey::read(&KeySource::parse(text)).await?;
        Ok(key.map(|key| key.0.to_vec()))
    }

    #[tokio::test]
    async fn a_key_comes_in_any_of_its_forms() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, format!("{BASE64}\n")).unwrap();
        let expected: Vec<u8> = (0..32).collect();
        for form in [
            HEX.to_owned(),
            HEX.to_uppercase(),
            BASE64.to_owned(),
            format!("file:{}", path.display()),
            format!("command:cat '{}'", path.display()),
        ] {
            assert_eq!(read(&form).await.unwrap().unwrap(), expected, "{form}");
        }
    }

    #[tokio::test]
    async fn what_is_no_key_is_refused_and_never_shown() {
        for (form, expected) in [
            ("hunter2", "expected 32 bytes"),
            ("", "expected 32 bytes"),
            (&HEX[2..], "expected 32 bytes"),
            ("file:/no/such/hunter", "/no/such/hunter can't be read"),
            ("command:echo hunter2", "expected 32 bytes"),
            ("command:echo hunter2; exit 3", "failed: exit status: 3"),
        ] {
            let error = read(form).await.unwrap_err();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{form}: {error}");
            assert!(!format!("{:?}", KeySource::parse(form)).contains("hunter2"), "{form}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_made_file_is_private_and_stays() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep").join("master.key");
        let source = KeySource::MadeFile(path.clone());
        assert!(MasterKey::read(&source).await.unwrap().is_none());
        let made: Vec<bool> = (0..3).map(|_| MasterKey::make(&path).unwrap()).collect();
        assert_eq!(made, [true, false, false]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let first = MasterKey::read(&source).await.unwrap().unwrap();
        assert!(!MasterKey::make(&path).unwrap());
        assert_eq!(MasterKey::read(&source).await.unwrap().unwrap().0, first.0);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
