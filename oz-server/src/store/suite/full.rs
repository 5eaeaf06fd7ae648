//! A database that can't grow.

use super::{Bed, Store, text};
use crate::{ctx::now, store::args};
use oz_core::{Error, ErrorCode};

/// How far the SQLite database may grow.
async fn most_pages(store: &Store, pages: i64) {
    let sql = format!("PRAGMA max_page_count = {pages}");
    store.engine.write(move |db| db.one(&sql, args![], |_| Ok(()))).await.unwrap();
}

fn is_clear(error: &Error) {
    assert_eq!((&error.code, error.http_status()), (&ErrorCode::ResourceUnavailable, 503));
    assert!(error.detail.contains("disk of the control plane is full: the database"), "{}", error.detail);
}

#[tokio::test]
async fn what_a_full_sqlite_database_acknowledged_it_has_and_nothing_else() {
    let bed = super::bed(crate::testing::ctx().await).await;
    let pages: i64 =
        bed.store.engine.read(|db| db.one("PRAGMA page_count", args![], |row| row.get(0))).await.unwrap();
    most_pages(&bed.store, pages + 60).await;
    // Many at once, so that those that fit and those that don't share their transactions.
    let write = |i: usize| {
        let store = bed.store.clone();
        async move {
            let value = "x".repeat(20_000 * (i % 3));
            let key: &'static str = Box::leak(format!("key {i}").into_boxed_str());
            (key, store.meta(key, value).await)
        }
    };
    let outcomes = futures_util::future::join_all((0..200).map(write)).await;
    let (good, bad): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(_, outcome)| outcome.is_ok());
    assert!(!good.is_empty() && !bad.is_empty(), "{} good, {} bad", good.len(), bad.len());
    for (_, outcome) in &bad {
        is_clear(&outcome.clone().unwrap_err().into());
    }
    let stored = || {
        bed.store.engine.read(|db| {
            db.rows("SELECT key FROM meta WHERE key LIKE 'key %'", args![], |row| row.get::<String>(0))
        })
    };
    let mut expected: Vec<&str> = good.iter().map(|(key, _)| *key).collect();
    let mut found = stored().await.unwrap();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected, "what was acknowledged is there, and nothing else");
    most_pages(&bed.store, 1 << 20).await;
    let outcomes = futures_util::future::join_all((0..200).map(write)).await;
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "it works again");
    assert_eq!(stored().await.unwrap().len(), 200);
}

#[tokio::test]
async fn a_full_postgresql_database_is_told_and_overcome() {
    let Some(ctx) = crate::testing::ctx_on_postgres().await else { return };
    let bed: Bed = super::bed(ctx).await;
    let who = bed.started("work").await;
    let full = bed.store.engine.write(|db| {
        db.execute("INSERT INTO meta (key, value) VALUES ('half', 'written')", args![])?;
        db.execute("DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$", args![])
    });
    let (full, good) =
        tokio::join!(full, bed.store.append_transcript(who, vec![text(1, "at the same time")], now()));
    is_clear(&full.unwrap_err().into());
    good.unwrap();
    assert_eq!(bed.store.meta("half", "nothing".into()).await.unwrap(), "nothing");
}
