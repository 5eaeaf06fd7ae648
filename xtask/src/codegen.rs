//! `cargo xtask codegen`: what is written from the tables that the program itself uses, so that it can't say anything else.

mod build;
mod model;
mod pages;
mod published;
mod python;
mod schema;
mod typescript;

use crate::{Outcome, root, say};
use std::fs;

/// Writes the files, or only compares them.
pub(crate) fn run(check: bool) -> Outcome {
    let files = files()?;
    let stale = differing(&files);
    if check {
        return match stale.as_slice() {
            [] => Ok(()),
            _ => Err(format!("stale: {}; run `cargo xtask codegen`", stale.join(", "))),
        };
    }
    for (path, text) in files.iter().filter(|(path, _)| stale.contains(path)) {
        let whole = root().join(path);
        let written =
            whole.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&whole, text));
        written.map_err(|e| format!("{path}: {e}"))?;
        say(&format!("wrote {path}"));
    }
    Ok(())
}

/// The files that differ from what would be written; what keeps them from being written stands there, too.
pub(crate) fn stale() -> Vec<String> {
    files().map_or_else(|e| vec![e], |files| differing(&files))
}

fn differing(files: &[(String, String)]) -> Vec<String> {
    let fresh = |(path, text): &&(String, String)| {
        fs::read_to_string(root().join(path)).is_ok_and(|old| old == *text)
    };
    files.iter().filter(|file| !fresh(file)).map(|(path, _)| path.clone()).collect()
}

/// Every generated file: its path and its text.
fn files() -> Result<Vec<(String, String)>, String> {
    let model = build::model()?;
    Ok(pages::files().chain(python::files(&model)?).chain(typescript::files(&model)).collect())
}
