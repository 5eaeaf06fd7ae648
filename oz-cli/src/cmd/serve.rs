//! `oz serve`: a control plane with a worker of its own.

use super::{Outcome, worker::GitCache};
use crate::{
    cli::duration,
    error::CliError,
    out,
    settings::{self, Login},
    signals,
};
use clap::Args;
use oz_server::{Config, MasterKeys, Server};
use oz_worker::DirectConfig;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Host a control plane with a worker.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz serve
  oz serve --listen 0.0.0.0:7700 --data-dir /var/lib/oz
  oz serve --database-url postgres://oz@db/oz --blob-url s3://oz-files
  oz serve --no-worker          only the control plane; connect workers with `oz worker`")]
pub(crate) struct ServeArgs {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:7700", value_name = "IP:PORT")]
    listen: SocketAddr,
    /// Where everything durable lies
    #[arg(long, value_name = "DIR", env = oz_core::env::DATA_DIR, hide_env_values = true)]
    data_dir: Option<PathBuf>,
    /// PostgreSQL database to keep everything in instead of SQLite; any number of servers can share one
    #[arg(long, value_name = "URL", env = oz_core::env::DATABASE_URL, hide_env_values = true)]
    database_url: Option<String>,
    /// Where files lie: file:///DIR or s3://BUCKET/PREFIX; servers that share a database must share it
    #[arg(long, value_name = "URL", env = oz_core::env::BLOB_URL)]
    blob_url: Option<String>,
    /// Address under which users and workers reach the server, when it is not the one they call
    #[arg(long, value_name = "URL", env = oz_core::env::PUBLIC_URL)]
    public_url: Option<String>,
    /// File with the master key of the secrets, outside the data directory; see also OZ_MASTER_KEY
    #[arg(long, value_name = "PATH")]
    master_key_file: Option<PathBuf>,
    /// Calls a second that each API key may make; 0 means no limit
    #[arg(long, value_name = "N", default_value_t = 500)]
    rate_limit: u32,
    /// Start without the embedded worker
    #[arg(long)]
    no_worker: bool,
    /// The key that the first start makes, instead of a random one
    #[arg(long, value_name = "KEY", env = oz_core::env::BOOTSTRAP_API_KEY, hide_env_values = true)]
    bootstrap_api_key: Option<String>,
    /// How many runs the embedded worker takes at once; 0 means no limit
    #[arg(long, value_name = "N", default_value_t = 4)]
    max_concurrent_tasks: u32,
    /// How long a run may go without a sign of life
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration, hide = true)]
    lease: Duration,
    /// Where the embedded worker executes runs
    #[arg(long, value_name = "DIR", hide = true)]
    workspace_root: Option<PathBuf>,
    #[command(flatten)]
    git_cache: GitCache,
}

pub(crate) async fn run(args: ServeArgs) -> Outcome {
    // The port comes first: a busy one is the most likely trouble, and nothing has been touched yet.
    let listener = TcpListener::bind(args.listen).await.map_err(|e| {
        CliError::new(format!("can't listen on {}: {e}; choose another address with --listen", args.listen))
    })?;
    let address = listener.local_addr()?;
    let data_dir = args.data_dir.map_or_else(settings::default_data_dir, Ok)?;
    let workspace_root = args.workspace_root.unwrap_or_else(|| data_dir.join("workspaces"));
    let config = Config {
        data_dir,
        bootstrap_api_key: args.bootstrap_api_key,
        database_url: args.database_url,
        blob_url: args.blob_url,
        public_url: args.public_url,
        rate_limit: args.rate_limit,
        lease: args.lease,
        // They are no arguments: every user of the machine can read those.
        master_keys: MasterKeys::find(args.master_key_file, settings::default_master_key()?),
    };
    let server = Server::open(config).await.map_err(CliError::new)?;
    let local_url = format!("http://{}", reachable(address));
    if let Some(made) = server.bootstrap() {
        out::line(format!("Made team '{}' with admin {}.", made.team_name, made.user_email));
        out::line(format!("API key (shown only now): {}", made.api_key));
        introduce(&local_url, &made.api_key);
    }
    let worker = (!args.no_worker).then(|| {
        let direct = DirectConfig {
            git_cache: args.git_cache.directory(&workspace_root),
            workspace_root,
            target_dir: None,
            setup_command: None,
            teardown_command: None,
        };
        let oz = std::env::current_exe().unwrap_or_else(|_| "oz".into());
        let config = oz_worker::Config::embedded(&local_url, &server.embedded_worker_key(), oz, direct);
        oz_worker::Config { max_concurrent_tasks: args.max_concurrent_tasks, lease: args.lease, ..config }
    });
    let interrupt = signals::interrupt()?;
    let stop = CancellationToken::new();
    let serving = tokio::spawn({
        let (interrupt, stop) = (interrupt.clone(), stop.clone());
        async move {
            let served = server.serve(listener, stop).await;
            // Without a control plane there is nothing to work for.
            interrupt.cancel();
            served
        }
    });
    out::line(format!("Listening on http://{address}"));
    // The worker goes first at the end, so that it can still tell what became of its runs.
    let worked = match worker {
        Some(config) => oz_worker::run(config, interrupt).await.map_err(CliError::new),
        None => {
            interrupt.cancelled().await;
            Ok(())
        }
    };
    stop.cancel();
    serving.await.map_err(CliError::new)?.map_err(CliError::new)?;
    worked?;
    Ok(true)
}

/// The address under which this machine reaches a listener that listens everywhere.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Lets the local command line use the new control plane, unless it belongs to another one.
fn introduce(url: &str, key: &str) {
    if let Some(login) = settings::load().filter(|login| login.server_url != url) {
        let other = login.server_url;
        out::note(format!("Your `oz` stays logged in to {other}; `oz login --server {url}` changes that."));
        return;
    }
    match settings::store(&Login { server_url: url.to_owned(), api_key: key.to_owned() }) {
        Ok(path) => out::line(format!("Your `oz` uses it from now on; the key is in {}.", path.display())),
        Err(e) => out::note(format!("The key could not be stored for your `oz`. {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_reached_on_loopback() {
        for (listens, reached) in [
            ("127.0.0.1:7700", "127.0.0.1:7700"),
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "[::1]:1"),
            ("10.0.0.7:1", "10.0.0.7:1"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
