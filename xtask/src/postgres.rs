//! A PostgreSQL server for the tests: installed when it is missing, started on a directory of its own, gone at the end.

use crate::{Outcome, say};
use std::{
    fs, io,
    net::TcpListener,
    os::unix::fs::{MetadataExt as _, chown},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Name of the system's user for PostgreSQL, which refuses to run as root.
const USER: &str = "postgres";

/// A running server.
pub(crate) struct Postgres {
    server: Child,
    dir: PathBuf,
    /// Its address, with a superuser and the database `postgres`.
    pub(crate) url: String,
}

impl Postgres {
    /// Starts a server.
    pub(crate) fn start() -> Result<Self, String> {
        let bin = binaries()?;
        let dir = std::env::temp_dir().join(format!("oz-postgres-{}", std::process::id()));
        let io = |e: io::Error| format!("{}: {e}", dir.display());
        fs::create_dir_all(&dir).map_err(io)?;
        let as_root = fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0);
        if as_root {
            let (uid, gid) = user_ids()?;
            chown(&dir, Some(uid), Some(gid)).map_err(io)?;
        }
        let command = |program: &str| {
            let path = bin.join(program);
            let mut command = if as_root {
                let mut command = Command::new("runuser");
                command.args(["-u", USER, "--"]).arg(path);
                command
            } else {
                Command::new(path)
            };
            // Its user need not be able to read where the tests were started.
            command.current_dir(&dir).stdout(Stdio::null()).env("LC_ALL", "C.UTF-8");
            command
        };
        let data = dir.join("data");
        crate::run(command("initdb").args(["--auth=trust", "--username=oz", "--no-sync", "-D"]).arg(&data))?;
        let port = free_port().map_err(io)?;
        let log = fs::File::create(dir.join("log")).map_err(io)?;
        // What is tested is ours; the disk need not hold it.
        let settings = ["fsync=off", "max_connections=400", "listen_addresses=127.0.0.1"];
        let mut server = command("postgres");
        server.arg("-D").arg(&data).arg("-p").arg(port.to_string()).arg("-k").arg(&dir).stderr(log);
        for setting in settings {
            server.args(["-c", setting]);
        }
        let mut server = server.spawn().map_err(|e| format!("postgres: {e}"))?;
        let deadline = Instant::now() + Duration::from_secs(30);
        let ready = || {
            let mut ask = command("pg_isready");
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status().is_ok_and(|s| s.success())
        };
        while !ready() {
            if Instant::now() > deadline || server.try_wait().is_ok_and(|ended| ended.is_some()) {
                let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
                return Err(format!("PostgreSQL does not start:\n{log}"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { server, dir, url: format!("postgres://oz@127.0.0.1:{port}/postgres") })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The first line of this file is the server's own process, whoever started it.
        let pid = fs::read_to_string(self.dir.join("data/postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let _ = Command::new("kill").args(["-INT", pid.trim()]).status();
        }
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The directory with the server's programs.
fn binaries() -> Result<PathBuf, String> {
    if let Some(found) = find() {
        return Ok(found);
    }
    say("PostgreSQL is missing; installing Debian's");
    install().map_err(|e| {
        format!("PostgreSQL could not be installed ({e}); install it so that initdb is in PATH or /usr/lib/postgresql")
    })?;
    find().ok_or_else(|| "PostgreSQL is installed, but initdb is nowhere to be found".to_owned())
}

/// Debian keeps each version's programs together, the newest last; elsewhere they are in PATH.
fn find() -> Option<PathBuf> {
    let has =
        |dir: &PathBuf| ["initdb", "postgres", "pg_isready"].iter().all(|program| dir.join(program).exists());
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).filter(has).collect();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.pop().or_else(|| std::env::split_paths(&path).find(has))
}

fn install() -> Outcome {
    let apt = |args: &[&str]| {
        crate::run(
            Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()),
        )
    };
    apt(&["update", "-qq"])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends", "postgresql"])
}

fn user_ids() -> Result<(u32, u32), String> {
    let users = fs::read_to_string("/etc/passwd").map_err(|e| e.to_string())?;
    let line = users.lines().find(|line| line.split(':').next() == Some(USER));
    let mut fields = line.ok_or_else(|| format!("there is no user {USER}"))?.split(':').skip(2);
    let mut number = || fields.next().and_then(|f| f.parse().ok());
    number().zip(number()).ok_or_else(|| format!("the user {USER} has no ids"))
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
