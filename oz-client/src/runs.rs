//! Calls about runs, one line each.

use crate::{Client, Error};
use futures_util::{Stream, StreamExt as _};
use oz_core::{
    Run, RunId,
    api::{CancelRun, CreateRun, GetRun, ListRuns, RunCreated, RunPage},
    event::EventType,
    transcript::LogItem,
};
use std::{pin::pin, time::Duration};

/// A run that is being handed to a worker can't be cancelled for a moment. How often and how long that is waited out.
const CANCEL_TRIES: u32 = 100;
const CANCEL_PAUSE: Duration = Duration::from_millis(100);

/// Calls about runs; see [`Client::runs`].
#[derive(Debug)]
pub struct Runs<'a>(&'a Client);

impl Client {
    /// Calls about runs.
    #[must_use]
    pub fn runs(&self) -> Runs<'_> {
        Runs(self)
    }
}

impl Runs<'_> {
    /// Dispatches a run.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
    /// use oz_core::api::CreateRun;
    /// let request = CreateRun { prompt: Some("fix the failing test".into()), ..CreateRun::default() };
    /// println!("{}", client.runs().create(&request).await?.run_id);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn create(&self, request: &CreateRun) -> Result<RunCreated, Error> {
        self.0.send(request).await
    }

    /// Gets a run.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client, run_id: oz_core::RunId) -> Result<(), oz_client::Error> {
    /// println!("{}", client.runs().get(run_id).await?.state);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn get(&self, run_id: RunId) -> Result<Run, Error> {
        self.0.send(&GetRun { run_id }).await
    }

    /// Gets a page of runs.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
    /// use oz_core::{RunState, api::ListRuns};
    /// let failed = ListRuns { state: vec![RunState::Failed], ..ListRuns::default() };
    /// println!("{}", client.runs().list(&failed).await?.runs.len());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn list(&self, request: &ListRuns) -> Result<RunPage, Error> {
        self.0.send(request).await
    }

    /// All runs that match, page after page.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
    /// use futures_util::StreamExt as _;
    /// let mut runs = std::pin::pin!(client.runs().list_all(Default::default()));
    /// while let Some(run) = runs.next().await {
    ///     println!("{}", run?.title);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn list_all(&self, request: ListRuns) -> impl Stream<Item = Result<Run, Error>> + use<> {
        let client = self.0.clone();
        let pages = futures_util::stream::unfold(Some(request), move |request| {
            let client = client.clone();
            async move {
                let request = request?;
                match client.send(&request).await {
                    Ok(page) => {
                        let cursor = page.page_info.next_cursor.filter(|_| page.page_info.has_next_page);
                        let next = cursor.map(|cursor| ListRuns { cursor: Some(cursor), ..request });
                        let runs: Vec<_> = page.runs.into_iter().map(Ok).collect();
                        Some((futures_util::stream::iter(runs), next))
                    }
                    Err(e) => Some((futures_util::stream::iter(vec![Err(e)]), None)),
                }
            }
        });
        pages.flatten()
    }

    /// Cancels a run. While the run is being handed to a worker it can't be cancelled for a moment; waits that out.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client, run_id: oz_core::RunId) -> Result<(), oz_client::Error> {
    /// client.runs().cancel(run_id).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn cancel(&self, run_id: RunId) -> Result<String, Error> {
        let mut tries = 1;
        loop {
            match self.0.send(&CancelRun { run_id }).await {
                Err(e) if e.status() == Some(409) && tries < CANCEL_TRIES => {
                    tries += 1;
                    tokio::time::sleep(CANCEL_PAUSE).await;
                }
                answer => return answer,
            }
        }
    }

    /// Waits until a run has ended, or waits for a human, and gets its record.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client, run_id: oz_core::RunId) -> Result<(), oz_client::Error> {
    /// println!("{}", client.runs().wait(run_id).await?.state);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn wait(&self, run_id: RunId) -> Result<Run, Error> {
        let mut items = pin!(self.0.watch(run_id, 0));
        while let Some(item) = items.next().await {
            let LogItem::Event { event, .. } = item? else { continue };
            if event.event_type == EventType::RunBlocked {
                let run = self.get(run_id).await?;
                if run.state.is_over() {
                    return Ok(run);
                }
            }
        }
        self.get(run_id).await
    }
}
