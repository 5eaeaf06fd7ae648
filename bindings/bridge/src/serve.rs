//! A control plane in this process, for tests, notebooks and programs that bring their own.

use crate::{Failure, runtime::runtime};
use oz_server::{Config, MasterKeys, Server};
use oz_worker::DirectConfig;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The file, below the configuration directory, of the key that secrets are kept under.
const MASTER_KEY: &str = "oz/master.key";

/// How a control plane is served.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServeOptions {
    /// Where everything durable lies. When absent, a directory that is deleted at the end.
    #[serde(default)]
    pub data_dir: Option<PathBuf>,
    /// Address to listen on, such as `127.0.0.1:7700`. When absent, a free port of this machine that only it reaches.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// The key that the first start makes; a random one when absent.
    #[serde(default)]
    pub api_key: Option<String>,
    /// Whether there is a worker, too, whose agents are processes of this machine.
    #[serde(default)]
    pub worker: bool,
    /// How many runs that worker takes at once; 4 when absent, 0 for no limit.
    #[serde(default)]
    pub max_concurrent_tasks: Option<u32>,
    /// The `oz` program that the worker's agents are. When absent, that in OZ_BIN, beside this program, or on the PATH.
    #[serde(default)]
    pub oz: Option<PathBuf>,
    /// How many calls a second each key may make; no limit when absent.
    #[serde(default)]
    pub rate_limit: Option<u32>,
}

/// A control plane that is served. It ends when this is dropped, at the latest.
#[derive(Debug)]
pub struct Served {
    /// Its address.
    pub url: String,
    /// The key of its admin; none where the data directory has one from an earlier start that was not given.
    pub api_key: Option<String>,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<Result<(), Failure>>>>,
}

impl Served {
    /// Ends it, and waits until nothing of it is left. Does nothing the second time.
    ///
    /// # Errors
    /// What went wrong while it served.
    pub async fn stop(&self) -> Result<(), Failure> {
        self.stop.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        match task {
            Some(task) => task.await.map_err(|e| Failure::new(crate::Kind::Panic, e.to_string()))?,
            None => Ok(()),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves a control plane on the threads of this crate, until it is stopped.
///
/// # Errors
/// When the address, the data directory, the key or the `oz` program can't be used.
pub async fn serve(options: ServeOptions) -> Result<Served, Failure> {
    let opening = runtime().spawn(open(options));
    opening.await.map_err(|e| Failure::new(crate::Kind::Panic, e.to_string()))?
}

async fn open(options: ServeOptions) -> Result<Served, Failure> {
    let listen = options.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
    let oz = options.worker.then(|| find_oz(options.oz)).transpose()?;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|e| Failure::config(format!("listen: can't listen on '{listen}': {e}")))?;
    let address = listener.local_addr().map_err(|e| Failure::config(e.to_string()))?;
    let reached =
        if address.ip().is_unspecified() { (Ipv4Addr::LOCALHOST, address.port()).into() } else { address };
    let (data_dir, made, temporary) = match options.data_dir {
        Some(dir) => (dir, configuration()?.join(MASTER_KEY), None),
        None => {
            let dir = tempfile::Builder::new()
                .prefix("oz-")
                .tempdir()
                .map_err(|e| Failure::config(format!("data_dir: a directory could not be made: {e}")))?;
            // Beside the data, not in it; and both go together.
            (dir.path().join("data"), dir.path().join("master.key"), Some(dir))
        }
    };
    let workspace_root = data_dir.join("workspaces");
    let config = Config {
        data_dir,
        bootstrap_api_key: options.api_key.clone(),
        database_url: None,
        blob_url: None,
        public_url: None,
        rate_limit: options.rate_limit.unwrap_or(0),
        lease: Duration::from_secs(30),
        master_keys: MasterKeys::find(None, made),
    };
    let server = Server::open(config).await.map_err(|e| Failure::config(e.to_string()))?;
    let url = format!("http://{reached}");
    let api_key = server.bootstrap().map(|made| made.api_key.clone()).or(options.api_key);
    let worker = oz.map(|oz| {
        let direct = DirectConfig {
            workspace_root,
            target_dir: None,
            git_cache: None,
            setup_command: None,
            teardown_command: None,
        };
        let config = oz_worker::Config::embedded(&url, &server.embedded_worker_key(), oz, direct);
        let most = options.max_concurrent_tasks.unwrap_or(config.max_concurrent_tasks);
        oz_worker::Config { max_concurrent_tasks: most, ..config }
    });
    let stop = CancellationToken::new();
    let task = tokio::spawn(going_on(server, listener, worker, stop.clone(), temporary));
    Ok(Served { url, api_key, stop, task: Mutex::new(Some(task)) })
}

/// Serves until `stop`. The worker goes first at the end, so that it can still tell what became of its runs.
async fn going_on(
    server: Server,
    listener: TcpListener,
    worker: Option<oz_worker::Config>,
    stop: CancellationToken,
    temporary: Option<TempDir>,
) -> Result<(), Failure> {
    let closing = CancellationToken::new();
    let serving = tokio::spawn({
        let (closing, stop) = (closing.clone(), stop.clone());
        async move {
            let served = server.serve(listener, closing).await;
            stop.cancel();
            served
        }
    });
    let worked = match worker {
        Some(config) => oz_worker::run(config, stop).await.map_err(|e| Failure::config(e.to_string())),
        None => {
            stop.cancelled().await;
            Ok(())
        }
    };
    closing.cancel();
    let served = serving.await.map_err(|e| Failure::new(crate::Kind::Panic, e.to_string()))?;
    drop(temporary);
    served.map_err(|e| Failure::config(e.to_string()))?;
    worked
}

fn configuration() -> Result<PathBuf, Failure> {
    use etcetera::BaseStrategy as _;
    let found = etcetera::choose_base_strategy();
    Ok(found.map_err(|_| Failure::config("there is no home directory; set HOME"))?.config_dir())
}

/// The `oz` program: the one named, that in `OZ_BIN`, the one beside this program, or that on the `PATH`.
///
/// # Errors
/// [`Kind::Config`](crate::Kind::Config) when there is none.
pub(crate) fn find_oz(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let given = named.or_else(|| std::env::var_os("OZ_BIN").map(PathBuf::from));
    if let Some(oz) = given {
        return if oz.is_file() {
            Ok(oz)
        } else {
            Err(Failure::config(format!("oz: '{}' is not a program", oz.display())))
        };
    }
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("oz")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = beside.into_iter().chain(std::env::split_paths(&path).map(|dir| dir.join("oz")));
    candidates.into_iter().find(|oz| oz.is_file()).ok_or_else(|| {
        Failure::config(
            "oz: the program `oz`, which the agents of a worker are, was found neither beside this program nor on the \
             PATH; install it, or name it with the option `oz` or the variable OZ_BIN",
        )
    })
}
