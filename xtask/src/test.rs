//! `cargo xtask test`: the end-to-end tests need the real `oz`, which `cargo test` alone would not build, and a
//! PostgreSQL server.

use crate::{Outcome, built, cargo, postgres::Postgres};

/// Builds `oz`, starts PostgreSQL and runs every test.
pub(crate) fn run(args: &[String]) -> Outcome {
    crate::run(&mut cargo(&["build", "--package", "oz-cli"]))?;
    let postgres = Postgres::start()?;
    let mut test = cargo(&["test", "--workspace"]);
    crate::run(
        test.args(args).env("OZ_BIN", built("debug").join("oz")).env("OZ_TEST_POSTGRES", &postgres.url),
    )
}
