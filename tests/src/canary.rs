//! A value that must be found nowhere: looked for in files, in the database and in what processes show of themselves, as
//! it is and in the encodings in which it could be carried along.

use crate::World;
use base64::{Engine as _, prelude::*};
use std::{
    fmt::Write as _,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// The forms in which a value could show, each with its name.
#[must_use]
pub fn forms(value: &str) -> Vec<(String, String)> {
    let mut forms = vec![("plain".to_owned(), value.to_owned())];
    for skipped in 0..3 {
        // What of its base64 does not depend on what stands around it.
        let padded = format!("{}{value}", "x".repeat(skipped));
        let whole = padded.len() / 3 * 3;
        let from = if skipped == 0 { 0 } else { 4 };
        let standard = BASE64_STANDARD.encode(&padded.as_bytes()[..whole]);
        let url_safe = BASE64_URL_SAFE.encode(&padded.as_bytes()[..whole]);
        forms.push((format!("base64 at {skipped}"), standard[from..].to_owned()));
        forms.push((format!("URL-safe base64 at {skipped}"), url_safe[from..].to_owned()));
    }
    let (mut lower, mut upper, mut percent) = (String::new(), String::new(), String::new());
    for byte in value.bytes() {
        let _ = write!(lower, "{byte:02x}");
        let _ = write!(upper, "{byte:02X}");
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            percent.push(char::from(byte));
        } else {
            let _ = write!(percent, "%{byte:02X}");
        }
    }
    forms.extend([("hex".into(), lower), ("HEX".into(), upper), ("percent".into(), percent.clone())]);
    forms.push(("percent, small".into(), percent.to_lowercase()));
    forms
}

/// Where in `bytes` a form of the value is, if anywhere.
fn found_in(forms: &[(String, String)], bytes: &[u8]) -> Option<String> {
    let has = |form: &str| bytes.windows(form.len()).any(|window| window == form.as_bytes());
    forms.iter().find(|(_, form)| has(form)).map(|(name, _)| name.clone())
}

/// The files under `dir` that hold a form of the value.
#[must_use]
pub fn in_files(value: &str, dir: &Path) -> Vec<String> {
    let (forms, mut found) = (forms(value), Vec::new());
    let mut directories = vec![dir.to_owned()];
    while let Some(dir) = directories.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type());
            match kind {
                Ok(kind) if kind.is_dir() => directories.push(path),
                Ok(kind) if kind.is_file() => {
                    let bytes = fs::read(&path).unwrap_or_default();
                    found.extend(found_in(&forms, &bytes).map(|form| format!("{} ({form})", path.display())));
                }
                _ => {}
            }
        }
    }
    found
}

/// The tables of a world's database that hold a form of the value.
#[must_use]
pub fn in_database(value: &str, world: &World) -> Vec<String> {
    let forms = forms(value);
    let database = world.database();
    let dump = database.dump();
    let found = dump.into_iter().filter_map(|(table, text)| {
        found_in(&forms, text.as_bytes()).map(|form| format!("table {table} ({form})"))
    });
    found.collect()
}

/// Watches the command lines of all processes of the machine.
pub struct ProcessWatch {
    over: Arc<AtomicBool>,
    watching: thread::JoinHandle<(usize, Vec<String>)>,
}

impl ProcessWatch {
    /// Starts to watch.
    #[must_use]
    pub fn start(value: &str) -> Self {
        let (over, forms) = (Arc::new(AtomicBool::new(false)), forms(value));
        let stop = Arc::clone(&over);
        let watching = thread::spawn(move || {
            let (mut looks, mut found) = (0, Vec::new());
            while !stop.load(Ordering::Relaxed) {
                looks += 1;
                for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
                    let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    if found_in(&forms, &line).is_some() {
                        found.push(String::from_utf8_lossy(&line).replace('\0', " "));
                    }
                }
                thread::sleep(Duration::from_millis(2));
            }
            (looks, found)
        });
        Self { over, watching }
    }

    /// How often it looked, and the command lines that showed the value.
    ///
    /// # Panics
    /// When watching failed.
    #[must_use]
    pub fn end(self) -> (usize, Vec<String>) {
        self.over.store(true, Ordering::Relaxed);
        self.watching.join().expect("watching")
    }
}
