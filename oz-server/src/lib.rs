//! The Oz control plane: records runs, brings them to workers, and shows them live. It keeps everything durable in one
//! data directory, calls nobody, and never executes what a run asks for.

mod auth;
mod blobs;
mod ctx;
mod dispatch;
mod duties;
mod error;
mod extract;
mod full;
mod keys;
mod live;
mod openapi;
mod routes;
mod serve;
mod store;
#[cfg(test)]
mod testing;
mod vault;

use auth::Key;
use blobs::Blobs;
use ctx::{Ctx, Inner};
use std::{fs, io, path::PathBuf, sync::Arc, time::Duration};
use store::{Store, StoreError, accounts::FirstTeam};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;
use vault::Vault;
pub use vault::{KeySource, MasterKeys};

/// How to run a control plane.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything durable lies; made when it is not there.
    pub data_dir: PathBuf,
    /// The key that the first start makes; a random one when absent.
    pub bootstrap_api_key: Option<String>,
    /// The PostgreSQL database to keep everything in, which other servers may share; SQLite in `data_dir` when absent.
    pub database_url: Option<String>,
    /// Where files lie: `file:///dir` or `s3://bucket/prefix`; a directory in `data_dir` when absent. Servers that share
    /// a database must share this too.
    pub blob_url: Option<String>,
    /// The address under which users and workers reach the server; taken from each request when absent.
    pub public_url: Option<String>,
    /// How many calls a second each key may make; 0 means no limit.
    pub rate_limit: u32,
    /// How long a run may go without a sign of life from its worker or agent before it is given to another.
    pub lease: Duration,
    /// The keys under which the keys of secrets are encrypted. They must not lie in `data_dir`.
    pub master_keys: MasterKeys,
}

/// What the first start of a control plane made. The key is not stored and can't be shown again.
#[derive(Clone)]
pub struct Bootstrap {
    /// The team.
    pub team_name: String,
    /// Its admin.
    pub user_email: String,
    /// The admin's key.
    pub api_key: String,
}

/// Why a control plane could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory can't be used.
    #[error("data directory '{path}' can't be used: {reason}")]
    DataDir {
        /// The directory.
        path: String,
        /// Why.
        reason: String,
    },
    /// The key to start with has the wrong shape.
    #[error(
        "the bootstrap API key is not valid: it must start with 'wk-' and have at least 16 more characters"
    )]
    BootstrapKey,
    /// The database can't be used.
    #[error("the database can't be used: {0}")]
    Database(String),
    /// The vault of the secrets can't be used.
    #[error("the secrets can't be used: {0}")]
    Vault(String),
    /// The blob storage can't be used.
    #[error("the blob storage can't be used: {0}")]
    Blobs(String),
    /// The sockets failed.
    #[error("the server could not go on: {0}")]
    Io(#[from] io::Error),
}

/// A control plane that is ready to serve.
pub struct Server {
    ctx: Ctx,
    bootstrap: Option<Bootstrap>,
    // Held for as long as the server lives: one process per data directory.
    _lock: fs::File,
}

impl Server {
    /// Opens the data directory, bringing it to this version, and makes the first team when there is none.
    ///
    /// # Errors
    /// [`StartError`], whose text is one clear line.
    pub async fn open(config: Config) -> Result<Self, StartError> {
        let unusable =
            |reason: String| StartError::DataDir { path: config.data_dir.display().to_string(), reason };
        if let Some(key) = &config.bootstrap_api_key
            && (!key.starts_with("wk-") || key.len() < 19 || key.chars().any(char::is_whitespace))
        {
            return Err(StartError::BootstrapKey);
        }
        make_private(&config.data_dir).map_err(|e| unusable(e.to_string()))?;
        let lock = lock(&config.data_dir).map_err(unusable)?;
        let blob_url = match &config.blob_url {
            Some(url) => url.clone(),
            None => local_blobs(&config.data_dir).map_err(unusable)?,
        };
        let blobs = Blobs::open(&blob_url).map_err(StartError::Blobs)?;
        let hub = Arc::new(live::hub::Hub::default());
        let workers = Arc::new(live::workers::Workers::default());
        let dispatch = Arc::new(Notify::new());
        let schedules = Arc::new(Notify::new());
        let on_change = on_change(hub.clone(), workers.clone(), dispatch.clone(), schedules.clone());
        let store = match &config.database_url {
            Some(url) => Store::postgres(url, on_change).map_err(|e| StartError::Database(e.to_string()))?,
            None => Store::sqlite(&config.data_dir, on_change).map_err(|e| unusable(e.to_string()))?,
        };
        // Before anything is made: a key that is shown once must not be lost to a start that fails.
        let vault = Vault::open(store.clone(), config.master_keys.clone())
            .await
            .map_err(|e| StartError::Vault(e.to_string()))?;
        let open = async {
            let key = config.bootstrap_api_key.clone().unwrap_or_else(auth::new_key);
            let first = FirstTeam {
                team_name: "Default",
                user_name: "Admin",
                email: "admin@localhost",
                key: &key,
                key_hash: auth::digest(&key),
            };
            let made = store.bootstrap(first, ctx::now()).await?;
            let signing = store.meta("signing_key", auth::random_hex()).await?;
            let signing_key =
                Key::from_hex(&signing).ok_or_else(|| StoreError::Damaged("signing key".into()))?;
            Ok::<_, StoreError>((made.then_some(key), signing_key))
        };
        let (made, signing_key) = open.await.map_err(|e| unusable(e.to_string()))?;
        let bootstrap = made.map(|api_key| Bootstrap {
            team_name: "Default".into(),
            user_email: "admin@localhost".into(),
            api_key,
        });
        let leases = live::leases::Leases::new(store.is_shared());
        let ctx = Ctx::new(Inner {
            store,
            vault,
            blobs,
            keys: keys::Keys::new(config.rate_limit),
            hub,
            workers,
            leases,
            dispatch,
            schedules,
            clerk: Notify::new(),
            server_id: auth::random_hex(),
            public_url: config.public_url.clone(),
            lease: config.lease,
            worker_key: auth::new_key(),
            signing_key,
            shutdown: CancellationToken::new(),
        });
        Ok(Self { ctx, bootstrap, _lock: lock })
    }

    /// What this start made, if it was the first.
    #[must_use]
    pub fn bootstrap(&self) -> Option<&Bootstrap> {
        self.bootstrap.as_ref()
    }

    /// The key with which the embedded worker connects under the id `warp`. It is never stored.
    #[must_use]
    pub fn embedded_worker_key(&self) -> String {
        self.ctx.worker_key.clone()
    }

    /// Serves until `shutdown` is cancelled; then ends streams and sockets and lets requests under way finish.
    ///
    /// # Errors
    /// When the store can't be read at the start.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> Result<(), StartError> {
        duties::reaper::recover(&self.ctx)
            .await
            .map_err(|e| StartError::Io(io::Error::other(e.to_string())))?;
        let dispatcher = tokio::spawn(dispatch::run(self.ctx.clone()));
        let reaper = tokio::spawn(duties::reaper::run(self.ctx.clone()));
        let scheduler = tokio::spawn(duties::scheduler::run(self.ctx.clone()));
        let clerk = tokio::spawn(duties::clerk::run(self.ctx.clone()));
        serve::serve(&self.ctx, listener, shutdown).await;
        self.ctx.shutdown.cancel();
        let _ = tokio::join!(dispatcher, reaper, scheduler, clerk);
        Ok(())
    }
}

/// Wakes whoever a commit concerns.
fn on_change(
    hub: Arc<live::hub::Hub>,
    workers: Arc<live::workers::Workers>,
    dispatch: Arc<Notify>,
    schedules: Arc<Notify>,
) -> store::OnChange {
    Arc::new(move |changes| {
        if changes.anything {
            hub.publish_all();
        }
        for run_no in &changes.runs {
            hub.publish(*run_no);
        }
        for (run_id, execution_id) in &changes.stop {
            workers.cancel(*run_id, *execution_id);
        }
        if changes.queue || changes.anything {
            dispatch.notify_one();
        }
        if changes.schedules || changes.anything {
            schedules.notify_one();
        }
    })
}

/// The URL of the directory for files beside the database.
fn local_blobs(data_dir: &std::path::Path) -> Result<String, String> {
    let dir = data_dir.join("blobs");
    make_private(&dir).map_err(|e| e.to_string())?;
    let dir = dir.canonicalize().map_err(|e| e.to_string())?;
    url::Url::from_directory_path(&dir).map(Into::into).map_err(|()| format!("{} has no URL", dir.display()))
}

fn make_private(dir: &std::path::Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn lock(dir: &std::path::Path) -> Result<fs::File, String> {
    let file = fs::File::create(dir.join("lock")).map_err(|e| e.to_string())?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err("another oz server is using it".into()),
        Err(fs::TryLockError::Error(e)) => Err(e.to_string()),
    }
}
