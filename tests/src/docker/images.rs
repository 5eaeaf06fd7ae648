//! The images of the stories, made from this machine's packages.

use super::Docker;
use crate::tools::{apt, install, lock, tools};
use serde_json::json;
use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::PoisonError,
};

/// A registry that nobody runs: what is not here is asked for in vain, at once.
const REGISTRY: &str = "127.0.0.1:1";

impl Docker {
    /// An image of Debian with git.
    pub fn debian(&self) -> String {
        self.once("debian:12", |name| self.import(name, &debian(), &[]))
    }

    /// An image without glibc, certificates and a home for its user, who is not root.
    pub fn small(&self) -> String {
        self.once("small:1", |name| self.import(name, &small(), &["--change", "USER 4711:4712"]))
    }

    /// An image for another architecture.
    pub fn foreign(&self) -> String {
        let other = if std::env::consts::ARCH == "x86_64" { "arm64" } else { "amd64" };
        self.once("foreign:1", |name| self.load(name, other))
    }

    /// Makes an image without files from its parts: importing knows only the engine's architecture.
    fn load(&self, name: &str, architecture: &str) -> String {
        let name = format!("{REGISTRY}/{name}");
        let dir = tempfile::tempdir().expect("temporary directory");
        let write = |file: &str, text: String| fs::write(dir.path().join(file), text).expect("file");
        let empty = dir.path().join("empty");
        fs::create_dir(&empty).expect("directory");
        let layer = dir.path().join("layer.tar");
        pack(&empty, &layer);
        let layers = [sha256(&fs::read(&layer).expect("layer"))];
        let config = json!({ "architecture": architecture, "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": layers } });
        let manifest = json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }]);
        write("config.json", config.to_string());
        write("manifest.json", manifest.to_string());
        let archive = dir.path().join("image.tar");
        let mut tar = Command::new("tar");
        tar.arg("-cf").arg(&archive).arg("-C").arg(dir.path());
        install(tar.args(["config.json", "manifest.json", "layer.tar"]));
        self.run(&["load", "--input", archive.to_str().expect("path")]);
        name
    }

    /// An image that an earlier test may have made.
    fn once(&self, name: &str, make: impl FnOnce(&str) -> String) -> String {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        images.entry(name.to_owned()).or_insert_with(|| make(name)).clone()
    }

    /// An image with these files, which need not be programs of it.
    pub fn with_files(&self, name: &str, files: &[(&str, &str)]) -> String {
        let dir = tempfile::tempdir().expect("temporary directory");
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("directory")).expect("directory");
            fs::write(&path, text).expect("file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
        }
        let archive = tempfile::NamedTempFile::new().expect("temporary file");
        pack(dir.path(), archive.path());
        self.import(name, archive.path(), &[])
    }

    fn import(&self, name: &str, archive: &Path, options: &[&str]) -> String {
        let name = format!("{REGISTRY}/{name}");
        let mut args = vec!["import"];
        args.extend(options);
        args.extend([archive.to_str().expect("path"), &name]);
        self.run(&args);
        name
    }
}

/// The digest of bytes, as registries write it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut sum =
        Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sha256sum");
    sum.stdin.take().expect("stdin").write_all(bytes).expect("sha256sum");
    let output = sum.wait_with_output().expect("sha256sum").stdout;
    let hex = String::from_utf8_lossy(&output);
    format!("sha256:{}", hex.split(' ').next().expect("digest"))
}

/// The files of Debian. They are fetched once.
fn debian() -> PathBuf {
    archive("debian-12", |dir| {
        ensure("debootstrap", "debootstrap");
        let options = ["--variant=minbase", "--include=git,ca-certificates", "bookworm"];
        install(Command::new("debootstrap").args(options).arg(dir));
        for cache in ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"] {
            let _ = fs::remove_dir_all(dir.join(cache));
        }
    })
}

/// The files of a small system: one static program.
pub(super) fn small() -> PathBuf {
    archive("small-1", |dir| {
        ensure("busybox", "busybox-static");
        for name in ["bin", "etc", "tmp", "proc", "sys", "dev"] {
            fs::create_dir_all(dir.join(name)).expect("directory");
        }
        fs::set_permissions(dir.join("tmp"), fs::Permissions::from_mode(0o1777)).expect("mode");
        fs::copy("/bin/busybox", dir.join("bin/busybox")).expect("busybox");
        for name in ["sh", "cat", "id", "ls", "pwd", "touch", "sleep", "echo", "env", "mkdir"] {
            symlink("busybox", dir.join("bin").join(name)).expect("link");
        }
    })
}

/// Installs a package unless its program is there.
fn ensure(program: &str, package: &str) {
    if Command::new(program).arg("--help").output().is_err() {
        apt(package);
    }
}

/// An archive that earlier tests may have made.
fn archive(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let _lock = lock(name);
    let archive = tools().join(format!("{name}.tar"));
    if !archive.exists() {
        let dir = tempfile::tempdir_in(tools()).expect("temporary directory");
        let root = dir.path().join("root");
        fs::create_dir(&root).expect("directory");
        make(&root);
        let draft = dir.path().join("draft.tar");
        pack(&root, &draft);
        fs::rename(draft, &archive).expect("archive");
    }
    archive
}

fn pack(dir: &Path, archive: &Path) {
    install(Command::new("tar").args(["--numeric-owner", "-cf"]).arg(archive).arg("-C").arg(dir).arg("."));
}
