//! A Docker engine for stories about containers: one for all tests of a process, of its own and without a network of its
//! own, and images that are made here. It ends with the process, however that ends.

mod images;
mod registry;

pub use registry::Registry;

use crate::{
    World,
    tools::{apt, lock, tools},
    world::{KEY, oz_binary},
};
use std::{
    collections::HashMap,
    fs,
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::{Mutex, OnceLock},
    thread,
    time::{Duration, Instant},
};

/// Keeps an engine whose mounts nobody else sees: ends it and starts it again for each line of input, ends it when that
/// ends, and removes what is left.
const ENGINE: &str = r#"
start() {
    rm -f "$1/pid"
    dockerd --host "unix://$1/docker.sock" --data-root "$2" --exec-root "$1/exec" --pidfile "$1/pid" \
        --bridge none --iptables=false --ip6tables=false $3 >>"$1/log" 2>&1 &
    engine=$!
}
start "$@"
while read -r line; do
    kill "$engine"
    wait "$engine"
    start "$@"
done
kill "$engine"
wait "$engine"
# An engine that keeps its containers keeps its own root mounted, too.
umount --lazy "$1"/exec/netns/* "$2" 2>/dev/null
rm -rf "$1" "$2"
"#;

/// The engine.
pub struct Docker {
    dir: PathBuf,
    input: Mutex<ChildStdin>,
    /// The images that it has, by their short names.
    images: Mutex<HashMap<String, String>>,
}

/// The static `oz` that is brought into containers.
#[must_use]
pub fn static_oz() -> PathBuf {
    if let Some(path) = std::env::var_os("OZ_STATIC_BIN") {
        return path.into();
    }
    let binary = oz_binary();
    let target = binary.parent().and_then(Path::parent).expect("target directory");
    let arch = std::env::consts::ARCH;
    let path = target.join(format!("{arch}-unknown-linux-musl/debug/oz"));
    assert!(
        path.exists(),
        "{} is missing: run the tests with `cargo xtask test`, which builds it",
        path.display()
    );
    path
}

/// The engine of this process. The first call starts it.
pub fn engine() -> &'static Docker {
    static ENGINE: OnceLock<Docker> = OnceLock::new();
    ENGINE.get_or_init(|| Docker::start("all", ""))
}

impl Docker {
    /// Starts an engine of this name with a further option.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn start(name: &str, option: &str) -> Self {
        install();
        let name = format!("{}-{name}", std::process::id());
        let root = tools().join(format!("dockerd-{name}"));
        let dir = std::env::temp_dir().join(format!("oz-dockerd-{name}"));
        for path in [&root, &dir] {
            fs::create_dir_all(path).expect("directory of the engine");
        }
        // It ends by itself when this process has.
        #[expect(clippy::zombie_processes, reason = "it outlives this process")]
        let mut child = Command::new("unshare")
            .args(["--mount", "sh", "-c", ENGINE, "sh"])
            .args([&dir, &root])
            .arg(option)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A signal for the tests is not for the engine, which ends after them.
            .process_group(0)
            .spawn()
            .expect("unshare");
        let input = Mutex::new(child.stdin.take().expect("stdin"));
        let docker = Self { dir, input, images: Mutex::default() };
        docker.until_ready();
        docker
    }

    fn until_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.try_run(&["version"]) {
            let log = || fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "dockerd does not answer\n{}", log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it and starts it again; waits until it answers.
    pub fn restart(&self) {
        let pid = || fs::read_to_string(self.dir.join("pid")).unwrap_or_default();
        let before = pid();
        writeln!(self.input.lock().expect("input"), "again").expect("engine");
        while pid() == before || pid().is_empty() {
            thread::sleep(Duration::from_millis(20));
        }
        self.until_ready();
    }

    /// Its address.
    #[must_use]
    pub fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.dir.display())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(args).env("DOCKER_HOST", self.host()).env_remove("DOCKER_CONTEXT").stdin(Stdio::null());
        command
    }

    /// Runs `docker`; it must work. Returns what it printed.
    pub fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).output().expect("docker");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {args:?}: {error}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs `docker`; answers whether it worked.
    #[must_use]
    pub fn try_run(&self, args: &[&str]) -> bool {
        self.command(args).output().expect("docker").status.success()
    }

    /// The names of a worker's containers, also of those that ended.
    #[must_use]
    pub fn containers(&self, worker_id: &str) -> Vec<String> {
        let filter = format!("label=oz.worker-id={worker_id}");
        let names = self.run(&["ps", "--all", "--filter", &filter, "--format", "{{.Names}}"]);
        names.lines().map(str::to_owned).collect()
    }

    /// Waits until a worker has no containers; fails after `within`.
    pub fn no_containers(&self, worker_id: &str, within: Duration) {
        let deadline = Instant::now() + within;
        loop {
            let left = self.containers(worker_id);
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "containers are left: {left:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Installs the engine where there is none.
fn install() {
    let _lock = lock("docker");
    let missing = |program: &str| Command::new(program).arg("--version").output().is_err();
    if missing("dockerd") {
        apt("docker.io");
    }
    // Newer distributions have the command in a package of its own.
    if missing("docker") {
        apt("docker-cli");
    }
}

impl World {
    /// Starts a worker whose agents run in containers, with further arguments. Returns its place in the list of workers.
    pub fn start_docker_worker(&mut self, worker_id: &str, args: &[&str]) -> usize {
        self.start_docker_worker_at(worker_id, &self.url(), args)
    }

    /// The same, of the control plane at this address.
    pub fn start_docker_worker_at(&mut self, worker_id: &str, url: &str, args: &[&str]) -> usize {
        let mut command = self.daemon();
        let settings = self.path().join("docker-worker.yaml");
        let text = format!("backend: {{ docker: {{ oz_path: {:?} }} }}", static_oz());
        fs::write(&settings, text).expect("settings of a worker");
        let lease = format!("{}s", self.options.lease);
        if !self.options.env.iter().any(|(name, _)| name == "DOCKER_HOST") {
            command.env("DOCKER_HOST", engine().host());
        }
        command
            .args(["worker", "--worker-id", worker_id, "--lease", &lease, "--max-concurrent-tasks", "4"])
            .arg("--config-file")
            .arg(settings)
            .args(args)
            .env("OZ_API_KEY", KEY)
            .env("OZ_SERVER_URL", url)
            .stdout(Stdio::null())
            .stderr(self.log(worker_id));
        self.workers.push(command.spawn().expect("oz worker starts"));
        self.workers.len() - 1
    }
}
