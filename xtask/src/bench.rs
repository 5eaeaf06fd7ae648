//! `cargo xtask bench`: a release build, then the benchmarks with it.

use crate::{Outcome, built, cargo};
use std::process::Command;

/// Builds and runs the named benchmarks, or all.
pub(crate) fn run(names: &[String]) -> Outcome {
    crate::run(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "oz-cli",
        "--package",
        "oz-tests",
        "--bins",
    ]))?;
    let release = built("release");
    crate::run(Command::new(release.join("oz-bench")).args(names).env("OZ_BIN", release.join("oz")))
}
