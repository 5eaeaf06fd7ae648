//! The npm package: the native part, compiled TypeScript and what describes them, packed as npm would publish them. All of
//! it is put together under `target/npm`; the sources stay as they are.

use crate::{Outcome, built, cargo, root};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What `napi build` is done with.
const NAPI_CLI: &str = "@napi-rs/cli@3.10.12";

/// The published package that ours is measured beside.
const PUBLISHED: &str = "oz-agent-sdk@1.0.0-alpha.8";

/// How the native part is built.
#[derive(Clone, Copy)]
pub(crate) enum Build {
    /// As tests are, with the same files of the compiler.
    Dev,
    /// With this profile.
    Profile(&'static str),
    /// As it is published.
    Release,
}

/// Builds the package and gives its archive.
pub(crate) fn package(build: Build) -> Result<PathBuf, String> {
    let source = root().join("bindings/node");
    let out = built("npm");
    let package = out.join("package");
    fresh(&package)?;
    match build {
        Build::Dev => native(&package, "dev", "debug")?,
        Build::Profile(profile) => native(&package, profile, profile)?,
        Build::Release => released(&source, &package)?,
    }
    let tools = tools(&source, &out)?;
    let modules = tools.join("node_modules");
    let tsc = modules.join("typescript/bin/tsc");
    crate::run(
        Command::new("node")
            .arg(tsc)
            .arg("--project")
            .arg(source.join("tsconfig.json"))
            .arg("--outDir")
            .arg(package.join("dist"))
            .arg("--typeRoots")
            .arg(modules.join("@types")),
    )?;
    crate::run(Command::new("node").arg(source.join("esm.mjs")).arg(package.join("dist")))?;
    for (from, name) in [
        (source.join("package.json"), "package.json"),
        (source.join("README.md"), "README.md"),
        (root().join("LICENSE-APACHE"), "LICENSE-APACHE"),
        (root().join("LICENSE-MIT"), "LICENSE-MIT"),
    ] {
        fs::copy(&from, package.join(name)).map_err(|e| format!("{}: {e}", from.display()))?;
    }
    crate::run(npm(&package).args(["pack", "--silent", "--pack-destination"]).arg(&out))?;
    let version = env!("CARGO_PKG_VERSION");
    let archive = out.join(format!("oz-sdk-{version}.tgz"));
    archive.exists().then_some(archive.clone()).ok_or(format!("npm wrote no {}", archive.display()))
}

/// A directory where Node finds the package of this archive and the published one.
pub(crate) fn beside_the_published(archive: &Path) -> Result<PathBuf, String> {
    let dir = built("npm").join("bench");
    fresh(&dir)?;
    fs::write(dir.join("package.json"), "{}").map_err(|e| format!("package.json: {e}"))?;
    let mut install = npm(&dir);
    install.args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]);
    crate::run(install.arg(archive).arg(PUBLISHED))?;
    Ok(dir)
}

/// Builds the native part and puts it where the package looks for it.
fn native(package: &Path, profile: &str, dir: &str) -> Outcome {
    crate::run(&mut cargo(&["build", "--package", "oz-node", "--profile", profile]))?;
    let library = format!("{}oz_node{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let from = built(dir).join(library);
    let to = package.join(format!("oz.{}.node", target()));
    fs::copy(&from, &to).map(drop).map_err(|e| format!("{}: {e}", from.display()))
}

/// Builds the native part as it is published.
fn released(source: &Path, package: &Path) -> Outcome {
    let mut napi = npm(source);
    napi.args(["exec", "--yes", "--", NAPI_CLI, "build", "--release", "--platform", "--no-js"]);
    napi.args(["--package", "oz-node", "--package-json-path"]).arg(source.join("package.json"));
    napi.arg("--manifest-path").arg(source.join("Cargo.toml")).arg("--output-dir").arg(package);
    crate::run(&mut napi)?;
    // Types of the native part are nobody's business but the typed layer's.
    fs::remove_file(package.join("index.d.ts")).or(Ok(()))
}

/// What npm calls this platform.
fn target() -> String {
    let arch = match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    match env::consts::OS {
        "macos" => format!("darwin-{arch}"),
        "windows" => format!("win32-{arch}-msvc"),
        os => format!("{os}-{arch}-{}", if cfg!(target_env = "musl") { "musl" } else { "gnu" }),
    }
}

/// The compiler and what it needs, installed once for a `package.json`.
fn tools(source: &Path, out: &Path) -> Result<PathBuf, String> {
    let dir = out.join("tools");
    let wanted = fs::read(source.join("package.json")).map_err(|e| format!("package.json: {e}"))?;
    let done = dir.join("installed.json");
    if fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(dir);
    }
    fresh(&dir)?;
    let write = |path: &Path| fs::write(path, &wanted).map_err(|e| format!("{}: {e}", path.display()));
    write(&dir.join("package.json"))?;
    crate::run(npm(&dir).args([
        "install",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--loglevel=error",
    ]))?;
    write(&done)?;
    Ok(dir)
}

fn npm(dir: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(dir);
    npm
}

/// Makes an empty directory.
fn fresh(dir: &Path) -> Outcome {
    if dir.exists() {
        fs::remove_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))
}
