//! `cargo xtask bench`: a release build, then the benchmarks with it.

use crate::{Outcome, built, cargo, npm, root, wheel};
use std::process::Command;

/// Builds and runs the named benchmarks, or all of the system; those of the packages, which compare them with the
/// published ones, run by name.
pub(crate) fn run(names: &[String]) -> Outcome {
    let (sdk, names): (Vec<&str>, Vec<&str>) =
        names.iter().map(String::as_str).partition(|n| n.starts_with("sdk-"));
    for name in &sdk {
        match *name {
            "sdk-node" => sdk_node()?,
            "sdk-python" => sdk_python()?,
            "sdk-crossing" => wheel::crossing()?,
            other => return Err(format!("there is no benchmark '{other}'")),
        }
    }
    if names.is_empty() && !sdk.is_empty() {
        return Ok(());
    }
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

/// What packages and the server are built with to be measured: as optimised as a release, linked faster.
const SDK_PROFILE: &str = "bench-sdk";

/// The npm package beside the published one.
fn sdk_node() -> Outcome {
    crate::run(&mut cargo(&["build", "--package", "oz-cli", "--profile", SDK_PROFILE]))?;
    let archive = npm::package(npm::Build::Profile(SDK_PROFILE))?;
    let dir = npm::beside_the_published(&archive)?;
    let bench = root().join("bindings/node/bench/sdk.mjs");
    crate::run(Command::new("node").arg(bench).arg(dir).env("OZ_BIN", built(SDK_PROFILE).join("oz")))
}

/// The wheel beside the published package.
fn sdk_python() -> Outcome {
    crate::run(&mut cargo(&["build", "--package", "oz-cli", "--profile", SDK_PROFILE]))?;
    let wheel = wheel::package(npm::Build::Profile(SDK_PROFILE))?;
    let python = wheel::beside_the_published(&wheel)?;
    let bench = root().join("bindings/python/bench/compare.py");
    crate::run(Command::new(python).arg(bench).env("OZ_BIN", built(SDK_PROFILE).join("oz")))
}
