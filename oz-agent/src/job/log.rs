//! Everything that a job printed, on disk when it is more than can be shown at once.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

/// How much waits in memory until there is a file.
const MEMORY: usize = 24 << 10;
/// How large the file may become.
const MAX: u64 = 512 << 20;

/// The whole output of a job.
pub(super) struct Log {
    path: PathBuf,
    begin: Vec<u8>,
    file: Option<File>,
    length: u64,
    broken: bool,
}

impl Log {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, begin: Vec::new(), file: None, length: 0, broken: false }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.file.is_none() && self.begin.len() + bytes.len() <= MEMORY {
            self.begin.extend_from_slice(bytes);
            return;
        }
        if self.open() {
            self.write(bytes);
        }
    }

    /// The file; it is made when it is `needed` and anything was printed.
    pub(super) fn path(&mut self, needed: bool) -> Option<PathBuf> {
        let there = self.file.is_some() || (needed && self.open());
        (there && !self.broken).then(|| self.path.clone())
    }

    fn open(&mut self) -> bool {
        if self.file.is_none() && !self.broken {
            let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&self.path);
            self.broken = file.is_err();
            self.file = file.ok();
            let begin = std::mem::take(&mut self.begin);
            self.write(&begin);
        }
        self.file.is_some()
    }

    fn write(&mut self, bytes: &[u8]) {
        let Some(file) = &mut self.file else { return };
        let room = usize::try_from(MAX - self.length).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(room)];
        self.length += bytes.len() as u64;
        // Without the file the ends of the output are still there.
        self.broken |= file.write_all(bytes).is_err();
    }
}
