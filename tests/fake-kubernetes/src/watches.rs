//! Watches: what is there, then what changes, until the test or the client's own limit interrupts.

use crate::{
    Interruption,
    requests::Selection,
    state::{Kind, Shared},
};
use axum::body::Body;
use futures_util::stream;
use serde_json::{Value, json};
use std::{collections::VecDeque, io, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

struct Watch {
    shared: Arc<Shared>,
    kind: Kind,
    chosen: Selection,
    seen: u64,
    waiting: VecDeque<Value>,
    version: watch::Receiver<u64>,
    interruption: watch::Receiver<(u64, Interruption)>,
    until: Instant,
    over: bool,
}

/// The body of a watch. It begins with everything when the client knows nothing (`0`).
pub(crate) fn body(
    shared: &Arc<Shared>,
    kind: Kind,
    chosen: Selection,
    since: u64,
    seconds: u64,
    bookmarks: bool,
) -> Body {
    let mut version = shared.version.subscribe();
    version.mark_unchanged();
    let mut interruption = shared.interruption.subscribe();
    interruption.mark_unchanged();
    let (now, mut waiting) = shared.read(|state| {
        let known =
            state.all(kind).filter(|object| since == 0 && chosen.holds(object)).map(|o| event("ADDED", o));
        (state.version, known.collect::<VecDeque<_>>())
    });
    let seen = if since == 0 { now } else { since };
    if bookmarks {
        let object = json!({ "kind": kind.name(), "apiVersion": kind.api_version(),
            "metadata": { "resourceVersion": seen.to_string() } });
        waiting.push_back(event("BOOKMARK", &object));
    }
    let until = Instant::now() + Duration::from_secs(seconds);
    let shared = shared.clone();
    let watch = Watch { shared, kind, chosen, seen, waiting, version, interruption, until, over: false };
    Body::from_stream(stream::unfold(watch, |mut watch| async move {
        let next = watch.next().await?;
        Some((next, watch))
    }))
}

fn event(what: &str, object: &Value) -> Value {
    json!({ "type": what, "object": object })
}

impl Watch {
    async fn next(&mut self) -> Option<io::Result<String>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(Ok(format!("{event}\n")));
            }
            if self.over {
                return None;
            }
            self.catch_up();
            if !self.waiting.is_empty() {
                continue;
            }
            tokio::select! {
                changed = self.version.changed() => if changed.is_err() { return None },
                () = sleep_until(self.until) => return None,
                changed = self.interruption.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                    let how = self.interruption.borrow_and_update().1;
                    match how {
                        Interruption::None => {}
                        Interruption::Drop => return Some(Err(io::Error::other("interrupted"))),
                        Interruption::Repeat => self.seen = 0,
                        Interruption::Expire => {
                            self.over = true;
                            let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                                "message": "too old resource version", "reason": "Expired", "code": 410 });
                            self.waiting.push_back(event("ERROR", &status));
                        }
                    }
                }
            }
        }
    }

    fn catch_up(&mut self) {
        let (kind, seen, chosen) = (self.kind, self.seen, &self.chosen);
        let (version, new) = self.shared.read(|state| {
            let new = state
                .changes
                .iter()
                .filter(|c| c.version > seen && c.kind == kind && chosen.holds(&c.object));
            (state.version, new.map(|change| event(change.what, &change.object)).collect::<Vec<_>>())
        });
        self.seen = version;
        self.waiting.extend(new);
    }
}
