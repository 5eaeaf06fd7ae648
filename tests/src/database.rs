//! The database of a world, looked into from outside.

use std::{path::PathBuf, str::FromStr as _};

/// The PostgreSQL server of the tests; `cargo xtask test` starts one and sets it.
const POSTGRES: &str = "OZ_TEST_POSTGRES";
/// `postgres` makes every world keep its records there.
const ENGINE: &str = "OZ_TEST_ENGINE";

/// Where a world keeps its records.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A database of its own on the server of the tests.
    Postgres {
        /// Its name.
        name: String,
        /// Its address.
        url: String,
    },
}

/// Whether worlds that don't choose keep their records in PostgreSQL.
#[must_use]
pub fn postgres_is_chosen() -> bool {
    std::env::var(ENGINE).is_ok_and(|engine| engine == "postgres")
}

fn server() -> String {
    std::env::var(POSTGRES).unwrap_or_else(|_| {
        panic!("{POSTGRES} is not set: run the tests with `cargo xtask test`, which starts PostgreSQL")
    })
}

/// Runs statements, on a thread of its own: the client blocks. Returns the rows as text.
fn ask(url: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    std::thread::scope(|scope| {
        let run = || {
            let config = postgres::Config::from_str(url).expect("address of the database");
            let mut client = config.connect(postgres::NoTls).expect("PostgreSQL");
            let messages = client.simple_query(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
            let rows = messages.into_iter().filter_map(|message| match message {
                postgres::SimpleQueryMessage::Row(row) => {
                    Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect())
                }
                _ => None,
            });
            rows.collect()
        };
        scope.spawn(run).join().expect("query")
    })
}

impl Database {
    /// A fresh PostgreSQL database.
    #[must_use]
    pub fn postgres() -> Self {
        let name = format!("oz_world_{}", uuid::Uuid::new_v4().simple());
        ask(&server(), &format!("CREATE DATABASE {name}"));
        let server = server();
        let (base, _) = server.rsplit_once('/').expect("address of the server");
        let url = format!("{base}/{name}?sslmode=disable");
        Self::Postgres { name, url }
    }

    /// The rows of a query, as text.
    #[must_use]
    pub fn select(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let path = match self {
            Self::Postgres { url, .. } => return ask(url, sql),
            Self::Sqlite(path) if !path.exists() => return Vec::new(),
            Self::Sqlite(path) => path,
        };
        let db = rusqlite::Connection::open(path).expect("database");
        let mut query = db.prepare(sql).expect("query");
        let columns = query.column_count();
        let rows = query.query_map([], |row| {
            let text = |i| -> rusqlite::Result<Option<String>> {
                Ok(match row.get_ref(i)? {
                    rusqlite::types::ValueRef::Integer(n) => Some(n.to_string()),
                    rusqlite::types::ValueRef::Text(t) => Some(String::from_utf8_lossy(t).into_owned()),
                    _ => None,
                })
            };
            (0..columns).map(text).collect()
        });
        rows.expect("rows").map(|row| row.expect("row")).collect()
    }

    /// Everything in it: each table with the text of all its rows.
    #[must_use]
    pub fn dump(&self) -> Vec<(String, String)> {
        let names = match self {
            Self::Postgres { .. } => {
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            }
            Self::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table'",
        };
        let names = self.select(names).into_iter().flatten().flatten();
        let text = |name: String| {
            let rows = self.select(&format!("SELECT * FROM {name}"));
            let cells: Vec<String> = rows.into_iter().flatten().flatten().collect();
            (name, cells.join("\n"))
        };
        names.map(text).collect()
    }

    /// Runs a statement that changes something.
    pub fn change(&self, sql: &str) {
        match self {
            Self::Postgres { url, .. } => drop(ask(url, sql)),
            Self::Sqlite(path) => {
                let db = rusqlite::Connection::open(path).expect("database");
                db.busy_timeout(std::time::Duration::from_secs(5)).expect("time-out");
                db.execute_batch(sql).expect("statement");
            }
        }
    }

    /// Ends every connection to the database, as a restart of its server would.
    pub fn cut_connections(&self) {
        if let Self::Postgres { name, .. } = self {
            let sql =
                format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
            ask(&server(), &sql);
        }
    }

    /// Removes it, when it is not in the world's directory.
    pub(crate) fn remove(&self) {
        if let Self::Postgres { name, .. } = self {
            ask(&server(), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}
