//! `cargo xtask ci`: every check, in the order in which a failure is cheapest to find.

use crate::{Outcome, cargo, say, test, tidy};
use std::time::Instant;

/// Runs every check.
pub(crate) fn run() -> Outcome {
    step("format", || crate::run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("tidy", tidy::run)?;
    step("lints", || {
        crate::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    })?;
    // The crates that others embed, with the features that these get: the workspace as a whole turns on more.
    step("embedding", || {
        crate::run(&mut cargo(&["check", "--package", "oz-core", "--package", "oz-client"]))
    })?;
    step("documentation", || {
        let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
        crate::run(doc.env("RUSTDOCFLAGS", "--deny warnings"))
    })?;
    step("tests", || test::run(&[]))
}

fn step(name: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    say(&format!("\n=== {name}"));
    let started = Instant::now();
    work()?;
    say(&format!("=== {name}: good, {:.0} s", started.elapsed().as_secs_f32()));
    Ok(())
}
