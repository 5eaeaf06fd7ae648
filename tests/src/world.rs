//! The world itself: starting, killing and restarting its processes, and the checks at its end.

use crate::{
    database::{self, Database},
    processes,
};
use oz_client::Client;
use oz_core::{
    Run, RunId, Timestamp,
    api::{CreateRun, GetRun},
    config::AgentConfig,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The key that every world starts with.
pub const KEY: &str = "wk-1.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The `oz` binary under test.
#[must_use]
pub fn oz_binary() -> PathBuf {
    if let Some(path) = std::env::var_os("OZ_BIN") {
        return path.into();
    }
    let exe = std::env::current_exe().expect("own path");
    let path = exe.parent().and_then(Path::parent).expect("target directory").join("oz");
    assert!(
        path.exists(),
        "{} is missing: run the tests with `cargo xtask test`, which builds it",
        path.display()
    );
    path
}

/// How to start a world.
pub struct Options {
    /// Whether the control plane has its embedded worker.
    pub embedded_worker: bool,
    /// Seconds without a sign of life after which a run is given to another worker.
    pub lease: u32,
    /// Script of the scripted model, which is the world's default model.
    pub script: Option<String>,
    /// More environment for the server and the workers.
    pub env: Vec<(String, String)>,
    /// Whether the records are kept in PostgreSQL, so that several servers can share them.
    pub postgres: bool,
    /// The time at which the clocks of the servers start, when the test is to set them.
    pub clock: Option<Timestamp>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            embedded_worker: true,
            lease: 3,
            script: None,
            env: Vec::new(),
            postgres: database::postgres_is_chosen(),
            clock: None,
        }
    }
}

/// A control plane with whatever belongs to it.
pub struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) options: Options,
    pub(crate) port: u16,
    pub(crate) database: Database,
    pub(crate) server: Option<Child>,
    pub(crate) replicas: Vec<Child>,
    pub(crate) workers: Vec<Child>,
}

/// What a run of `oz` printed, and how it ended.
pub struct Oz {
    /// Exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Oz {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Oz {
    /// Standard output of a call that must have worked.
    #[must_use]
    pub fn success(self) -> String {
        assert_eq!(self.code, 0, "oz failed\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.stdout
    }
}

impl World {
    /// A world with the embedded worker and this script for the scripted model.
    #[must_use]
    pub fn scripted(script: &str) -> Self {
        Self::start(Options { script: Some(script.to_owned()), ..Options::default() })
    }

    /// Starts a world.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let dir = tempfile::Builder::new().prefix("oz-world-").tempdir().expect("temporary directory");
        fs::create_dir(dir.path().join("home")).expect("home");
        if let Some(script) = &options.script {
            fs::write(dir.path().join("script.yaml"), script).expect("script");
        }
        let database = if options.postgres {
            Database::postgres()
        } else {
            Database::Sqlite(dir.path().join("data/oz.db"))
        };
        let mut world =
            Self { dir, options, port: 0, database, server: None, replicas: Vec::new(), workers: Vec::new() };
        world.start_server();
        world
    }

    /// The world's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Where runs are executed.
    #[must_use]
    pub fn workspaces(&self) -> PathBuf {
        self.path().join("workspaces")
    }

    /// The control plane's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The control plane's address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client with the admin's key.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.url(), Some(KEY.to_owned())).expect("client")
    }

    /// A process with nothing of the caller's environment.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path().join("home"))
            .env("TMPDIR", self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null())
            .current_dir(self.path());
        command
    }

    /// `oz` with the world's key and address, ready for arguments.
    #[must_use]
    pub fn oz_command(&self) -> Command {
        let mut command = self.command(&oz_binary());
        command.env("OZ_API_KEY", KEY).env("OZ_SERVER_URL", self.url());
        command
    }

    /// Runs `oz` to its end.
    #[must_use = "check .success() or the exit code"]
    pub fn oz(&self, args: &[&str]) -> Oz {
        self.oz_command().args(args).output().expect("oz starts").into()
    }

    pub(crate) fn daemon(&self) -> Command {
        let mut command = self.command(&oz_binary());
        if self.options.script.is_some() {
            command.env("OZ_SCRIPTED_MODEL", self.path().join("script.yaml"));
        }
        command.envs(self.options.env.iter().map(|(k, v)| (k, v)));
        command
    }

    pub(crate) fn log(&self, name: &str) -> Stdio {
        let path = self.path().join(format!("{name}.log"));
        fs::OpenOptions::new().create(true).append(true).open(path).expect("log").into()
    }

    /// What a process of the world has logged.
    #[must_use]
    pub fn read_log(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(format!("{name}.log"))).unwrap_or_default()
    }

    /// Starts a worker of the admin's team. Returns its place in the list of workers.
    pub fn start_worker(&mut self, worker_id: &str) -> usize {
        self.start_worker_at(worker_id, &self.url())
    }

    /// The same, of the control plane at this address.
    pub fn start_worker_at(&mut self, worker_id: &str, url: &str) -> usize {
        let mut command = self.daemon();
        let lease = format!("{}s", self.options.lease);
        command
            .args(["worker", "--worker-id", worker_id, "--lease", &lease, "--max-concurrent-tasks", "4"])
            .arg("--workspace-root")
            .arg(self.workspaces().join(worker_id))
            .env("OZ_API_KEY", KEY)
            .env("OZ_SERVER_URL", url)
            .stdout(Stdio::null())
            .stderr(self.log(worker_id));
        self.workers.push(command.spawn().expect("oz worker starts"));
        self.workers.len() - 1
    }

    /// Starts a worker with arguments and variables of its own. What it prints is the log `ID.out`.
    pub fn start_worker_with(&mut self, worker_id: &str, args: &[&str], env: &[(&str, &str)]) -> usize {
        let mut command = self.daemon();
        let lease = format!("{}s", self.options.lease);
        command
            .args(["worker", "--worker-id", worker_id, "--lease", &lease])
            .args(args)
            .env("OZ_API_KEY", KEY)
            .env("OZ_SERVER_URL", self.url())
            .envs(env.iter().copied())
            .stdout(self.log(&format!("{worker_id}.out")))
            .stderr(self.log(worker_id));
        self.workers.push(command.spawn().expect("oz worker starts"));
        self.workers.len() - 1
    }

    /// The process id of a worker.
    #[must_use]
    pub fn worker_pid(&self, place: usize) -> u32 {
        self.workers[place].id()
    }

    /// Asks a worker to end, and waits until it has.
    pub fn stop_worker(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        let pid = i32::try_from(worker.id()).ok().and_then(rustix::process::Pid::from_raw).expect("pid");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("SIGTERM");
        assert!(worker.wait().expect("wait").success(), "the worker did not end well");
    }

    /// Kills a worker without asking it.
    pub fn kill_worker(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        worker.kill().expect("kill");
        worker.wait().expect("wait");
    }

    /// Makes a git repository with one commit of these files. Returns its path.
    #[must_use]
    pub fn git_repo(&self, name: &str, files: &[(&str, &str)]) -> String {
        let dir = self.path().join("repos").join(name);
        fs::create_dir_all(&dir).expect("repository");
        for (path, text) in files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().expect("directory")).expect("directory");
            fs::write(path, text).expect("file");
        }
        for args in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["add", "."],
            &["-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "--quiet", "-m", "start"],
        ] {
            self.git(&dir, args);
        }
        dir.to_string_lossy().into_owned()
    }

    /// Runs git; it must work. Returns what it printed.
    pub fn git(&self, dir: &Path, args: &[&str]) -> String {
        let output: Oz =
            self.command(Path::new("git")).current_dir(dir).args(args).output().expect("git").into();
        assert_eq!(output.code, 0, "git {args:?}: {}", output.stderr);
        output.stdout
    }

    /// Dispatches a run.
    pub async fn dispatch(&self, prompt: &str, config: AgentConfig) -> RunId {
        let request =
            CreateRun { prompt: Some(prompt.to_owned()), config: Some(config), ..CreateRun::default() };
        self.client().send(&request).await.expect("dispatch").run_id
    }

    /// A run's record.
    pub async fn run(&self, run_id: RunId) -> Run {
        self.client().send(&GetRun { run_id }).await.expect("run")
    }

    /// Waits until a run's record satisfies `wanted`; fails after a minute.
    pub async fn until(&self, run_id: RunId, wanted: impl Fn(&Run) -> bool) -> Run {
        self.until_within(run_id, wanted, Duration::from_secs(60)).await
    }

    /// The same, for what takes long.
    pub async fn until_within(&self, run_id: RunId, wanted: impl Fn(&Run) -> bool, within: Duration) -> Run {
        let deadline = Instant::now() + within;
        loop {
            let run = self.run(run_id).await;
            if wanted(&run) {
                return run;
            }
            assert!(
                Instant::now() < deadline,
                "still waiting; the run is {run:#?}\n{}",
                self.read_log("server")
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a run is over and returns its record.
    pub async fn wait(&self, run_id: RunId) -> Run {
        self.until(run_id, |run| run.state.is_over()).await
    }

    /// The same, for a run that takes long.
    pub async fn wait_within(&self, run_id: RunId, within: Duration) -> Run {
        self.until_within(run_id, |run| run.state.is_over(), within).await
    }

    /// Waits until a file of the world exists.
    pub async fn until_file(&self, path: &Path) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !path.exists() {
            assert!(
                Instant::now() < deadline,
                "{} does not appear\n{}",
                path.display(),
                self.read_log("server")
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until no agent process is alive; fails after `within`.
    pub fn no_agents(&self, within: Duration) {
        let deadline = Instant::now() + within;
        loop {
            let left = processes::of_agents(&self.workspaces());
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "agent processes are left: {left:#?}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() {
            self.stop_all();
            eprintln_log(&self.read_log("server"));
            self.database.remove();
            return;
        }
        let left = self.leftovers();
        self.database.remove();
        assert!(
            left.is_empty(),
            "the world left something over:\n{}\n{}",
            left.join("\n"),
            self.read_log("server")
        );
    }
}

#[expect(clippy::print_stderr, reason = "the log of a failed test belongs to its output")]
fn eprintln_log(log: &str) {
    eprintln!("--- server log ---\n{log}");
}
