//! Tools of other languages that stories drive the system with. They are installed once and kept beside the build.

use crate::{World, world::oz_binary};
use std::{
    ffi::OsStr,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A Python virtual environment with these requirements. Returns its directory.
#[must_use]
pub fn python_venv(requirements: &Path) -> PathBuf {
    installed("python", requirements, |dir| {
        install(Command::new("python3").args(["-m", "venv"]).arg(dir));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        install(Command::new(dir.join("bin/python")).args(pip).arg(requirements));
    })
}

/// The `node_modules` directory with what the `package.json` in a directory asks for.
#[must_use]
pub fn node_modules(package_dir: &Path) -> PathBuf {
    let package = package_dir.join("package.json");
    let dir = installed("node", &package, |dir| {
        fs::create_dir(dir).expect("tool directory");
        fs::copy(&package, dir.join("package.json")).expect("copy of package.json");
        let npm = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
        install(Command::new("npm").args(npm).current_dir(dir));
    });
    dir.join("node_modules")
}

/// The archive of the npm package of this repository: what `cargo xtask test` built, or else built now.
#[must_use]
pub fn npm_package() -> PathBuf {
    if let Some(path) = std::env::var_os("OZ_NPM_PACKAGE") {
        return path.into();
    }
    let _lock = lock("npm-package");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    install(
        Command::new(cargo)
            .args(["xtask", "package", "--dev", "node"])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    );
    let out = tools().with_file_name("npm");
    out.join(concat!("oz-sdk-", env!("CARGO_PKG_VERSION"), ".tgz"))
}

/// The wheel of the Python package: that of `cargo xtask test`, or one that is built now.
#[must_use]
pub fn wheel() -> PathBuf {
    if let Some(path) = std::env::var_os("OZ_WHEEL") {
        return path.into();
    }
    let _lock = lock("wheel");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    install(
        Command::new(cargo)
            .args(["xtask", "package", "--dev", "python"])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    );
    let built = fs::read_dir(tools().with_file_name("wheels").join("dev")).expect("wheels");
    built.map(|entry| entry.expect("wheel").path()).next().expect("a wheel")
}

/// The library that gives a program another wall clock: libfaketime, for programs with threads.
#[must_use]
pub fn libfaketime() -> PathBuf {
    let _lock = lock("libfaketime");
    find_libfaketime().unwrap_or_else(|| {
        apt("libfaketime");
        find_libfaketime().expect("libfaketimeMT.so.1 of the package libfaketime")
    })
}

/// Installs a package of the distribution.
pub(crate) fn apt(package: &str) {
    let apt = |args: &[&str]| {
        install(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"));
    };
    apt(&["update", "-qq"]);
    apt(&["install", "-y", "-qq", "--no-install-recommends", package]);
}

/// Debian keeps it in a directory of the architecture, others in one for all.
fn find_libfaketime() -> Option<PathBuf> {
    let archs = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let places = archs.chain(["/usr/lib".into(), "/usr/local/lib".into()]);
    places.map(|dir: PathBuf| dir.join("faketime/libfaketimeMT.so.1")).find(|lib| lib.exists())
}

/// A program that knows nothing but the world it is started for.
#[must_use]
pub fn command(world: &World, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", world.path().join("home"))
        .env("TMPDIR", world.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(world.path());
    command
}

/// Runs a command to its end, with all its output in `log`. Returns what it printed.
///
/// # Panics
/// With the whole output, when the command fails or takes too long.
pub fn run_within(command: &mut Command, log: &Path, limit: Duration) -> String {
    let file = fs::File::create(log).expect("log");
    command.stdin(Stdio::null()).stderr(file.try_clone().expect("log")).stdout(file);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let deadline = Instant::now() + limit;
    let end = loop {
        match child.try_wait().expect("wait") {
            Some(status) if status.success() => break None,
            Some(status) => break Some(status.to_string()),
            None if Instant::now() > deadline => {
                child.kill().expect("kill");
                child.wait().expect("wait");
                break Some(format!("no end after {} s", limit.as_secs()));
            }
            None => thread::sleep(Duration::from_millis(50)),
        }
    };
    let output = String::from_utf8_lossy(&fs::read(log).expect("log")).into_owned();
    if let Some(end) = end {
        panic!("{command:?}: {end}\n{output}");
    }
    output
}

/// Where tools are kept.
pub(crate) fn tools() -> PathBuf {
    let binary = oz_binary();
    let target = binary.parent().and_then(Path::parent).expect("target directory");
    let tools = target.join("test-tools");
    fs::create_dir_all(&tools).expect("directory of tools");
    tools
}

/// Makes other tests wait that want to install the same tool, until it is dropped.
pub(crate) fn lock(name: &str) -> fs::File {
    let lock = fs::File::create(tools().join(format!("{name}.lock"))).expect("lock file");
    lock.lock().expect("lock");
    lock
}

/// The directory of a tool that this file describes; `make` fills it unless an earlier test has.
fn installed(kind: &str, described_by: &Path, make: impl FnOnce(&Path)) -> PathBuf {
    let text = fs::read(described_by).unwrap_or_else(|e| panic!("{}: {e}", described_by.display()));
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let tools = tools();
    let name = format!("{kind}-{:016x}", hasher.finish());
    let _lock = lock(&name);
    let dir = tools.join(&name);
    let complete = tools.join(format!("{name}.complete"));
    if !complete.exists() {
        if dir.exists() {
            fs::remove_dir_all(&dir).expect("removal of a tool that was not completed");
        }
        make(&dir);
        fs::write(complete, "").expect("marker");
    }
    dir
}

/// Runs a step of an installation; it must work.
pub(crate) fn install(command: &mut Command) {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("this test needs `{program}`, which does not start: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
