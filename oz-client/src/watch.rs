//! The live stream of a run. It survives restarts of the server: it comes back from its cursor and drops what it has
//! seen, so its reader misses nothing and sees nothing twice.

use crate::{Client, Error};
use bytes::Bytes;
use eventsource_stream::{Event, Eventsource as _};
use futures_util::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use oz_core::{RunId, api::BASE, transcript::LogItem};
use std::time::Duration;

/// Waits between reconnections; the last one repeats.
const WAITS: [u64; 5] = [0, 1, 2, 5, 10];
/// How many reconnections in a row may fail: about five minutes.
const PATIENCE: usize = 35;
/// The server sends something every 15 s; a stream that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(45);

type Events = BoxStream<'static, Result<Event, String>>;

struct Watch {
    client: Client,
    run_id: RunId,
    since: i64,
    events: Option<Events>,
    failures: usize,
    over: bool,
}

impl Client {
    /// A run's events and transcript after the cursor `since` (0 for all), live until the run is over.
    pub fn watch(
        &self,
        run_id: RunId,
        since: i64,
    ) -> impl Stream<Item = Result<LogItem, Error>> + Send + use<> {
        let watch = Watch { client: self.clone(), run_id, since, events: None, failures: 0, over: false };
        stream::unfold(watch, next)
    }

    /// The raw transcript of a run: JSON Lines.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn transcript(
        &self,
        run_id: RunId,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        let url = self.server_url().to_owned();
        let response = self.execute(self.get(&format!("{BASE}/agent/runs/{run_id}/transcript"))).await?;
        Ok(response.bytes_stream().map(move |chunk| chunk.map_err(|e| Error::from_http(e, &url))))
    }
}

async fn next(mut watch: Watch) -> Option<(Result<LogItem, Error>, Watch)> {
    while !watch.over {
        let Some(events) = &mut watch.events else {
            match watch.connect().await {
                Ok(()) => continue,
                Err(e) => {
                    watch.over = true;
                    return Some((Err(e), watch));
                }
            }
        };
        match tokio::time::timeout(SILENCE, events.next()).await {
            Ok(Some(Ok(event))) => {
                watch.failures = 0;
                if event.event == "end" {
                    watch.over = true;
                } else if let Some(item) = watch.item(&event) {
                    return Some((item, watch));
                }
            }
            // The stream broke off, or is silent: come back from the cursor.
            Ok(Some(Err(_)) | None) | Err(_) => watch.events = None,
        }
    }
    None
}

impl Watch {
    /// Connects, with patience for a server that is away; gives up at once on what waiting can't mend.
    async fn connect(&mut self) -> Result<(), Error> {
        loop {
            let wait = WAITS[self.failures.min(WAITS.len() - 1)];
            tokio::time::sleep(Duration::from_secs(wait)).await;
            self.failures += 1;
            let path = format!("{BASE}/agent/runs/{}/stream?since={}", self.run_id, self.since);
            match self.client.execute(self.client.get(&path)).await {
                Ok(response) => {
                    let events = response.bytes_stream().eventsource();
                    self.events = Some(events.map(|e| e.map_err(|e| e.to_string())).boxed());
                    return Ok(());
                }
                Err(e) => {
                    let hopeless =
                        e.status().is_some_and(|s| (400..500).contains(&s) && s != 408 && s != 429);
                    if hopeless || self.failures >= PATIENCE || matches!(e, Error::Config(_)) {
                        return Err(e);
                    }
                    tracing::info!(error = %e, "the stream broke off; trying again");
                }
            }
        }
    }

    /// The item of an event, unless it was seen before. One that can't be understood is passed over: it is of a newer
    /// server.
    fn item(&mut self, event: &Event) -> Option<Result<LogItem, Error>> {
        let sequence: i64 = event.id.parse().unwrap_or(0);
        if sequence <= self.since {
            return None;
        }
        self.since = sequence;
        match serde_json::from_str(&event.data) {
            Ok(item) => Some(Ok(item)),
            Err(e) => {
                tracing::debug!(error = %e, "item passed over");
                None
            }
        }
    }
}
