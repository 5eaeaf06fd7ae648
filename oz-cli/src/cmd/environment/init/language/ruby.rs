//! Ruby and Bundler.

use super::{Language, Needs, parts, said};
use crate::cmd::environment::init::tree::Dir;

pub(super) const LANGUAGE: Language =
    Language { name: "Ruby", manifests: &["Gemfile"], locks: &[], covers: |_| false, inspect };

fn inspect(dir: Dir) -> Needs {
    let files = [
        (".ruby-version", dir.word(".ruby-version").map(|word| word.trim_start_matches("ruby-"))),
        (".tool-versions", dir.tool_version("ruby")),
        ("Gemfile", dir.text("Gemfile").and_then(declared)),
    ];
    let (image, why_image) = match said(files) {
        Some((file, version)) => (format!("ruby:{}", parts(&version, 2)), format!("{file} says {version}")),
        None => ("ruby:3".to_owned(), "no file names a version of Ruby".to_owned()),
    };
    let (command, file) = if dir.has("Gemfile.lock") {
        ("BUNDLE_FROZEN=true bundle install", "Gemfile.lock")
    } else {
        ("bundle install", "Gemfile")
    };
    Needs { image, why_image, setup: Some((command.to_owned(), format!("{} is there", dir.path_of(file)))) }
}

/// The version in `ruby "3.3.0"` or `ruby "~> 3.3"`.
fn declared(gemfile: &str) -> Option<&str> {
    let line = gemfile.lines().find_map(|line| line.trim().strip_prefix("ruby "))?;
    let text = line.trim().trim_start_matches(['"', '\'']);
    Some(text.trim_start_matches(['~', '>', '=', ' ']))
}
