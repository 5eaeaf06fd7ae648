//! The bridge with a control plane of its own: calls, streams, and a harness and a worker's backend that are brought by
//! the program, as bindings bring those of their languages.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use futures_util::{StreamExt as _, stream};
use oz_bridge::{
    Bridge, Bytes, CallOptions, CancellationToken, ClientOptions, Failure, HarnessHook, LocalOptions, Pieces,
    ServeOptions, Served, WorkHook, WorkOptions, WorkOutcome, WorkTask, run_local, run_task, serve, work,
};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// A harness that does what its script says: each line is an event.
struct Scripted(Vec<Value>);

#[async_trait::async_trait]
impl HarnessHook for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    async fn start(&self, task: String) -> Result<Pieces, Failure> {
        let task: Value = serde_json::from_str(&task).unwrap();
        assert!(PathBuf::from(task["workspace"].as_str().unwrap()).is_dir());
        let heard =
            json!({ "type": "text", "text": format!("I heard: {}", task["prompt"].as_str().unwrap()) });
        let events: Vec<_> = [heard].into_iter().chain(self.0.clone()).collect();
        Ok(stream::iter(events).map(|event| Ok(Bytes::from(event.to_string()))).boxed())
    }
}

fn done() -> Value {
    json!({ "type": "state", "state": "succeeded", "message": "All done." })
}

async fn plane() -> (Served, Bridge, ClientOptions) {
    let served = serve(ServeOptions::default()).await.unwrap();
    let options = ClientOptions {
        api_key: served.api_key.clone(),
        base_url: Some(served.url.clone()),
        ..ClientOptions::default()
    };
    let bridge = Bridge::new(options.clone()).unwrap();
    (served, bridge, options)
}

async fn call(bridge: &Bridge, method: &str, request: Value) -> Value {
    let answer = bridge.call(method, request.to_string().as_bytes(), &CallOptions::default()).await;
    serde_json::from_slice(&answer.unwrap_or_else(|e| panic!("{method}: {e}"))).unwrap()
}

async fn items(bridge: &Bridge, method: &str, request: Value) -> Vec<Value> {
    let stream = bridge.stream(method, request.to_string().as_bytes(), &CallOptions::default()).unwrap();
    stream.map(|item| serde_json::from_slice(&item.unwrap()).unwrap()).collect().await
}

#[tokio::test]
async fn calls_streams_and_failures_cross() {
    let (served, bridge, _) = plane().await;
    assert_eq!(call(&bridge, "healthy", json!({})).await, true);
    let mut ids = Vec::new();
    for n in 0..5 {
        let config = json!({ "worker_host": "nowhere" });
        let created =
            call(&bridge, "runs.create", json!({ "prompt": format!("run {n}"), "config": config })).await;
        ids.push(created["run_id"].clone());
    }
    let found =
        items(&bridge, "runs.list_all", json!({ "limit": 2, "sort_by": "created_at", "sort_order": "asc" }));
    let found: Vec<_> = found.await.into_iter().map(|run| run["run_id"].clone()).collect();
    assert_eq!(found, ids);
    let batches = bridge.batches("runs.list_all", br#"{"limit": 2}"#, &CallOptions::default(), 100).unwrap();
    let batches: Vec<Vec<Value>> =
        batches.map(|b| serde_json::from_slice(&b.unwrap()).unwrap()).collect().await;
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 5, "{batches:?}");
    assert_eq!(call(&bridge, "runs.cancel", json!({ "run_id": ids[0] })).await, ids[0]);
    let run = call(&bridge, "runs.wait", json!({ "run_id": ids[0] })).await;
    assert_eq!(run["state"], "CANCELLED");
    let events = items(&bridge, "watch", json!({ "run_id": ids[0] })).await;
    let kinds: Vec<_> = events.iter().map(|item| item["event"]["event_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["run_queued", "run_cancelled"]);
    let secret = call(&bridge, "secrets.create", json!({ "name": "TOKEN", "value": "a value" })).await;
    assert_eq!((&secret["name"], &secret["type"]), (&json!("TOKEN"), &json!("RAW_VALUE")));
    assert_eq!(call(&bridge, "secrets.delete", json!({ "uid": secret["uid"] })).await, json!({}));
    let missing = json!({ "run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e" }).to_string();
    let failure = bridge.call("runs.get", missing.as_bytes(), &CallOptions::default()).await.unwrap_err();
    assert_eq!((failure.status, failure.code.as_deref()), (Some(404), Some("resource_not_found")));
    served.stop().await.unwrap();
    served.stop().await.unwrap();
    let failure = Bridge::new(ClientOptions {
        api_key: Some("wk-1".into()),
        base_url: Some("nonsense".into()),
        ..ClientOptions::default()
    });
    assert!(failure.unwrap_err().message.starts_with("'nonsense' is not an address"), "it names the address");
}

#[tokio::test]
async fn a_harness_of_ones_own_does_a_run() {
    let (served, bridge, _) = plane().await;
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let observer = {
        let seen = seen.clone();
        Arc::new(move |event: String| seen.lock().unwrap().push(serde_json::from_str(&event).unwrap()))
    };
    let options = LocalOptions { prompt: "tidy up".into(), ..LocalOptions::default() };
    let harness = Arc::new(Scripted(vec![done()]));
    let run =
        run_local(options.clone(), Some(&bridge), harness, observer, CancellationToken::new()).await.unwrap();
    assert_eq!((run.state.as_str(), run.status.message.as_str()), ("SUCCEEDED", "All done."));
    let said = json!({ "type": "event", "event": { "type": "text", "text": "I heard: tidy up" } });
    assert!(seen.lock().unwrap().contains(&said), "{seen:?}");
    let record = call(&bridge, "runs.get", json!({ "run_id": run.run_id.unwrap() })).await;
    assert_eq!((&record["state"], &record["execution_location"]), (&json!("SUCCEEDED"), &json!("LOCAL")));
    // What is no event, and an end without one, end the run with a word about it; nothing is recorded without a bridge.
    for (script, told) in [
        (json!({ "type": "nonsense" }), "yielded what is no event"),
        (json!({ "type": "text", "text": "bye" }), "ended without an event of type 'state'"),
    ] {
        let harness = Arc::new(Scripted(vec![script]));
        let stop = CancellationToken::new();
        let run = run_local(options.clone(), None, harness, Arc::new(drop), stop).await.unwrap();
        assert!(run.run_id.is_none() && run.status.message.contains(told), "{:?}", run.status);
    }
    served.stop().await.unwrap();
}

/// A backend whose agents are the harness above, in this process.
struct Here;

#[async_trait::async_trait]
impl WorkHook for Here {
    async fn execute(&self, task: WorkTask, stop: CancellationToken) -> Result<WorkOutcome, Failure> {
        match task.prompt.as_str() {
            "fail" => return Err(Failure::config("there is no room")),
            "wait" => stop.cancelled().await,
            "panic" => panic!("it slipped"),
            _ => {}
        }
        if stop.is_cancelled() {
            return Ok(WorkOutcome::Stopped);
        }
        run_task(&task, None, Arc::new(Scripted(vec![done()])), Arc::new(drop), stop).await?;
        Ok(WorkOutcome::Finished)
    }
}

#[tokio::test]
async fn a_worker_does_runs_with_a_backend_of_ones_own() {
    let (served, bridge, client) = plane().await;
    let stop = CancellationToken::new();
    let options = WorkOptions { worker_id: "mine".into(), ..WorkOptions::default() };
    let working = tokio::spawn({
        let (client, stop) = (client.clone(), stop.clone());
        async move { work(&client, options, Arc::new(Here), stop).await }
    });
    let begin = async |prompt: &str| {
        let request = json!({ "prompt": prompt, "config": { "worker_host": "mine" } });
        call(&bridge, "runs.create", request).await["run_id"].clone()
    };
    let id = begin("do it").await;
    let run = call(&bridge, "runs.wait", json!({ "run_id": id })).await;
    assert_eq!(
        (&run["state"], &run["status_message"]["message"]),
        (&json!("SUCCEEDED"), &json!("All done."))
    );
    let log = items(&bridge, "watch", json!({ "run_id": id })).await;
    let said = |item: &Value| item["entry"]["event"]["text"] == "I heard: do it";
    assert!(log.iter().any(said), "{log:?}");
    for (prompt, told) in [("fail", "there is no room"), ("panic", "please report it: it slipped")] {
        let run = call(&bridge, "runs.wait", json!({ "run_id": begin(prompt).await })).await;
        assert!(run["status_message"]["message"].as_str().unwrap().contains(told), "{run}");
    }
    let id = begin("wait").await;
    let mut watching =
        bridge.stream("watch", json!({ "run_id": id }).to_string().as_bytes(), &CallOptions::default());
    while let Some(item) = watching.as_mut().unwrap().next().await {
        let item: Value = serde_json::from_slice(&item.unwrap()).unwrap();
        if item["event"]["event_type"] == "run_claimed" {
            break;
        }
    }
    call(&bridge, "runs.cancel", json!({ "run_id": id })).await;
    let run = call(&bridge, "runs.wait", json!({ "run_id": id })).await;
    assert_eq!(run["state"], "CANCELLED");
    stop.cancel();
    working.await.unwrap().unwrap();
    served.stop().await.unwrap();
}
