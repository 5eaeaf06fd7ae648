//! Rust and Cargo.

use super::{Language, Needs, version};
use crate::cmd::environment::init::tree::Dir;

pub(super) const LANGUAGE: Language = Language {
    name: "Rust",
    manifests: &["Cargo.toml"],
    locks: &["Cargo.lock"],
    covers: |dir| dir.toml("Cargo.toml").contains_key("workspace"),
    inspect,
};

fn inspect(dir: Dir) -> Needs {
    let (image, why_image) = image(dir);
    let setup = if dir.has("Cargo.lock") {
        ("cargo fetch --locked", format!("{} is there", dir.path_of("Cargo.lock")))
    } else {
        ("cargo fetch", format!("{} has no lock file beside it", dir.path_of("Cargo.toml")))
    };
    Needs { image, why_image, setup: Some((setup.0.to_owned(), setup.1)) }
}

fn image(dir: Dir) -> (String, String) {
    if let Some((file, channel)) = channel(dir) {
        let image = match version(&channel) {
            _ if channel.starts_with("nightly") => "rustlang/rust:nightly".to_owned(),
            Some(version) if !channel.contains("beta") => format!("rust:{version}"),
            _ => "rust:1".to_owned(),
        };
        return (image, format!("{file} says {channel}"));
    }
    let manifest = dir.toml("Cargo.toml");
    let package = manifest.get("package");
    let package = package.or_else(|| manifest.get("workspace")?.get("package"));
    let why = match package.and_then(|package| package.get("rust-version")?.as_str()) {
        Some(least) => format!("Cargo.toml needs Rust {least} or newer"),
        None => "Cargo.toml names no version of Rust".to_owned(),
    };
    ("rust:1".to_owned(), why)
}

/// The toolchain that the project pins.
fn channel(dir: Dir) -> Option<(&'static str, String)> {
    for file in ["rust-toolchain.toml", "rust-toolchain"] {
        let pinned = dir.toml(file);
        let channel = pinned.get("toolchain").and_then(|toolchain| toolchain.get("channel")?.as_str());
        // The older file may hold the bare word.
        let word = || dir.word(file).filter(|word| !word.starts_with('['));
        if let Some(channel) = channel.or_else(word) {
            return Some((file, channel.to_owned()));
        }
    }
    None
}
