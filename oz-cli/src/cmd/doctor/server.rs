//! The control plane: whether it answers, knows the key, tells the same time, and has workers.

use super::{
    http::{self, LIMIT},
    report::{Check, names},
};
use crate::connection::Connection;
use oz_client::{Client, RequestOptions};
use oz_core::{
    Timestamp,
    api::{ConnectedWorker, ListWorkers, WhoAmI},
};
use serde::Deserialize;
use std::time::Duration;

/// Longer than a live worker is ever silent.
const SILENCE: Duration = Duration::from_secs(90);
/// How far clocks may be apart, in seconds: until it is worth a word, and until tokens and signed addresses of one are
/// over for the other.
const APART: (i64, i64) = (5, 120);

pub(super) async fn checks(connection: &Connection) -> Vec<Check> {
    let url = &connection.server_url;
    let alive = http::get(&format!("{url}/healthz"), &[], LIMIT).await;
    let now = Timestamp::now();
    let answer = match alive {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => return unreachable(url, &format!("answers with HTTP status {}", answer.status)),
        Err(reason) => return unreachable(url, &reason),
    };
    let date = answer.date.as_deref().and_then(date);
    let ((key, workers), server) = tokio::join!(with_key(connection, date.unwrap_or(now)), server(url));
    vec![server, key, clock(date, now), workers]
}

fn unreachable(url: &str, reason: &str) -> Vec<Check> {
    let fix = "oz serve, or name another with OZ_SERVER_URL";
    let mut checks = vec![Check::problem("server", format!("{url}: {reason}"), fix)];
    checks.extend(["key", "clock", "workers"].map(|name| Check::skipped(name, "the server does not answer")));
    checks
}

/// The parts of `/openapi.json` that matter here.
#[derive(Deserialize)]
struct Document {
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    version: String,
}

async fn server(url: &str) -> Check {
    let (ready, document) = (format!("{url}/readyz"), format!("{url}/openapi.json"));
    let (ready, document) = tokio::join!(http::get(&ready, &[], LIMIT), http::get(&document, &[], LIMIT));
    let check_log = "look at the log of `oz serve`";
    match ready {
        Ok(answer) if answer.status == 200 => {}
        Ok(answer) => {
            let text = format!("{url} lives, but its store does not answer (HTTP status {})", answer.status);
            return Check::problem("server", text, check_log);
        }
        Err(reason) => {
            return Check::problem(
                "server",
                format!("{url} lives, but its store does not answer: {reason}"),
                check_log,
            );
        }
    }
    let theirs = document.ok().and_then(|answer| serde_json::from_slice::<Document>(&answer.body).ok());
    versions(url, theirs.as_ref().map(|document| document.info.version.as_str()), env!("CARGO_PKG_VERSION"))
}

fn versions(url: &str, theirs: Option<&str>, ours: &str) -> Check {
    // Before 1.0 the second number tells what fits together.
    let series = |version: &str| version.split('.').take(2).collect::<Vec<_>>().join(".");
    match theirs {
        None => Check::warning("server", format!("{url} answers, but does not tell its version"), "oz serve"),
        Some(theirs) if series(theirs) == series(ours) => {
            Check::ok("server", format!("{url} is ready, version {theirs}"))
        }
        Some(theirs) => Check::warning(
            "server",
            format!("{url} is ready, but has version {theirs}, and this `oz` {ours}"),
            "install the same version on both sides",
        ),
    }
}

/// What only somebody with a key may ask.
async fn with_key(connection: &Connection, now: Timestamp) -> (Check, Check) {
    let log_in = "oz login --server URL --api-key KEY";
    let Some(key) = &connection.api_key else {
        let (key, workers) = ("there is no key for this server", "there is no key to ask with");
        return (Check::problem("key", key, log_in), Check::skipped("workers", workers));
    };
    let options = RequestOptions { timeout: Some(LIMIT), max_attempts: Some(1), ..RequestOptions::default() };
    let client = match Client::new(&connection.server_url, Some(key.clone())) {
        Ok(client) => client.with_options(options),
        Err(e) => return (Check::problem("key", e, log_in), Check::skipped("workers", "there is no key")),
    };
    let (who, workers) = tokio::join!(client.send(&WhoAmI {}), client.send(&ListWorkers {}));
    let key = match who {
        Ok(account) => {
            let name =
                account.principal.email.or(account.principal.display_name).unwrap_or(account.principal.uid);
            let team = account.team_name.map(|team| format!(" of team '{team}'")).unwrap_or_default();
            Check::ok("key", format!("it is that of {name}{team}"))
        }
        Err(e) => Check::problem("key", e, log_in),
    };
    let workers = match workers {
        Ok(list) => able(&list.workers, now),
        Err(_) if key.fix.is_some() => Check::skipped("workers", "the key is not accepted"),
        Err(e) => Check::problem("workers", e, "oz doctor --server-only --debug"),
    };
    (key, workers)
}

fn able(workers: &[ConnectedWorker], now: Timestamp) -> Check {
    let fix = "oz worker --worker-id NAME";
    let alive = |worker: &&ConnectedWorker| {
        let silent = now.duration_since(worker.last_seen_at);
        worker.connection_count > 0 && silent.unsigned_abs() <= SILENCE
    };
    let (able, lost): (Vec<_>, Vec<_>) = workers.iter().partition(alive);
    let list = |workers: &[&ConnectedWorker]| names(workers.iter().map(|worker| worker.worker_host.as_str()));
    match (able.len(), lost.len()) {
        (0, 0) => Check::problem("workers", "none is connected; runs wait until one is", fix),
        (0, _) => Check::problem("workers", format!("all are silent: {}", list(&lost)), fix),
        (_, 0) => Check::ok("workers", format!("{} connected: {}", able.len(), list(&able))),
        _ => {
            Check::warning("workers", format!("{} can take runs; silent: {}", list(&able), list(&lost)), fix)
        }
    }
}

/// The time in a `Date` header.
fn date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|time| time.timestamp())
}

fn clock(theirs: Option<Timestamp>, ours: Timestamp) -> Check {
    let name = "clock";
    let Some(theirs) = theirs else { return Check::skipped(name, "the server does not tell its time") };
    let ahead = ours.duration_since(theirs).as_secs();
    let text = format!(
        "this machine is {} s {} the server",
        ahead.abs(),
        if ahead < 0 { "behind" } else { "ahead of" }
    );
    let fix = if cfg!(target_os = "macos") {
        "sudo sntp -sS time.apple.com"
    } else {
        "sudo timedatectl set-ntp true"
    };
    match ahead.abs() {
        apart if apart <= APART.0 => Check::ok(name, "as the server's"),
        apart if apart <= APART.1 => Check::warning(name, text, fix),
        _ => Check::problem(name, text, fix),
    }
}

#[cfg(test)]
mod tests;
