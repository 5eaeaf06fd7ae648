//! The control planes of a world: starting, killing and stopping them.

use crate::{World, database::Database, world::KEY};
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    thread,
};

impl World {
    /// Where the records are.
    #[must_use]
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// Starts the control plane, on the same port and data as before if there was one.
    pub fn start_server(&mut self) {
        assert!(self.server.is_none(), "the server runs already");
        let (child, port) = self.spawn_server("server", self.port);
        self.port = port;
        self.server = Some(child);
    }

    /// Starts one more control plane on the same database. Returns its place and port.
    pub fn start_replica(&mut self) -> (usize, u16) {
        assert!(matches!(self.database, Database::Postgres { .. }), "only PostgreSQL can be shared");
        let place = self.replicas.len();
        let (child, port) = self.spawn_server(&format!("replica{place}"), 0);
        self.replicas.push(child);
        (place, port)
    }

    /// Kills a replica without asking it.
    pub fn kill_replica(&mut self, place: usize) {
        let replica = &mut self.replicas[place];
        replica.kill().expect("kill");
        replica.wait().expect("wait");
    }

    /// Starts a replica again that was killed. Returns its port.
    pub fn restart_replica(&mut self, place: usize) -> u16 {
        let (child, port) = self.spawn_server(&format!("replica{place}"), 0);
        self.replicas[place] = child;
        port
    }

    fn spawn_server(&self, name: &str, port: u16) -> (Child, u16) {
        let data = if name == "server" { "data".to_owned() } else { format!("data-{name}") };
        let mut command = self.daemon();
        command
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--bootstrap-api-key", KEY])
            .args(["--lease", &format!("{}s", self.options.lease), "--max-concurrent-tasks", "8"])
            .arg("--data-dir")
            .arg(self.path().join(data))
            .arg("--workspace-root")
            .arg(self.workspaces());
        if let Database::Postgres { url, .. } = &self.database {
            let blobs = format!("file://{}", self.path().join("blobs").display());
            command.args(["--database-url", url, "--blob-url", &blobs]);
        }
        if !self.options.embedded_worker {
            command.arg("--no-worker");
        }
        if let Some(start) = self.options.clock {
            self.give_clock(&mut command, name, start);
        }
        let mut child =
            command.stdout(Stdio::piped()).stderr(self.log(name)).spawn().expect("oz serve starts");
        let stdout = child.stdout.take().expect("stdout");
        let mut lines = BufReader::new(stdout).lines();
        let port = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("oz serve ended: {}", self.read_log(name)))
                .expect("line");
            if let Some((_, port)) = line.rsplit_once("http://127.0.0.1:") {
                break port.trim().trim_end_matches('/').parse().expect("port");
            }
        };
        // Whatever else it prints must not fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        (child, port)
    }

    /// The control plane's process id.
    #[must_use]
    pub fn server_pid(&self) -> i32 {
        i32::try_from(self.server.as_ref().expect("server").id()).expect("pid")
    }

    /// A replica's process id.
    #[must_use]
    pub fn replica_pid(&self, place: usize) -> i32 {
        i32::try_from(self.replicas[place].id()).expect("pid")
    }

    /// Kills the control plane without asking it.
    pub fn kill_server(&mut self) {
        let mut server = self.server.take().expect("server");
        server.kill().expect("kill");
        server.wait().expect("wait");
    }

    /// Asks the control plane to end, and waits until it has.
    pub fn stop_server(&mut self) {
        let mut server = self.server.take().expect("server");
        let pid = i32::try_from(server.id()).ok().and_then(rustix::process::Pid::from_raw).expect("pid");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("SIGTERM");
        assert!(
            server.wait().expect("wait").success(),
            "the server did not end well: {}",
            self.read_log("server")
        );
    }
}
