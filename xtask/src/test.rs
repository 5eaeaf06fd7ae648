//! `cargo xtask test`: the end-to-end tests need the real `oz`, which `cargo test` alone would not build.

use crate::{Outcome, built, cargo};

/// Builds `oz` and runs every test.
pub(crate) fn run(args: &[String]) -> Outcome {
    crate::run(&mut cargo(&["build", "--package", "oz-cli"]))?;
    crate::run(cargo(&["test", "--workspace"]).args(args).env("OZ_BIN", built("debug").join("oz")))
}
