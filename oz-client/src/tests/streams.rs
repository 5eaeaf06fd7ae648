//! Live streams that break off in every way a network has.

use super::{
    plane::{Plane, json, problem, raw},
    run, run_id,
};
use crate::Error;
use futures_util::StreamExt as _;
use oz_core::RunState;
use std::sync::{Arc, Mutex};

const HEAD: &str = "HTTP/1.1 200 x\r\ncontent-type: text/event-stream\r\n\r\n";

fn event(sequence: i64) -> String {
    let data = serde_json::json!({ "kind": "event", "index": sequence, "event": {
        "event_type": if sequence == 3 { "brand_new" } else { "run_in_progress" }, "run_id": run_id(), "ref_id": null,
        "execution_id": null, "occurred_at": "2026-03-02T08:00:00Z", "sequence": sequence } });
    format!("id: {sequence}\ndata: {data}\n\n")
}

const END: &str = "event: end\ndata: {\"state\":\"SUCCEEDED\"}\n\n";

#[tokio::test]
async fn a_stream_that_is_cut_anywhere_loses_and_repeats_nothing() {
    let whole: String = (1..=4).map(event).collect::<String>() + END;
    // Every cut that matters: in a field name, in the data, between the line and the blank line, after an event.
    let cuts = (1..whole.len()).step_by(23).chain([event(1).len() - 1, event(1).len()]);
    futures_util::future::join_all(cuts.map(|cut| cut_at(cut, &whole))).await;
}

async fn cut_at(cut: usize, whole: &str) {
    let first = format!("{HEAD}{}", &whole[..cut]);
    // The second server is careless and begins anew instead of after the cursor.
    let plane = Plane::start([first, format!("{HEAD}:\n\n{whole}")]).await;
    let items: Vec<i64> =
        plane.client().watch(run_id(), 0).map(|item| item.unwrap().sequence()).collect().await;
    assert_eq!(items, [1, 2, 3, 4], "cut at {cut}");
    let asked = plane.requests();
    let complete = (1..=4).take_while(|n| (1..=*n).map(|n| event(n).len()).sum::<usize>() <= cut).count();
    assert!(asked[0].line.contains("stream?since=0 "), "{}", asked[0].line);
    let since = format!("stream?since={complete} ");
    assert!(asked[1].line.contains(&since), "cut at {cut}: {} has no {since}", asked[1].line);
}

#[tokio::test]
async fn an_outage_is_told_and_survived() {
    let plane = Plane::start([
        format!("{HEAD}{}", event(1)),
        raw("HTTP/1.1 502 x\r\ncontent-length: 0\r\n\r\n"),
        format!("{HEAD}{}{END}", event(2)),
    ])
    .await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let note = told.clone();
    let items: Vec<_> = plane
        .client()
        .watch_with(run_id(), 0, move |e| note.lock().unwrap().push(e.to_string()))
        .map(|item| item.unwrap().sequence())
        .collect()
        .await;
    assert_eq!(items, [1, 2]);
    let told = told.lock().unwrap();
    assert!(told.len() == 1 && told[0].contains("502"), "{told:?}");
}

#[tokio::test]
async fn what_waiting_cannot_mend_ends_the_stream_at_once() {
    let plane = Plane::start([problem(&oz_core::Error::not_found("run", run_id()))]).await;
    let items: Vec<_> = plane.client().watch(run_id(), 0).collect().await;
    assert!(matches!(items.as_slice(), [Err(Error::Api { .. })]), "{items:?}");
    assert_eq!(plane.requests().len(), 1);
}

#[tokio::test]
async fn waiting_for_a_run_ends_with_its_record() {
    let plane = Plane::start([format!("{HEAD}{}{END}", event(1)), json(200, &run("SUCCEEDED"))]).await;
    assert_eq!(plane.client().runs().wait(run_id()).await.unwrap().state, RunState::Succeeded);
}

fn plain_event(sequence: i64) -> String {
    let data = serde_json::json!({ "event_type": "run_in_progress", "run_id": run_id(), "ref_id": null,
        "execution_id": null, "occurred_at": "2026-03-02T08:00:00Z", "sequence": sequence });
    format!("id: {sequence}\ndata: {data}\n\n")
}

#[tokio::test]
async fn events_of_several_runs_come_back_from_their_cursor() {
    let other: oz_core::RunId = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e".parse().unwrap();
    let stranger = "id: 8\ndata: {\"kind\":\"of a newer server\"}\n\n";
    let plane = Plane::start([
        format!("{HEAD}{}", plain_event(6)),
        raw("HTTP/1.1 502 x\r\ncontent-length: 0\r\n\r\n"),
        format!("{HEAD}{}{}{stranger}", plain_event(6), plain_event(7)),
        format!("{HEAD}{}", plain_event(9)),
        problem(&oz_core::Error::not_found("run", run_id())),
    ])
    .await;
    let events: Vec<_> = plane.client().events(vec![run_id(), other], 5).collect().await;
    let seen: Vec<_> = events.iter().map(|e| e.as_ref().map_or(0, |e| e.sequence)).collect();
    assert_eq!(seen, [6, 7, 9, 0], "{events:?}");
    let asked: Vec<_> = plane.requests().into_iter().map(|r| r.line).collect();
    let path = format!("/api/v1/agent/events/stream?run_ids%5B%5D={}&run_ids%5B%5D={other}", run_id());
    for (line, since) in asked.iter().zip([5, 6, 6, 8, 9]) {
        assert_eq!(*line, format!("GET {path}&since={since} HTTP/1.1"));
    }
    assert_eq!(asked.len(), 5);
}

#[tokio::test]
async fn a_family_is_asked_for_by_its_ancestor() {
    let plane = Plane::start([format!("{HEAD}{}{END}", plain_event(1))]).await;
    let events: Vec<_> = plane.client().events_of_family(run_id(), 0).collect().await;
    assert_eq!(events.len(), 1);
    let query = format!("events/stream?ancestor_run_id={}&include_self=true&since=0 ", run_id());
    assert!(plane.requests()[0].line.contains(&query));
}
