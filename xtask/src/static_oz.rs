//! The static `oz` that stories bring into containers.

use crate::{Outcome, built, cargo, say};
use std::{
    env::consts::ARCH,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Builds it, with the compiler's target and the C compiler that it needs installed when they are missing. Returns its
/// path.
pub(crate) fn build() -> Result<PathBuf, String> {
    let target = format!("{ARCH}-unknown-linux-musl");
    crate::run(Command::new("rustup").args(["target", "add", &target]).stderr(Stdio::null()))?;
    musl_gcc()?;
    // It goes through the engine as a whole, so it should be small: an agent needs no control plane.
    let mut build = cargo(&["build", "--package", "oz-cli", "--no-default-features", "--target", &target]);
    crate::run(build.env("CARGO_PROFILE_DEV_DEBUG", "false").env("CARGO_INCREMENTAL", "0"))?;
    Ok(built(&target).join("debug/oz"))
}

/// SQLite, the allocator and the cryptography are C.
fn musl_gcc() -> Outcome {
    let program = "musl-gcc";
    if Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok() {
        return Ok(());
    }
    say("installing musl-tools");
    let apt = |args: &[&str]| {
        let mut apt = Command::new("apt-get");
        crate::run(apt.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()))
    };
    apt(&["update", "-qq"])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends", "musl-tools"])
}
