//! `grep`: lines of files by regular expressions.

use super::{
    Desk, Done, Failed, Tool, arguments, blocking, directory, object, read_files, schema, walk::Walk,
};
use async_trait::async_trait;
use oz_core::{Redactor, harness::ActionCategory};
use regex::bytes::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

/// How many lines are shown.
const MAX_LINES: usize = 200;
/// How much of a line is shown.
const MAX_LINE: usize = 300;
/// How far one file is searched.
const MAX_FILE: u64 = 32 << 20;
/// How large a compiled expression may become.
const MAX_REGEX: usize = 4 << 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Regular expressions; a line that matches any of them is shown.
    queries: Vec<String>,
    /// The file or directory to search; the workspace itself when absent.
    path: Option<String>,
    /// Search only files whose paths match one of these globs.
    #[serde(default)]
    include: Vec<String>,
}

pub(super) struct Grep;

#[async_trait]
impl Tool for Grep {
    fn name(&self) -> &str {
        "grep"
    }

    fn description(&self) -> &str {
        "Finds lines in files of the workspace by regular expressions, without what .gitignore excludes. Shows path:line:text."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Search
    }

    fn parallel(&self) -> bool {
        true
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { queries, path, include } = arguments(input)?;
        let root = directory(desk, path.as_deref())?;
        let (workspace, redactor) = (desk.workspace.clone(), desk.redactor.clone());
        blocking(move || {
            let queries = compile(&queries)?;
            let mut search =
                Search { queries, redactor, lines: 0, content: String::new(), files: Vec::new() };
            let whole = if root.is_file() {
                search.file(&root, &workspace.show(&root))
            } else {
                let mut walk = Walk::new(&root);
                if !include.is_empty() {
                    walk = walk.matching(&root, &include)?;
                }
                walk.each(|found| !found.is_file || search.file(&found.path, &workspace.show(&found.path)))
            };
            let Search { mut content, files, .. } = search;
            if files.is_empty() {
                content.push_str("nothing was found\n");
            }
            if !whole {
                content.push_str("[… there is more; ask for less …]\n");
            }
            Ok(Done { content, output: object([("files", files.into())]), ..Done::default() })
        })
        .await
    }
}

fn compile(queries: &[String]) -> Result<Vec<Regex>, Failed> {
    if queries.is_empty() {
        return Err("queries: it is empty; name at least one expression".to_owned().into());
    }
    let compile = |query: &String| RegexBuilder::new(query).size_limit(MAX_REGEX).build();
    let compiled: Result<_, _> = queries.iter().map(compile).collect();
    compiled.map_err(|e| format!("queries: {e}").into())
}

struct Search {
    queries: Vec<Regex>,
    redactor: Redactor,
    lines: usize,
    content: String,
    files: Vec<Value>,
}

impl Search {
    /// Searches one file. Answers whether there is room for more.
    fn file(&mut self, path: &Path, shown: &str) -> bool {
        let mut numbers: Vec<u64> = Vec::new();
        let Ok(file) = read_files::open(path) else { return true };
        let mut reader = BufReader::new(file.take(MAX_FILE));
        if reader.fill_buf().is_ok_and(|beginning| beginning.contains(&0)) {
            return true;
        }
        let mut line = Vec::new();
        let mut number = 0;
        while self.lines < MAX_LINES && reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            number += 1;
            let text = line.trim_ascii_end();
            if self.queries.iter().any(|q| q.is_match(text)) {
                let text = String::from_utf8_lossy(text);
                // First, so that no part of a secret stands where the line is cut.
                let text = self.redactor.text(&text);
                let cut = text.floor_char_boundary(MAX_LINE);
                let _ = writeln!(self.content, "{shown}:{number}:{}", &text[..cut]);
                numbers.push(number);
                self.lines += 1;
            }
            line.clear();
        }
        if !numbers.is_empty() {
            self.files.push(json!({ "path": shown, "lines": numbers }));
        }
        self.lines < MAX_LINES
    }
}
