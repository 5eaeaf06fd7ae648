//! `read_files`: text files or parts of them, with line numbers, and pictures.

mod lines;
mod picture;

use super::{Desk, Done, Failed, Tool, arguments, asks, blocking, object, schema};
use async_trait::async_trait;
use lines::Lines;
use oz_core::{Redactor, harness::ActionCategory, model::Image, permission::Ask};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{fmt::Write as _, fs::File, io::Seek as _, path::Path};

/// How much of one file is shown.
const MAX_FILE: usize = 64 << 10;
/// How much is shown in all.
const MAX_ALL: usize = 192 << 10;
/// How many pictures are shown.
const MAX_PICTURES: usize = 5;

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

pub(super) struct ReadFiles;

#[async_trait]
impl Tool for ReadFiles {
    fn name(&self) -> &str {
        "read_files"
    }

    fn description(&self) -> &str {
        "Reads text files and pictures (PNG, JPEG, GIF, WebP) of the workspace. Each line is shown after its number and a \
         tab, which are not part of it."
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

    fn asks(&self, desk: &Desk, input: &Map<String, Value>) -> Vec<Ask> {
        asks::read(desk, input)
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { files } = arguments(input)?;
        if files.is_empty() {
            return Err("files: it is empty; name at least one file".to_owned().into());
        }
        let (workspace, redactor) = (desk.workspace.clone(), desk.redactor.clone());
        blocking(move || {
            let (mut content, mut shown, mut failed) = (String::new(), Vec::new(), Vec::new());
            let mut images = Vec::new();
            for file in files {
                let room = MAX_FILE.min(MAX_ALL.saturating_sub(content.len()));
                let read = workspace
                    .resolve_to_read(&file.path)
                    .and_then(|path| read(&path, &file.lines, room, &redactor));
                let read = match read {
                    Ok(Read::Picture(_)) if images.len() >= MAX_PICTURES => {
                        Err(format!("only {MAX_PICTURES} pictures are shown at once; read it by itself"))
                    }
                    other => other,
                };
                match read {
                    Ok(read) => {
                        let text = match read {
                            Read::Text(text) => text,
                            Read::Picture(image) => {
                                let text = format!("[a picture: {}]\n", image.media_type);
                                images.push(image);
                                text
                            }
                        };
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
                false => Ok(Done { content, output, images, ..Done::default() }),
            }
        })
        .await
    }
}

/// What is in a file.
enum Read {
    Text(String),
    Picture(Image),
}

fn read(path: &Path, wanted: &[Lines], room: usize, redactor: &Redactor) -> Result<Read, String> {
    let mut file = open(path)?;
    let beginning = lines::beginning(&file, 16).map_err(|e| e.to_string())?;
    file.rewind().map_err(|e| e.to_string())?;
    match picture::media_type(&beginning) {
        Some(media_type) => picture::read(&file, media_type).map(Read::Picture),
        None => lines::read(file, wanted, room, redactor).map(Read::Text),
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
