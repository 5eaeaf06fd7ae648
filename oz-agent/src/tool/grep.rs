//! `grep`: lines of files by regular expressions, as ripgrep finds them.

mod found;

use super::{
    Desk, Done, Failed, Tool, arguments, asks, blocking, directory, object, read_files, schema, walk::Walk,
};
use async_trait::async_trait;
use found::{Found, Hits};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use oz_core::{harness::ActionCategory, permission::Ask};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;

/// How many lines are shown, when nobody says less.
const MAX_LINES: usize = 200;
/// How many lines of context are shown.
const MAX_CONTEXT: usize = 20;
/// How large a compiled expression may become.
const MAX_REGEX: usize = 4 << 20;
/// How much memory a line may take; a longer one ends the search of its file.
const MAX_HEAP: usize = 32 << 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Regular expressions; a line that matches any of them is shown.
    queries: Vec<String>,
    /// The file or directory to search; the workspace itself when absent.
    path: Option<String>,
    /// Search only files whose paths match one of these globs; one with `!` before it leaves files out.
    #[serde(default)]
    include: Vec<String>,
    /// Search only files of these types, such as `rust` or `py`.
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    ignore_case: bool,
    /// How many lines to show before and after each.
    #[serde(default)]
    context: usize,
    /// How many matching lines to show; 200 by default and at most.
    limit: Option<usize>,
}

pub(super) struct Grep;

#[async_trait]
impl Tool for Grep {
    fn name(&self) -> &str {
        "grep"
    }

    fn description(&self) -> &str {
        "Finds lines in text files of the workspace by regular expressions, without what .gitignore excludes. Shows \
         path:line:text."
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

    fn asks(&self, desk: &Desk, input: &Map<String, Value>) -> Vec<Ask> {
        asks::read(desk, input)
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { queries, path, include, types, ignore_case, context, limit } = arguments(input)?;
        let matcher = compile(&queries, ignore_case)?;
        let root = directory(desk, path.as_deref())?;
        let (workspace, redactor) = (desk.workspace.clone(), desk.redactor.clone());
        blocking(move || {
            let limit = limit.unwrap_or(MAX_LINES).clamp(1, MAX_LINES);
            let mut found = Found::new(limit, context > 0, redactor);
            let mut searcher = searcher(context.min(MAX_CONTEXT));
            let whole = if root.is_file() {
                search(&mut searcher, &matcher, &root, &workspace.show(&root), &mut found)
            } else {
                let mut walk = Walk::new(&root).types(&types)?;
                if !include.is_empty() {
                    walk = walk.matching(&root, &include)?;
                }
                walk.each(|file| {
                    let shown = workspace.show(&file.path);
                    !file.is_file || search(&mut searcher, &matcher, &file.path, &shown, &mut found)
                })
            };
            let Found { mut content, files, .. } = found;
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

fn compile(queries: &[String], ignore_case: bool) -> Result<RegexMatcher, Failed> {
    if queries.is_empty() {
        return Err("queries: it is empty; name at least one expression".to_owned().into());
    }
    let mut builder = RegexMatcherBuilder::new();
    // The line end comes last: `crlf` sets another.
    builder
        .size_limit(MAX_REGEX)
        .case_insensitive(ignore_case)
        .multi_line(true)
        .crlf(true)
        .line_terminator(Some(b'\n'));
    // One by one, so that the error names the one that is wrong.
    for query in queries {
        if let Err(e) = builder.build(query) {
            return Err(
                format!("queries: '{query}' is not a regular expression for single lines: {e}").into()
            );
        }
    }
    builder.build_many(queries).map_err(|e| format!("queries: {e}").into())
}

fn searcher(context: usize) -> Searcher {
    SearcherBuilder::new()
        .line_number(true)
        .multi_line(false)
        .before_context(context)
        .after_context(context)
        .heap_limit(Some(MAX_HEAP))
        .binary_detection(BinaryDetection::quit(0))
        .build()
}

/// Searches one file. Answers whether there is room and time for more.
fn search(
    searcher: &mut Searcher,
    matcher: &RegexMatcher,
    path: &Path,
    shown: &str,
    found: &mut Found,
) -> bool {
    // What can't be read is passed over, as `grep -s` does.
    let Ok(file) = read_files::open(path) else { return true };
    let mut hits = Hits::new(found, shown);
    let result = searcher.search_file(matcher, &file, &mut hits);
    let note = result.err().map(|e| e.to_string());
    hits.end(note)
}
