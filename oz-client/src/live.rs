//! The reader of live streams. It survives restarts of the server: it comes back from its cursor and drops what it has
//! seen, so whoever reads from it misses nothing and sees nothing twice. What the items are is not its business.

use crate::{Client, Error, retry};
use eventsource_stream::{Event, Eventsource as _};
use futures_util::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use reqwest::Method;
use serde::de::DeserializeOwned;
use std::{marker::PhantomData, time::Duration};
use tokio::time::Instant;

/// Seconds to wait before each new connection; the last one repeats.
const WAITS: [u64; 5] = [0, 1, 2, 5, 10];
/// How many connections in a row may fail after a first one that worked: about five minutes.
const PATIENCE: usize = 35;
/// A connection that held for so long was a good one, even when nothing happened.
const GOOD: Duration = Duration::from_secs(30);

type Events = BoxStream<'static, Result<Event, String>>;

struct Live<T, F> {
    client: Client,
    /// Path and query, up to the value of `since`.
    path: String,
    since: i64,
    events: Option<Events>,
    opened: Instant,
    failures: usize,
    patience: usize,
    over: bool,
    lost: F,
    item: PhantomData<fn() -> T>,
}

/// The items of the stream at `path`, which ends with `since=`, after the cursor `since`; `lost` is called each time
/// that the server can't be reached, before the next try.
pub(crate) fn items<T, F>(
    client: Client,
    path: String,
    since: i64,
    lost: F,
) -> impl Stream<Item = Result<T, Error>> + Send + use<T, F>
where
    T: DeserializeOwned,
    F: FnMut(&Error) + Send,
{
    let live = Live {
        client,
        path,
        since,
        events: None,
        opened: Instant::now(),
        failures: 0,
        // A server that was never there is most likely a wrong address.
        patience: retry::ATTEMPTS as usize,
        over: false,
        lost,
        item: PhantomData,
    };
    stream::unfold(live, Live::next)
}

impl<T: DeserializeOwned, F: FnMut(&Error)> Live<T, F> {
    async fn next(mut self) -> Option<(Result<T, Error>, Self)> {
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
                Some(Err(_)) | None => {
                    self.events = None;
                    if self.opened.elapsed() > GOOD {
                        self.failures = 0;
                    }
                }
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
            let request = self.client.request(Method::GET, &format!("{}{}", self.path, self.since))?;
            match self.client.open(request, self.client.server_url()).await {
                Ok(bytes) => {
                    let events = bytes.eventsource();
                    self.events = Some(events.map(|e| e.map_err(|e| e.to_string())).boxed());
                    self.opened = Instant::now();
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
    fn item(&mut self, event: &Event) -> Option<T> {
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
