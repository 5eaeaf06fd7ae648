use super::{
    super::tests::{Service, shown},
    *,
};
use crate::cli::Cli;
use clap::Parser as _;

fn connection(url: &str, key: &str) -> Connection {
    let cli = Cli::parse_from(["oz", "--server-root-url", url, "--api-key", key]);
    crate::connection::of(&cli.global)
}

async fn found(service: &Service, key: &str) -> String {
    shown(&checks(&connection(service.url(), key)).await).replace(service.url(), "http://server")
}

const WHO: &str =
    r#"{"principal":{"type":"user","uid":"u1","email":"ann@example.com"},"team_id":"t","team_name":"Web"}"#;

fn document() -> String {
    format!(
        r#"{{"openapi":"3.1.0","info":{{"title":"x","version":"{}"}},"paths":{{}}}}"#,
        env!("CARGO_PKG_VERSION")
    )
}

fn workers(seen: Timestamp) -> String {
    format!(
        r#"{{"workers":[{{"worker_host":"build-1","connection_count":1,"connected_at":"{seen}","last_seen_at":"{seen}"}}]}}"#
    )
}

#[tokio::test]
async fn a_control_plane_that_is_well() {
    let (document, workers) = (document(), workers(Timestamp::now()));
    let service = Service::start(&[
        ("/healthz", 200, "ok"),
        ("/readyz", 200, "ok"),
        ("/openapi.json", 200, &document),
        ("/api/v1/agent/whoami", 200, WHO),
        ("/api/v1/agent/connected-self-hosted-workers", 200, &workers),
    ]);
    insta::assert_snapshot!(found(&service, "wk-1.good").await, @"
    ok server: http://server is ready, version 0.1.0
    ok key: it is that of ann@example.com of team 'Web'
    skipped clock: the server does not tell its time
    ok workers: 1 connected: build-1
    ");
    assert!(service.requests().iter().any(|request| request.contains("Bearer wk-1.good")));
}

#[tokio::test]
async fn a_key_that_it_does_not_know() {
    let problem = r#"{"type":"x/authentication_required","title":"t","status":401,"detail":"the key is not valid","error":"e"}"#;
    let service = Service::start(&[
        ("/healthz", 200, "ok"),
        ("/readyz", 503, "no"),
        ("/api/v1/agent/whoami", 401, problem),
        ("/api/v1/agent/connected-self-hosted-workers", 401, problem),
    ]);
    insta::assert_snapshot!(found(&service, "wk-1.bad").await, @"
    problem server: http://server lives, but its store does not answer (HTTP status 503) => look at the log of `oz serve`
    problem key: the key is not valid => oz login --server URL --api-key KEY
    skipped clock: the server does not tell its time
    skipped workers: the key is not accepted
    ");
}

#[tokio::test]
async fn nobody_there_or_somebody_else() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    drop(silent);
    let gone = shown(&checks(&connection(&url, "k")).await).replace(&url, "http://server");
    assert!(gone.starts_with("problem server: http://server: "), "{gone}");
    assert!(gone.contains("skipped workers: the server does not answer"), "{gone}");
    let other = Service::start(&[]);
    assert!(found(&other, "k").await.contains("answers with HTTP status 404"));
}

#[test]
fn versions_fit_by_their_series() {
    let found = ["0.1.9", "0.2.0"].map(|theirs| shown(&[versions("http://s", Some(theirs), "0.1.0")]));
    insta::assert_snapshot!(found.join("\n"), @"
    ok server: http://s is ready, version 0.1.9
    warning server: http://s is ready, but has version 0.2.0, and this `oz` 0.1.0 => install the same version on both sides
    ");
}

#[test]
fn clocks_may_be_a_little_apart() {
    let theirs = date("Mon, 02 Mar 2026 08:00:00 GMT").unwrap();
    assert_eq!(theirs.to_string(), "2026-03-02T08:00:00Z");
    let found = [0, 5, -6, 90, 121].map(|seconds| {
        let ours = theirs.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        shown(&[clock(Some(theirs), ours)])
    });
    insta::assert_snapshot!(found.join("\n"), @"
    ok clock: as the server's
    ok clock: as the server's
    warning clock: this machine is 6 s behind the server => sudo timedatectl set-ntp true
    warning clock: this machine is 90 s ahead of the server => sudo timedatectl set-ntp true
    problem clock: this machine is 121 s ahead of the server => sudo timedatectl set-ntp true
    ");
    assert_eq!(shown(&[clock(None, theirs)]), "skipped clock: the server does not tell its time");
}

#[test]
fn a_silent_worker_takes_no_runs() {
    let now: Timestamp = "2026-03-02T08:10:00Z".parse().unwrap();
    let worker = |name: &str, seen: &str| -> ConnectedWorker {
        let worker = serde_json::json!({ "worker_host": name, "connection_count": 1, "connected_at": now,
            "last_seen_at": seen });
        serde_json::from_value(worker).unwrap()
    };
    let (live, lost) = (worker("a", "2026-03-02T08:09:00Z"), worker("b", "2026-03-02T08:08:00Z"));
    let found = [vec![], vec![live.clone()], vec![lost.clone()], vec![live, lost]];
    let found = found.map(|workers| shown(&[able(&workers, now)]));
    insta::assert_snapshot!(found.join("\n"), @"
    problem workers: none is connected; runs wait until one is => oz worker --worker-id NAME
    ok workers: 1 connected: a
    problem workers: all are silent: b => oz worker --worker-id NAME
    warning workers: a can take runs; silent: b => oz worker --worker-id NAME
    ");
}
