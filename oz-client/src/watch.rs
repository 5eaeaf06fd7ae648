//! What can be watched live: one run, the events of several, the events of a family.

use crate::{Client, Error, live};
use futures_util::Stream;
use oz_core::{RunId, api::BASE, event::Event, transcript::LogItem};
use url::form_urlencoded::Serializer;

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
        live::items(self.clone(), format!("{BASE}/agent/runs/{run_id}/stream?since="), since, lost)
    }

    /// The events of some runs after the cursor `since` (0 for all), live for as long as somebody reads. The sequence
    /// of an event is the cursor to come back with. An error is the last item: the server refused, such as for a run
    /// that is not there, or was away for minutes.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client, runs: Vec<oz_core::RunId>) -> Result<(), oz_client::Error> {
    /// use futures_util::StreamExt as _;
    /// let mut events = std::pin::pin!(client.events(runs, 0));
    /// while let Some(event) = events.next().await {
    ///     let event = event?;
    ///     println!("{} {}", event.run_id, event.event_type);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn events(
        &self,
        run_ids: Vec<RunId>,
        since: i64,
    ) -> impl Stream<Item = Result<Event, Error>> + Send + use<> {
        let query = run_ids.into_iter().map(|run_id| ("run_ids[]", run_id.to_string()));
        live::items(self.clone(), events_of(query), since, |_| {})
    }

    /// The events of a run and of every run that it started, directly or not, also of those that are yet to come;
    /// otherwise like [`events`](Self::events).
    pub fn events_of_family(
        &self,
        run_id: RunId,
        since: i64,
    ) -> impl Stream<Item = Result<Event, Error>> + Send + use<> {
        let query = [("ancestor_run_id", run_id.to_string()), ("include_self", "true".to_owned())];
        live::items(self.clone(), events_of(query), since, |_| {})
    }
}

/// The path of the stream of these events, up to the value of its cursor.
fn events_of(query: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let query = Serializer::new(String::new()).extend_pairs(query).append_pair("since", "").finish();
    format!("{BASE}/agent/events/stream?{query}")
}
