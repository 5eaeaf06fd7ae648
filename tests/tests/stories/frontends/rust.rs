//! The scenario in Rust.

use super::record::{Scenario, Seen, Step};
use futures_util::{StreamExt as _, TryStreamExt as _};
use oz_client::{
    Client, Error,
    method::{self, Kind},
};
use serde_json::{Value, json};

pub(super) async fn run(client: &Client, scenario: &Scenario, me: &str) -> Vec<Value> {
    let mut seen = Seen::new(me, false);
    for step in scenario.steps() {
        let request = seen.filled(&step.request());
        let answer = match (called(client, &step, request).await, step.fails()) {
            (Ok(answer), false) => answer,
            (Err(Error::Api { error, .. }), true) => json!({
                "status": error.http_status(),
                "code": error.code,
                "detail": error.detail,
                "field": error.field(),
            }),
            (outcome, fails) => panic!("{}: {outcome:?}, and it has to fail: {fails}", step.name()),
        };
        seen.answer(&step, &answer);
    }
    seen.records
}

async fn called(client: &Client, step: &Step<'_>, request: Value) -> Result<Value, Error> {
    let method = method::find(step.call()).unwrap_or_else(|| panic!("there is no method {}", step.call()));
    let read = |bytes: bytes::Bytes| serde_json::from_slice::<Value>(&bytes).unwrap();
    Ok(match method.kind() {
        Kind::Call => read(method.call(client, request).await?),
        Kind::Stream => {
            let items = method.stream(client, request)?.take(step.take());
            json!({ "items": items.map_ok(read).try_collect::<Vec<_>>().await? })
        }
        Kind::Bytes => {
            let chunks: Vec<_> = method.stream(client, request)?.try_collect().await?;
            json!({ "text": String::from_utf8(chunks.concat()).unwrap() })
        }
        Kind::Upload => panic!("{}: no step sends bytes", step.name()),
    })
}
