//! The client against a server that plays a script: what it asks, what it repeats, and what it makes of the answers.

mod options;
mod plane;
mod streams;
mod transfer;

use crate::{Client, Error};
use futures_util::StreamExt as _;
use oz_core::{
    ErrorCode, RunId, RunState,
    api::{CreateRun, GetOwnRun, GetRun, ListRuns, StoreEventSequence, SubmitFollowup, UpdateRun, WhoAmI},
};
use plane::{Plane, json, problem};
use std::time::Duration;

pub(super) fn run_id() -> RunId {
    "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11".parse().unwrap()
}

fn run(state: &str) -> serde_json::Value {
    serde_json::json!({ "run_id": run_id(), "task_id": run_id(), "title": "t", "state": state, "prompt": "p",
        "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:04Z" })
}

fn created() -> serde_json::Value {
    serde_json::json!({ "run_id": run_id(), "task_id": run_id(), "state": "QUEUED" })
}

#[tokio::test]
async fn fields_go_where_the_table_says() {
    let empty = serde_json::json!({ "runs": [], "page_info": { "has_next_page": false } });
    let plane =
        Plane::start([json(200, &empty), json(200, &serde_json::json!({})), json(200, &created())]).await;
    let client = plane.client().with_source("CLI").with_workload_token("wk-1.token");
    let list = ListRuns {
        limit: Some(3),
        state: vec![RunState::Failed, RunState::Error],
        q: Some("a b&c".into()),
        metadata: [("k.1".to_owned(), "v/w".to_owned())].into(),
        ..ListRuns::default()
    };
    client.runs().list(&list).await.unwrap();
    client.send(&StoreEventSequence { run_id: run_id(), sequence: 7 }).await.unwrap();
    let create = CreateRun { prompt: Some("é".into()), title: Some("t".into()), ..CreateRun::default() };
    client.runs().create(&create).await.unwrap();
    let asked = plane.requests();
    assert_eq!(
        asked[0].line,
        "GET /api/v1/agent/runs?limit=3&metadata%5Bk.1%5D=v%2Fw&q=a+b%26c&state=FAILED&state=ERROR HTTP/1.1"
    );
    assert_eq!(asked[0].header("authorization"), Some("Bearer wk-1.key"));
    assert_eq!(asked[0].header("x-warp-ambient-workload-token"), Some("wk-1.token"));
    assert_eq!(asked[0].header("x-oz-api-source"), Some("CLI"));
    assert_eq!(asked[1].line, format!("PATCH /api/v1/agent/runs/{}/event-sequence HTTP/1.1", run_id()));
    assert_eq!(asked[1].body, r#"{"sequence":7}"#);
    assert_eq!(asked[2].line, "POST /api/v1/agent/runs HTTP/1.1");
    assert_eq!(asked[2].body, r#"{"prompt":"é","title":"t"}"#);
}

#[tokio::test]
async fn the_token_of_a_run_is_its_key() {
    let plane = Plane::start([json(200, &run("QUEUED"))]).await;
    let client = Client::new(&plane.url, None).unwrap().with_workload_token("wk-1.token");
    client.runs().get(run_id()).await.unwrap();
    assert_eq!(plane.requests()[0].header("authorization"), Some("Bearer wk-1.token"));
}

#[tokio::test]
async fn a_problem_becomes_an_error_with_its_code() {
    let unknown = r#"{"type":"https://x/errors/brand_new","title":"T","status":418,"error":"T (why)"}"#;
    let unknown = json(418, &serde_json::from_str(unknown).unwrap());
    let page = plane::raw("HTTP/1.1 403 x\r\ncontent-length: 6\r\n\r\n<html>");
    let plane = Plane::start([problem(&oz_core::Error::not_found("run", "x")), unknown, page]).await;
    let client = plane.client();
    let error = client.runs().get(run_id()).await.unwrap_err();
    assert_eq!((error.code(), error.status()), (Some(&ErrorCode::ResourceNotFound), Some(404)));
    assert_eq!(error.to_string(), "run 'x' does not exist or is not yours to see");
    let error = client.runs().get(run_id()).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::Unknown("brand_new".into())));
    let error = client.runs().get(run_id()).await.unwrap_err();
    assert_eq!((error.code(), error.status()), (Some(&ErrorCode::NotAuthorized), Some(403)));
    assert!(error.to_string().contains("answered 403"), "{error}");
}

#[tokio::test]
async fn values_of_a_newer_server_are_kept_and_broken_ones_are_located() {
    let mut broken = run("QUEUED");
    broken["execution"] = serde_json::json!({ "execution_id": "x" });
    let plane = Plane::start([json(200, &run("HIBERNATING")), json(200, &broken)]).await;
    let client = plane.client();
    assert_eq!(client.runs().get(run_id()).await.unwrap().state, RunState::Unknown("HIBERNATING".into()));
    let error = client.runs().get(run_id()).await.unwrap_err().to_string();
    assert!(error.contains("GetRun") && error.contains("execution.execution_id"), "{error}");
}

#[tokio::test]
async fn only_what_is_safe_is_repeated() {
    let busy = || plane::raw("HTTP/1.1 503 x\r\nretry-after-ms: 1\r\ncontent-length: 0\r\n\r\n");
    let broken = || plane::raw("HTTP/1.1 500 x\r\nretry-after-ms: 1\r\ncontent-length: 0\r\n\r\n");
    let final_ = || plane::raw("HTTP/1.1 500 x\r\nx-should-retry: false\r\ncontent-length: 0\r\n\r\n");
    let more = SubmitFollowup { run_id: run_id(), message: Some("p".into()), mode: None, interrupt: None };
    let done = || json(200, &serde_json::json!({}));

    let plane = Plane::start([busy(), broken(), busy(), json(200, &run("QUEUED"))]).await;
    plane.client().send(&GetRun { run_id: run_id() }).await.unwrap();
    assert_eq!(plane.requests().len(), 4);

    let plane = Plane::start([busy(), done()]).await;
    plane.client().send(&more).await.unwrap();
    assert_eq!(plane.requests().len(), 2);

    let plane = Plane::start([broken(), done()]).await;
    assert_eq!(plane.client().send(&more).await.unwrap_err().status(), Some(500));
    assert_eq!(plane.requests().len(), 1);

    let plane = Plane::start([final_(), json(200, &run("QUEUED"))]).await;
    plane.client().send(&GetRun { run_id: run_id() }).await.unwrap_err();
    assert_eq!(plane.requests().len(), 1);

    let plane = Plane::start([busy(), busy(), busy(), busy(), json(200, &run("QUEUED"))]).await;
    plane.client().send(&GetRun { run_id: run_id() }).await.unwrap_err();
    assert_eq!(plane.requests().len(), 4);
}

#[tokio::test]
async fn a_conflict_is_repeated_only_where_it_may_pass() {
    let conflict = || problem(&oz_core::Error::conflict("x"));
    let plane = Plane::start([conflict(), json(200, &run("QUEUED"))]).await;
    plane.client().runs().get(run_id()).await.unwrap();

    let page = plane::raw("HTTP/1.1 409 x\r\ncontent-length: 6\r\n\r\n<html>");
    let plane = Plane::start([page, json(200, &run("QUEUED"))]).await;
    assert_eq!(plane.client().runs().get(run_id()).await.unwrap_err().status(), Some(409));

    // An agent that lost its run must hear of it at once.
    let plane = Plane::start([conflict(), conflict()]).await;
    plane.client().send(&GetOwnRun {}).await.unwrap_err();
    plane.client().send(&UpdateRun::started()).await.unwrap_err();
    assert_eq!(plane.requests().len(), 2);
}

#[tokio::test]
async fn pages_are_followed_to_their_end() {
    let page = |titles: &[&str], next: Option<&str>| {
        let runs = titles.iter().map(|title| {
            let mut run = run("QUEUED");
            run["title"] = (*title).into();
            run
        });
        let info = serde_json::json!({ "has_next_page": next.is_some(), "next_cursor": next });
        json(200, &serde_json::json!({ "runs": runs.collect::<Vec<_>>(), "page_info": info }))
    };
    let all = async |pages: Vec<String>| {
        let plane = Plane::start(pages).await;
        let request = ListRuns { limit: Some(2), ..ListRuns::default() };
        let runs: Vec<_> = plane.client().runs().list_all(request).collect().await;
        let shown = runs.into_iter().map(|run| run.map_or_else(|e| e.to_string(), |run| run.title));
        (shown.collect::<Vec<_>>(), plane.requests().iter().map(|r| r.line.clone()).collect::<Vec<_>>())
    };
    let (titles, asked) =
        all(vec![page(&["a", "b"], Some("c 1")), page(&["c"], Some("c2")), page(&["d"], None)]).await;
    assert_eq!(titles, ["a", "b", "c", "d"]);
    assert!(asked[0].ends_with("runs?limit=2 HTTP/1.1"), "{asked:?}");
    assert!(asked[1].ends_with("runs?cursor=c+1&limit=2 HTTP/1.1"), "{asked:?}");
    assert!(asked.len() == 3 && asked[2].contains("cursor=c2&"), "{asked:?}");

    // A server that promises more than it has.
    let nothing = serde_json::json!({ "runs": [run("QUEUED")], "page_info": { "has_next_page": true } });
    assert_eq!(all(vec![json(200, &nothing)]).await.1.len(), 1);
    assert_eq!(all(vec![page(&["a"], Some("c")), page(&[], Some("d"))]).await.1.len(), 2);

    let (titles, _) =
        all(vec![page(&["a"], Some("c")), problem(&oz_core::Error::invalid("cursor: old"))]).await;
    assert_eq!(titles, ["a", "cursor: old"]);
}

#[tokio::test]
async fn a_cancellation_waits_until_the_run_is_handed_over() {
    let conflict = || problem(&oz_core::Error::conflict("the run is just being handed to a worker"));
    let plane = Plane::start([conflict(), conflict(), json(200, &run_id().to_string().into())]).await;
    assert_eq!(plane.client().runs().cancel(run_id()).await.unwrap(), run_id().to_string());
    assert_eq!(plane.requests().len(), 3);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let plane = Plane::start([]).await;
    let client = plane.client();
    let url = plane.url.clone();
    drop(plane);
    assert!(!client.healthy(Duration::from_millis(300)).await);
    let error = client.send_once(&WhoAmI {}).await.unwrap_err();
    assert!(error.is_connect() && error.to_string().contains(&url), "{error}");
}

#[tokio::test]
async fn keys_do_not_follow_redirects() {
    let away =
        || plane::raw("HTTP/1.1 301 x\r\nlocation: https://elsewhere.example/\r\ncontent-length: 0\r\n\r\n");
    let plane = Plane::start([away()]).await;
    let error = plane.client().send(&WhoAmI {}).await.unwrap_err();
    assert!(matches!(&error, Error::Redirect { location, .. } if location == "https://elsewhere.example/"));

    let here = plane::raw("HTTP/1.1 302 x\r\nlocation: /signed?s=1\r\ncontent-length: 0\r\n\r\n");
    let text = plane::raw("HTTP/1.1 200 x\r\ncontent-length: 3\r\n\r\n{}\n");
    let plane = Plane::start([here, text]).await;
    let chunks: Vec<_> = plane.client().transcript(run_id()).await.unwrap().collect().await;
    assert_eq!(chunks.into_iter().map(Result::unwrap).collect::<Vec<_>>(), ["{}\n"]);
    let asked = plane.requests();
    assert_eq!(
        (asked[1].line.as_str(), asked[1].header("authorization")),
        ("GET /signed?s=1 HTTP/1.1", None)
    );
}

#[test]
fn a_broken_key_is_refused_before_it_is_sent() {
    let error = Client::new("http://127.0.0.1:1", Some("wk-1.a\nb".into())).unwrap_err().to_string();
    assert!(error.contains("key") && !error.contains("wk-1"), "{error}");
    let client = Client::new("http://127.0.0.1:1/", Some("wk-1.secret".into())).unwrap();
    assert_eq!(client.server_url(), "http://127.0.0.1:1");
    assert!(!format!("{client:?}").contains("secret"));
}
