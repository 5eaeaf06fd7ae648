//! A control plane for unit tests.

use crate::{Config, Server, ctx::Ctx};
use std::time::Duration;

/// The shared parts of a fresh control plane, with the directory it lives in.
pub(crate) async fn ctx() -> (Ctx, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        data_dir: dir.path().to_owned(),
        bootstrap_api_key: Some(format!("wk-1.{}", "ab".repeat(32))),
        lease: Duration::from_secs(5),
    };
    (Server::open(config).await.unwrap().ctx.clone(), dir)
}
