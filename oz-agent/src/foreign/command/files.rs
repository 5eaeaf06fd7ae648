//! The home of a program as one document, so that a later run finds what the program keeps of its conversations.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oz_core::{Error, ErrorCode};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The most that is kept of a home, in bytes.
const MOST: u64 = 32 << 20;

/// What programs can make again.
const LEFT_OUT: [&str; 3] = [".cache", ".npm", "node_modules"];

#[derive(Serialize, Deserialize)]
struct Packed {
    /// Contents in base64 by their paths.
    files: BTreeMap<PathBuf, String>,
}

/// The files of `home`; `None` when they are too much to keep.
pub(super) fn packed(home: &Path) -> Option<Vec<u8>> {
    let (mut files, mut room) = (BTreeMap::new(), MOST);
    let mut waiting = vec![home.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).ok()?.flatten() {
            let kind = entry.file_type().ok()?;
            if kind.is_dir() && !LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
                waiting.push(entry.path());
            } else if kind.is_file() {
                room = room.checked_sub(entry.metadata().ok()?.len())?;
                let path = entry.path().strip_prefix(home).ok()?.to_owned();
                files.insert(path, STANDARD.encode(fs::read(entry.path()).ok()?));
            }
        }
    }
    serde_json::to_vec(&Packed { files }).ok()
}

/// The files of a home that was packed.
pub(super) fn unpacked(content: &[u8]) -> Result<BTreeMap<PathBuf, Vec<u8>>, Error> {
    let broken = |why: String| {
        Error::new(
            ErrorCode::EnvironmentSetupFailed,
            format!("the conversation to go on with can't be read: {why}"),
        )
    };
    let packed: Packed = serde_json::from_slice(content).map_err(|e| broken(e.to_string()))?;
    let open = |(path, text): (PathBuf, String)| {
        let bytes = STANDARD.decode(text).map_err(|e| broken(format!("'{}': {e}", path.display())))?;
        Ok((path, bytes))
    };
    packed.files.into_iter().map(open).collect()
}
