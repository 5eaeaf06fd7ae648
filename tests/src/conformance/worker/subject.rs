//! A worker under test, and the place where its runs leave notes.

use crate::conformance::{
    Check, SOON, ensure,
    fake_plane::{FakePlane, Line, Offer},
};
use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// The key that the worker dials with.
pub(super) const KEY: &str = "key-of-the-worker";
/// The worker's id.
pub(super) const ID: &str = "conformance-1";

/// What a run does: it notes that it began, and with which process, and waits until the case lets it fail.
const SETUP: &str = r#"echo "$OZ_RUN_ID $$" >> "DIRECTORY/begun"
while [ ! -e "DIRECTORY/$OZ_RUN_ID" ]; do sleep 0.02; done
exit 3
"#;

/// A command line that starts a worker. In its words `{url}` stands for the address of the control plane, `{ws}` for that of
/// its socket, `{id}` and `{key}` for the worker's id and key, `{setup}` for the setup command that it must run before each
/// agent, and `{dir}` for a directory that it may use.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Program and arguments.
    pub command: Vec<String>,
}

/// A worker at work.
pub(super) struct Scene {
    pub(super) plane: FakePlane,
    worker: Child,
    directory: tempfile::TempDir,
}

impl Subject {
    pub(super) async fn start(&self) -> Result<Scene, String> {
        let directory = tempfile::tempdir().map_err(|e| e.to_string())?;
        let plane = FakePlane::start().await?;
        let address = plane.address()?;
        let root = directory.path().to_string_lossy().into_owned();
        let script = directory.path().join("setup.sh");
        fs::write(&script, SETUP.replace("DIRECTORY", &root)).map_err(|e| e.to_string())?;
        let (url, ws) =
            (format!("http://{address}"), format!("ws://{address}{}", oz_core::worker::SOCKET_PATH));
        let setup = format!("sh {}", script.display());
        let fill = |word: &String| {
            [
                ("{url}", &*url),
                ("{ws}", &*ws),
                ("{id}", ID),
                ("{key}", KEY),
                ("{setup}", &*setup),
                ("{dir}", &*root),
            ]
            .iter()
            .fold(word.clone(), |word, (name, value)| word.replace(name, value))
        };
        let words: Vec<String> = self.command.iter().map(fill).collect();
        let (program, arguments) = words.split_first().ok_or("the command line is empty")?;
        let worker = Command::new(program)
            .args(arguments)
            .env("OZ_API_KEY", KEY)
            .env("WARP_API_KEY", KEY)
            .env("OZ_SERVER_URL", &url)
            .env("HOME", directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(directory.path().join("log")).map_err(|e| e.to_string())?)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("{program}: {e}"))?;
        Ok(Scene { plane, worker, directory })
    }
}

impl Scene {
    /// The worker's next connection.
    pub(super) async fn accept(&self) -> Result<Line, String> {
        self.plane.accept().await.map_err(|e| format!("{e}; its log: {}", self.log()))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// A run that the worker has claimed and begun. Returns its process.
    pub(super) async fn begun(&self, line: &mut Line, offer: &Offer) -> Result<u32, String> {
        line.send(&offer.frame()).await?;
        line.expect("task_claimed", offer).await?;
        self.process(offer, 1).await
    }

    /// Waits until a run has begun for the nth time. Returns the process.
    pub(super) async fn process(&self, offer: &Offer, nth: usize) -> Result<u32, String> {
        let deadline = Instant::now() + SOON;
        loop {
            let begun = self.processes(offer);
            ensure!(begun.len() <= nth, "it began {} times", begun.len());
            if let Some(pid) = begun.get(nth - 1) {
                return Ok(*pid);
            }
            ensure!(Instant::now() < deadline, "the run does not begin; the worker's log: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The processes of a run, one for each time that it began.
    pub(super) fn processes(&self, offer: &Offer) -> Vec<u32> {
        let notes = fs::read_to_string(self.directory.path().join("begun")).unwrap_or_default();
        let of_run = notes.lines().filter_map(|line| line.strip_prefix(offer.task_id.as_str()));
        of_run.filter_map(|pid| pid.trim().parse().ok()).collect()
    }

    /// Lets a run fail.
    pub(super) fn fail(&self, offer: &Offer) -> Check {
        fs::write(self.directory.path().join(&offer.task_id), "").map_err(|e| e.to_string())
    }

    /// Waits until a process is gone.
    pub(super) async fn gone(&self, pid: u32) -> Check {
        let deadline = Instant::now() + SOON;
        while Path::new(&format!("/proc/{pid}")).exists() {
            ensure!(Instant::now() < deadline, "the process {pid} of the run lives on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Asks the worker to end.
    pub(super) fn terminate(&self) -> Check {
        let pid =
            self.worker.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        let pid = pid.ok_or("the worker has ended")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).map_err(|e| e.to_string())
    }

    /// Ends the worker, unless it has ended already.
    pub(super) async fn end(mut self) -> Check {
        if self.worker.try_wait().map_err(|e| e.to_string())?.is_none() {
            self.terminate()?;
            // It may want to tell of its end.
            let serve = async {
                while let Ok(mut line) = self.plane.accept().await {
                    while line.message(SOON).await.is_ok() {}
                }
            };
            let ended = tokio::select! {
                ended = tokio::time::timeout(SOON, self.worker.wait()) => ended,
                () = serve => return Err("it does not end after SIGTERM".to_owned()),
            };
            ended
                .map_err(|_| format!("it does not end after SIGTERM; its log: {}", self.log()))?
                .map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}
