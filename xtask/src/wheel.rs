//! The wheel of the Python package: one for every CPython from 3.9 on, as PyPI would get it.

use crate::{Outcome, cargo, npm::Build, root, say};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What builds wheels.
const MATURIN: &str = "maturin>=1.9,<2";
/// The package that ours is measured beside.
const PUBLISHED: &str = "oz-agent-sdk==0.15.0";

/// Builds the wheel. Returns its path.
///
/// # Errors
/// When a tool can't be installed, or the build fails.
pub(crate) fn package(build: Build) -> Result<PathBuf, String> {
    let profile = match build {
        Build::Dev => "dev",
        Build::Release => "release",
        Build::Profile(name) => name,
    };
    let wheels = target().join("wheels").join(profile);
    if wheels.exists() {
        fs::remove_dir_all(&wheels).map_err(|e| format!("{}: {e}", wheels.display()))?;
    }
    let tools = target().join("package-tools");
    environment(&tools, "maturin", |pip| pip.arg(MATURIN))?;
    let mut maturin = Command::new(tools.join("bin/maturin"));
    maturin.args(["build", "--manifest-path", "bindings/python/Cargo.toml", "--profile", profile]);
    crate::run(maturin.arg("--out").arg(&wheels).current_dir(root()))?;
    let built = fs::read_dir(&wheels).map_err(|e| format!("{}: {e}", wheels.display()))?;
    let mut built = built.flatten().map(|entry| entry.path());
    built.find(|path| path.extension().is_some_and(|e| e == "whl")).ok_or("maturin built no wheel".to_owned())
}

/// An environment with this wheel and the published package. Returns its Python.
///
/// # Errors
/// When they can't be installed.
pub(crate) fn beside_the_published(wheel: &Path) -> Result<PathBuf, String> {
    let venv = target().join("bench-python");
    if venv.exists() {
        fs::remove_dir_all(&venv).map_err(|e| format!("{}: {e}", venv.display()))?;
    }
    environment(&venv, "none of these", |pip| pip.arg(wheel).arg(PUBLISHED))?;
    Ok(venv.join("bin/python"))
}

/// Measures the ways on which an answer can get from Rust to Python.
///
/// # Errors
/// When it can't be built or run.
pub(crate) fn crossing() -> Outcome {
    let source = root().join("bindings/python/bench/crossing");
    let built = target().join("crossing");
    let mut build = cargo(&["build", "--release", "--manifest-path"]);
    crate::run(build.arg(source.join("Cargo.toml")).arg("--target-dir").arg(&built))?;
    let library = format!("{}oz_crossing{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let from = built.join("release").join(library);
    fs::copy(&from, built.join("oz_crossing.abi3.so")).map_err(|e| format!("{}: {e}", from.display()))?;
    crate::run(Command::new("python3").arg(source.join("crossing.py")).env("PYTHONPATH", &built))
}

/// A virtual environment, filled by pip unless it has this program.
fn environment(venv: &Path, program: &str, what: impl FnOnce(&mut Command) -> &mut Command) -> Outcome {
    if venv.join("bin").join(program).exists() {
        return Ok(());
    }
    say(&format!("making {}", venv.display()));
    crate::run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    let mut pip = Command::new(venv.join("bin/python"));
    crate::run(what(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])))
}

fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
