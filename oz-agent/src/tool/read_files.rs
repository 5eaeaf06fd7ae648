//! `read_files`: text files or parts of them, with line numbers. It reads no more of a file than it shows.

use super::{Desk, Done, Failed, Tool, arguments, blocking, object, schema};
use async_trait::async_trait;
use oz_core::{Redactor, harness::ActionCategory};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

/// How much of one file is shown.
const MAX_FILE: usize = 64 << 10;
/// How much is shown in all.
const MAX_ALL: usize = 192 << 10;
/// How much of one line is shown.
const MAX_LINE: usize = 2000;
/// How far a file is read to find lines in it.
const MAX_READ: u64 = 256 << 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    files: Vec<Wanted>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    path: String,
    /// Which lines; all when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<Lines>,
}

/// Lines from `start` to `end`, counted from 1, both included.
#[derive(Deserialize, Serialize, JsonSchema, Clone, Copy)]
#[serde(deny_unknown_fields)]
struct Lines {
    start: u64,
    end: u64,
}

pub(super) struct ReadFiles;

#[async_trait]
impl Tool for ReadFiles {
    fn name(&self) -> &str {
        "read_files"
    }

    fn description(&self) -> &str {
        "Reads text files of the workspace. Each line is shown after its number and a tab, which are not part of it."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Files
    }

    fn parallel(&self) -> bool {
        true
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { files } = arguments(input)?;
        if files.is_empty() {
            return Err("files: it is empty; name at least one file".to_owned().into());
        }
        let (workspace, redactor) = (desk.workspace.clone(), desk.redactor.clone());
        blocking(move || {
            let (mut content, mut shown, mut failed) = (String::new(), Vec::new(), Vec::new());
            for file in files {
                let room = MAX_FILE.min(MAX_ALL.saturating_sub(content.len()));
                match workspace.resolve(&file.path).and_then(|path| read(&path, &file.lines, room, &redactor))
                {
                    Ok(text) => {
                        let _ = write!(content, "== {}\n{text}", file.path);
                        shown.push(serde_json::to_value(file).unwrap_or_default());
                    }
                    Err(message) => {
                        let _ = writeln!(content, "== {}\nfailed: {message}", file.path);
                        failed.push(json!({ "path": file.path, "message": message }));
                    }
                }
            }
            let all_failed = shown.is_empty();
            let mut output = object([("files", shown.into())]);
            if !failed.is_empty() {
                output.insert("failed_files".to_owned(), failed.into());
            }
            match all_failed {
                true => Err(Failed { message: content, output }),
                false => Ok(Done { content, output, ..Done::default() }),
            }
        })
        .await
    }
}

/// Opens a file of text.
pub(super) fn open(path: &Path) -> Result<File, String> {
    // Opening a pipe or a device could wait forever.
    let metadata = path.metadata().map_err(|e| e.to_string())?;
    if metadata.is_dir() {
        return Err("it is a directory; use list_files".to_owned());
    }
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    File::open(path).map_err(|e| e.to_string())
}

/// The wanted lines with their numbers, at most about `room` bytes.
fn read(path: &Path, wanted: &[Lines], room: usize, redactor: &Redactor) -> Result<String, String> {
    let mut reader = BufReader::new(open(path)?.take(MAX_READ));
    if reader.fill_buf().map_err(|e| e.to_string())?.contains(&0) {
        return Err("it is a binary file".to_owned());
    }
    let last = wanted.iter().map(|l| l.end).max().unwrap_or(u64::MAX);
    let mut text = String::new();
    let mut line = Vec::new();
    let mut number = 0;
    let mut before = 0;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(|e| e.to_string())? == 0 {
            break;
        }
        number += 1;
        if !wanted.is_empty() && !wanted.iter().any(|l| (l.start..=l.end).contains(&number)) {
            if number > last {
                break;
            }
            continue;
        }
        if text.len() >= room {
            let _ = writeln!(text, "[… cut at line {number}; name lines to read on …]");
            return Ok(text);
        }
        if number != before + 1 && before != 0 {
            text.push_str("[…]\n");
        }
        before = number;
        let _ = writeln!(text, "{number}\t{}", shorten(&line, redactor));
    }
    if text.is_empty() {
        text = match number {
            0 => "[the file is empty]\n".to_owned(),
            _ => format!("[there are no such lines; the file has {number}]\n"),
        };
    }
    Ok(text)
}

fn shorten(line: &[u8], redactor: &Redactor) -> String {
    let line = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
    // First, so that no part of a secret stands where the line is cut.
    let line = redactor.text(&line);
    if line.len() <= MAX_LINE {
        return line.into_owned();
    }
    let cut = line.floor_char_boundary(MAX_LINE);
    format!("{}[… {} bytes more in this line …]", &line[..cut], line.len() - cut)
}
