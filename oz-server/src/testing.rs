//! A control plane for unit tests, on SQLite or on a database of its own on the PostgreSQL server of the tests.

use crate::{Config, KeySource, MasterKeys, Server, ctx::Ctx};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hpke::{
    Deserializable as _, OpModeS, Serializable as _, aead::AesGcm256, kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use std::{path::Path, str::FromStr as _, time::Duration};

/// The address of a PostgreSQL server on which tests may make databases; `cargo xtask test` starts one and sets it.
const POSTGRES: &str = "OZ_TEST_POSTGRES";

/// What a test needs to keep alive.
pub(crate) struct Bed {
    dir: tempfile::TempDir,
    /// Address and name of its database on PostgreSQL.
    database: Option<(String, String)>,
}

impl Bed {
    /// The address of the database that other servers can share; `None` on SQLite.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(|(url, _)| url.as_str())
    }

    /// The data directory.
    pub(crate) fn data_dir(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some((_, name)) = self.database.take() {
            on_postgres(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// Runs a statement on the PostgreSQL server of the tests, on a thread of its own: the client blocks.
fn on_postgres(sql: &str) {
    let url = std::env::var(POSTGRES).unwrap();
    std::thread::scope(|scope| {
        let run = || postgres::Config::from_str(&url).unwrap().connect(postgres::NoTls)?.batch_execute(sql);
        scope.spawn(run).join().unwrap().unwrap();
    });
}

/// The shared parts of a fresh control plane on SQLite, with the directory it lives in.
pub(crate) async fn ctx() -> (Ctx, Bed) {
    open(None, 0).await
}

/// The same, where each key may make only so many calls a second.
pub(crate) async fn ctx_with_rate_limit(calls: u32) -> (Ctx, Bed) {
    open(None, calls).await
}

/// The same on PostgreSQL; `None` where there is none.
pub(crate) async fn ctx_on_postgres() -> Option<(Ctx, Bed)> {
    let base = std::env::var(POSTGRES).ok()?;
    let name = format!("oz_{}", uuid::Uuid::new_v4().simple());
    on_postgres(&format!("CREATE DATABASE {name}"));
    let (server, _) = base.rsplit_once('/').unwrap();
    Some(open(Some((format!("{server}/{name}?sslmode=disable"), name)), 0).await)
}

async fn open(database: Option<(String, String)>, rate_limit: u32) -> (Ctx, Bed) {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        data_dir: dir.path().to_owned(),
        bootstrap_api_key: Some(format!("wk-1.{}", "ab".repeat(32))),
        database_url: database.as_ref().map(|(url, _)| url.clone()),
        blob_url: None,
        public_url: None,
        rate_limit,
        lease: Duration::from_secs(5),
        master_keys: MasterKeys { current: KeySource::parse(&crate::auth::random_hex()), previous: None },
    };
    (Server::open(config).await.unwrap().ctx.clone(), Bed { dir, database })
}

/// Seals a value as clients do, for a public key in base64.
pub(crate) fn seal_with(public: &str, context: &str, value: &str) -> String {
    let public = BASE64_STANDARD.decode(public).unwrap();
    let public = <X25519HkdfSha256 as hpke::Kem>::PublicKey::from_bytes(&public).unwrap();
    let (encapsulated, ciphertext) = hpke::single_shot_seal::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        context.as_bytes(),
        value.as_bytes(),
        b"",
    )
    .unwrap();
    BASE64_STANDARD.encode([encapsulated.to_bytes().to_vec(), ciphertext].concat())
}
