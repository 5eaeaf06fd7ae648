//! The live stream of a run. It survives restarts of the server: it comes back from its cursor and drops what it has
//! seen, so its reader misses nothing and sees nothing twice.

use crate::{Client, Error, retry};
use bytes::Bytes;
use eventsource_stream::{Event, Eventsource as _};
use futures_util::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use oz_core::{RunId, api::BASE, transcript::LogItem};
use std::{io, time::Duration};
use tokio::time::timeout;

/// Seconds to wait before each new connection; the last one repeats.
const WAITS: [u64; 5] = [0, 1, 2, 5, 10];
/// How many connections in a row may fail after a first one that worked: about five minutes.
const PATIENCE: usize = 35;
/// The server sends something every 15 s; a stream that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(45);

type Events = BoxStream<'static, Result<Event, String>>;

struct Watch<F> {
    client: Client,
    run_id: RunId,
    since: i64,
    events: Option<Events>,
    failures: usize,
    patience: usize,
    over: bool,
    lost: F,
}

impl Client {
    /// A run's events and transcript after the cursor `since` (0 for all), live until the run has ended.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client, run_id: oz_core::RunId) -> Result<(), oz_client::Error> {
    /// use futures_util::StreamExt as _;
    /// let mut items = std::pin::pin!(client.watch(run_id, 0));
    /// while let Some(item) = items.next().await {
    ///     println!("{}", item?.sequence());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn watch(
        &self,
        run_id: RunId,
        since: i64,
    ) -> impl Stream<Item = Result<LogItem, Error>> + Send + use<> {
        self.watch_with(run_id, since, |_| {})
    }

    /// Like [`watch`](Self::watch), and calls `lost` each time that the server can't be reached, before the next try.
    pub fn watch_with<F>(
        &self,
        run_id: RunId,
        since: i64,
        lost: F,
    ) -> impl Stream<Item = Result<LogItem, Error>> + Send + use<F>
    where
        F: FnMut(&Error) + Send,
    {
        let watch = Watch {
            client: self.clone(),
            run_id,
            since,
            events: None,
            failures: 0,
            // A server that was never there is most likely a wrong address.
            patience: retry::ATTEMPTS as usize,
            over: false,
            lost,
        };
        stream::unfold(watch, Watch::next)
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
        let response = match self.execute(self.get(&format!("{BASE}/agent/runs/{run_id}/transcript"))).await {
            Err(Error::Redirect { location, .. }) => self.follow(&location).await?,
            response => response?,
        };
        Ok(response.bytes_stream().map(move |chunk| chunk.map_err(|e| Error::from_http(e, &url))))
    }
}

impl<F: FnMut(&Error)> Watch<F> {
    async fn next(mut self) -> Option<(Result<LogItem, Error>, Self)> {
        while !self.over {
            let Some(events) = &mut self.events else {
                if let Err(e) = self.connect().await {
                    self.over = true;
                    return Some((Err(e), self));
                }
                continue;
            };
            match events.next().await {
                Some(Ok(event)) => {
                    self.failures = 0;
                    if event.event == "end" {
                        self.over = true;
                    } else if let Some(item) = self.item(&event) {
                        return Some((Ok(item), self));
                    }
                }
                // It broke off: come back from the cursor.
                Some(Err(_)) | None => self.events = None,
            }
        }
        None
    }

    /// Connects, with patience for a server that is away; gives up at once on what waiting can't mend.
    async fn connect(&mut self) -> Result<(), Error> {
        loop {
            let wait = WAITS[self.failures.min(WAITS.len() - 1)];
            tokio::time::sleep(Duration::from_secs(wait)).await;
            self.failures += 1;
            let path = format!("{BASE}/agent/runs/{}/stream?since={}", self.run_id, self.since);
            match self.client.execute(self.client.get(&path)).await {
                Ok(response) => {
                    let events = noticing_silence(response.bytes_stream()).eventsource();
                    self.events = Some(events.map(|e| e.map_err(|e| e.to_string())).boxed());
                    self.patience = PATIENCE;
                    return Ok(());
                }
                Err(e) if hopeless(&e) || self.failures >= self.patience => return Err(e),
                Err(e) => (self.lost)(&e),
            }
        }
    }

    /// The item of an event, unless it was seen before. One that can't be understood is passed over: it is of a newer
    /// server.
    fn item(&mut self, event: &Event) -> Option<LogItem> {
        let sequence: i64 = event.id.parse().unwrap_or(0);
        if sequence <= self.since {
            return None;
        }
        self.since = sequence;
        serde_json::from_str(&event.data)
            .inspect_err(|e| tracing::debug!(error = %e, sequence, "an item is passed over"))
            .ok()
    }
}

fn hopeless(error: &Error) -> bool {
    match error {
        Error::Api { error, .. } => {
            let status = error.http_status();
            (400..500).contains(&status) && status != 408 && status != 429
        }
        Error::Connect { .. } | Error::Interrupted { .. } => false,
        Error::Decode { .. } | Error::Redirect { .. } | Error::Config(_) => true,
    }
}

/// The same bytes, with an error when none come for too long. Comments that keep the connection alive count.
fn noticing_silence<S>(bytes: S) -> impl Stream<Item = Result<Bytes, io::Error>> + Send
where
    S: Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
{
    stream::unfold(bytes.boxed(), |mut bytes| async move {
        let next = match timeout(SILENCE, bytes.next()).await {
            Ok(next) => next?.map_err(io::Error::other),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        Some((next, bytes))
    })
}
