//! The bridge without a server: what is found wrong before anything is sent, and what becomes of panics.

use crate::{
    Bridge, CallOptions, ClientOptions, Failure, HarnessCall, HarnessHook, HarnessTask, Kind, Pieces,
    can_transition,
    guard::{guarded, guarded_async, guarded_stream},
    harness::Hooked,
    next_state, runtime,
    runtime::PerProcess,
    validate,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use oz_core::{
    ErrorCode,
    harness::{Harness as _, HarnessEvent, SavedSession},
};
use serde_json::{Value, json};
use std::sync::{Arc, Barrier};

fn bridge() -> Bridge {
    let options =
        serde_json::from_str(r#"{"api_key": "secret", "base_url": "http://127.0.0.1:1", "max_retries": 0}"#);
    Bridge::new(options.unwrap()).unwrap()
}

#[tokio::test]
async fn failures_say_what_is_wrong() {
    let bridge = bridge();
    let call = |method: &'static str, request: &'static str| {
        let bridge = bridge.clone();
        async move { bridge.call(method, request.as_bytes(), &CallOptions::default()).await.unwrap_err() }
    };
    let failure = call("runs.get", r#"{"run_id": "banana"}"#).await;
    assert_eq!(
        (failure.kind, failure.status, failure.field.as_deref()),
        (Kind::Api, Some(400), Some("run_id"))
    );
    assert_eq!(failure.code.as_deref(), Some("invalid_request"));
    assert_eq!(failure.problem.as_ref().unwrap().status, 400);
    let failure = call("models.list", "{}").await;
    assert!(failure.kind == Kind::Connect && failure.retryable, "{failure}");
    assert_eq!(call("runs.creat", "{}").await.to_string(), "there is no method 'runs.creat'");
    assert!(call("runs.create", "{").await.to_string().starts_with("request: it is not valid JSON"));
    let options = CallOptions { timeout: Some(-1.0), ..CallOptions::default() };
    let failure = bridge.call("models.list", b"{}", &options).await.unwrap_err();
    assert_eq!((failure.kind, failure.field.as_deref()), (Kind::Config, Some("timeout")));
    assert!(!format!("{bridge:?}").contains("secret"));
    let text: Value = serde_json::from_str(&failure.to_json()).unwrap();
    assert_eq!(text["kind"], "config");
}

#[tokio::test]
async fn a_panic_is_a_failure_wherever_it_happens() {
    let now = guarded(|| -> Result<(), Failure> { panic!("no {}", 1) }).unwrap_err();
    let later =
        guarded_async(async { guarded(|| -> Result<(), Failure> { panic!("no {}", 1) }) }).await.unwrap_err();
    let items = stream::iter([1, 2]).map(|n| if n == 1 { Ok(Bytes::new()) } else { panic!("no 1") });
    let mut items: Vec<_> = guarded_stream(items.boxed()).collect().await;
    let last = items.pop().unwrap().unwrap_err();
    for failure in [now, later, last] {
        assert_eq!(failure.kind, Kind::Panic);
        assert!(failure.message.ends_with("please report it: no 1"), "{failure}");
    }
    assert!(items.pop().unwrap().is_ok());
}

/// A harness that knows how to save, and nothing else.
struct Saves(&'static str);

#[async_trait]
impl HarnessHook for Saves {
    fn name(&self) -> &'static str {
        "saves"
    }

    async fn start(&self, task: String) -> Result<Pieces, Failure> {
        let task: Value = serde_json::from_str(&task).unwrap();
        let text = format!("{} {}", task["prompt"], task["saved"]["content"]);
        let said = json!({ "type": "text", "text": text });
        let end = json!({ "type": "state", "state": "succeeded" });
        Ok(stream::iter([said, end].map(|event| Ok(Bytes::from(event.to_string())))).boxed())
    }

    async fn call(&self, call: HarnessCall) -> Result<Bytes, Failure> {
        match call {
            HarnessCall::Save => Ok(Bytes::from_static(self.0.as_bytes())),
            _ => Err(Failure::unsupported("no such method")),
        }
    }
}

#[tokio::test]
async fn a_harness_lacks_methods_and_keeps_its_conversation() {
    let harness = |saved| Arc::new(Hooked(Arc::new(Saves(saved))));
    let unsupported = [
        harness("null").send(String::new()).await.unwrap_err(),
        harness("null").pause().await.unwrap_err(),
        harness("null").interrupt().await.unwrap_err(),
    ];
    for error in unsupported {
        assert_eq!(error.code, ErrorCode::OperationNotSupported);
        assert!(error.detail.contains("the harness 'saves' can't"), "{error}");
    }
    assert_eq!(harness("null").save().await, None);
    assert_eq!(harness("[1]").save().await, None, "what is no conversation is none");
    let saved = harness(r#"{"format": "other", "session_id": "", "content": "all"}"#).save().await.unwrap();
    assert_eq!((saved.format.as_str(), saved.content.as_slice()), ("saves", &b"all"[..]));
    let task = |format: &str| HarnessTask {
        prompt: "more".into(),
        retold: Some("all and more".into()),
        saved: Some(SavedSession { format: format.into(), ..saved.clone() }),
        ..HarnessTask::default()
    };
    for (format, expected) in [("saves", r#""more" "all""#), ("other", r#""all and more" null"#)] {
        let events = harness("null").start(task(format)).await.unwrap().collect::<Vec<_>>().await;
        assert_eq!(events[0], HarnessEvent::Text { text: expected.into() });
    }
}

#[test]
fn headers_of_a_call_replace_those_of_the_client() {
    let of = |text: &str| serde_json::from_str::<ClientOptions>(text).unwrap();
    let client = of(r#"{"headers": {"X-A": "1", "X-B": "2"}, "timeout": 5, "max_retries": 0}"#);
    let call = CallOptions { headers: Some([("x-b".into(), "3".into())].into()), ..CallOptions::default() };
    let merged = client.merged(&call).unwrap();
    assert_eq!(merged.headers, [("x-a".into(), "1".into()), ("x-b".to_owned(), "3".to_owned())]);
    assert_eq!((merged.timeout.unwrap().as_secs(), merged.max_attempts), (5, Some(1)));
    assert!(serde_json::from_str::<ClientOptions>(r#"{"api_kee": ""}"#).is_err());
}

#[test]
fn states_and_types_are_those_of_the_core() {
    assert!(can_transition("QUEUED", "PENDING") && !can_transition("QUEUED", "SUCCEEDED"));
    assert_eq!(next_state("SUCCEEDED", "follow_up").unwrap(), "QUEUED");
    assert_eq!(next_state("SUCCEEDED", "claim").unwrap_err().status, Some(409));
    assert!(next_state("QUEUED", "offr").unwrap_err().message.contains("expected one of offer, claim"));
    let written = validate("AgentConfig", br#"{"model_id": "opus", "newer": 1}"#).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), json!({ "model_id": "opus" }));
    let failure = validate("ListRuns", br#"{"limit": 0}"#).unwrap_err();
    assert_eq!(failure.field.as_deref(), Some("limit"));
    assert!(validate("Nothing", b"{}").unwrap_err().message.contains("AgentConfig"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_comes_second_uses_what_the_first_made() {
    for _ in 0..200 {
        let shared = Arc::new((PerProcess::new(), Barrier::new(4)));
        let asked = (0..4).map(|n| {
            let shared = shared.clone();
            tokio::spawn(async move {
                let (slot, barrier) = &*shared;
                barrier.wait();
                let made = slot.get(|| Ok::<_, Failure>(n), drop).unwrap().1;
                (made, slot.get(|| Ok::<_, Failure>(9), drop).unwrap().1)
            })
        });
        let got = futures_util::future::join_all(asked).await;
        let got: Vec<_> = got.into_iter().flat_map(|got| <[i32; 2]>::from(got.unwrap())).collect();
        assert!(got.iter().all(|n| *n == got[0] && *n != 9), "{got:?}");
    }
}

#[test]
fn one_runtime_serves_the_process() {
    assert_eq!(runtime().id(), runtime().id());
    assert_eq!(runtime().block_on(async { 1 }), 1);
}
