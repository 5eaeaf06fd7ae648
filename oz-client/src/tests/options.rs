//! What a caller says about single calls, what names a call, and answers as they come.

use super::{
    created,
    plane::{Plane, empty, json, raw, silence},
    run, run_id,
};
use crate::{Client, Error, RequestOptions};
use oz_core::{
    Run,
    api::{CreateApiKey, CreateMemoryStore, CreateRun, Empty, GetRun, IDEMPOTENCY_HEADER, WhoAmI},
};
use std::time::Duration;

fn create() -> CreateRun {
    CreateRun { prompt: Some("p".into()), ..CreateRun::default() }
}

/// The keys of all requests.
fn keys(plane: &Plane) -> Vec<Option<String>> {
    plane.requests().iter().map(|r| r.header(IDEMPOTENCY_HEADER).map(ToOwned::to_owned)).collect()
}

#[tokio::test]
async fn what_creates_is_named_and_keeps_its_name() {
    let plane = Plane::start([silence(), empty(500), empty(503), json(200, &created())]).await;
    plane.client().runs().create(&create()).await.unwrap();
    let keys_of_one = keys(&plane);
    assert_eq!(keys_of_one.len(), 4);
    assert!(uuid::Uuid::parse_str(keys_of_one[0].as_ref().unwrap()).is_ok());
    assert!(keys_of_one.iter().all(|key| *key == keys_of_one[0]), "{keys_of_one:?}");

    // Another call has another name; what creates nothing has none, and `send_once` makes up none.
    let cancelled = json(200, &run_id().to_string().into());
    let plane = Plane::start([json(200, &created()), cancelled, empty(400), empty(400)]).await;
    let client = plane.client();
    client.runs().create(&create()).await.unwrap();
    client.runs().cancel(run_id()).await.unwrap();
    client.send(&CreateMemoryStore::default()).await.unwrap_err();
    client.send_once(&CreateApiKey::default()).await.unwrap_err();
    let keys = keys(&plane);
    assert!(keys[0].is_some() && keys[0] != keys_of_one[0], "{keys:?}");
    assert!(keys[1].is_none() && keys[2].is_some() && keys[2] != keys[0], "{keys:?}");
    assert_eq!(keys.last(), Some(&None));
}

#[tokio::test]
async fn a_key_of_the_caller_makes_a_post_repeatable() {
    let plane = Plane::start([silence(), empty(500), json(200, &run_id().to_string().into())]).await;
    let options = RequestOptions { idempotency_key: Some("k-1".into()), ..RequestOptions::default() };
    let client = plane.client().with_options(options);
    client.runs().cancel(run_id()).await.unwrap();
    assert_eq!(keys(&plane), vec![Some("k-1".to_owned()); 3]);

    let plane = Plane::start([json(200, &run("QUEUED"))]).await;
    let options = RequestOptions { idempotency_key: Some("k-1".into()), ..RequestOptions::default() };
    plane.client().with_options(options).runs().get(run_id()).await.unwrap();
    assert_eq!(keys(&plane), [None]);
}

#[tokio::test]
async fn options_change_how_calls_are_made() {
    let plane = Plane::start([empty(503), empty(503), json(200, &run("QUEUED"))]).await;
    let plain = plane.client();
    let client = plain.with_options(RequestOptions {
        max_attempts: Some(2),
        headers: vec![("X-Trace".into(), "t 1".into()), ("Authorization".into(), "Basic x".into())],
        ..RequestOptions::default()
    });
    assert_eq!(client.runs().get(run_id()).await.unwrap_err().status(), Some(503));
    plain.runs().get(run_id()).await.unwrap();
    let asked = plane.requests();
    assert_eq!(
        (asked[1].header("x-trace"), asked[1].header("authorization")),
        (Some("t 1"), Some("Basic x"))
    );
    assert_eq!(
        (asked[2].header("x-trace"), asked[2].header("authorization")),
        (None, Some("Bearer wk-1.key"))
    );
    assert_eq!(asked.len(), 3);
    let shown = format!("{:?}", client.options());
    assert!(shown.contains("X-Trace") && !shown.contains("t 1"), "{shown}");
}

#[tokio::test]
async fn a_try_ends_with_its_time() {
    // It takes the connection and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()), None).unwrap();
    let client = client.with_options(RequestOptions {
        timeout: Some(Duration::from_millis(20)),
        max_attempts: Some(1),
        ..RequestOptions::default()
    });
    assert!(matches!(client.send(&WhoAmI {}).await, Err(Error::Interrupted { .. })));
    assert!(matches!(client.transcript(run_id()).await.err(), Some(Error::Interrupted { .. })));
}

#[tokio::test]
async fn what_no_header_can_hold_is_refused_before_it_is_sent() {
    let plane = Plane::start([]).await;
    for (name, value) in [("x y", "v"), ("x", "secret\n"), ("", "v")] {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let client = plane.client().with_options(RequestOptions { headers, ..RequestOptions::default() });
        let error = client.runs().get(run_id()).await.unwrap_err();
        assert!(matches!(error, Error::Config(_)) && !error.to_string().contains("secret"), "{error}");
    }
    let options = RequestOptions { idempotency_key: Some("a\nb".into()), ..RequestOptions::default() };
    let error = plane.client().with_options(options).runs().create(&create()).await.unwrap_err();
    assert!(error.to_string().contains(IDEMPOTENCY_HEADER), "{error}");
    let client = Client::new(&plane.url, None).unwrap().with_workload_token("wk-1\n");
    assert!(matches!(client.runs().get(run_id()).await, Err(Error::Config(_))));
    assert!(plane.requests().is_empty());
}

#[tokio::test]
async fn an_answer_can_be_had_as_it_came() {
    let body = run("QUEUED").to_string();
    let answer =
        format!("HTTP/1.1 200 x\r\nx-request-id: r-1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let plane = Plane::start([empty(503), answer, raw("HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n")]).await;
    let client = plane.client();
    let answer = client.send_raw(&GetRun { run_id: run_id() }).await.unwrap();
    assert_eq!((answer.status, answer.headers["x-request-id"].as_bytes()), (200, &b"r-1"[..]));
    assert_eq!(answer.body, body.as_bytes());
    assert_eq!(answer.parse::<Run>().unwrap().run_id, run_id());
    assert!(answer.parse::<Vec<Run>>().unwrap_err().to_string().contains("GetRun"));
    assert_eq!(client.send_raw(&GetRun { run_id: run_id() }).await.unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn an_answer_without_a_body_is_empty() {
    let plane = Plane::start([raw("HTTP/1.1 204 x\r\n\r\n"), raw("HTTP/1.1 204 x\r\n\r\n")]).await;
    let client = plane.client();
    assert_eq!(client.environments().delete("env").await.unwrap(), Empty {});
    assert_eq!(client.messages().mark_delivered("a/b c").await.unwrap(), Empty {});
    let asked = plane.requests();
    assert_eq!(asked[0].line, "DELETE /api/v1/agent/environments/env HTTP/1.1");
    assert_eq!(asked[1].line, "POST /api/v1/agent/messages/a%2Fb%20c/delivered HTTP/1.1");
}
