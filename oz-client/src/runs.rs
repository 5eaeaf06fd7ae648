//! Calls about runs, one line each.

use crate::{Client, Error};
use futures_util::{Stream, StreamExt as _};
use oz_core::{
    Run, RunId,
    api::{CancelRun, CreateRun, GetRun, ListRuns, RunCreated, RunPage},
};
use std::pin::pin;

/// Calls about runs; see [`Client::runs`].
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
    /// # Errors
    /// See [`Client::send`].
    pub async fn create(&self, request: &CreateRun) -> Result<RunCreated, Error> {
        self.0.send(request).await
    }
    /// Gets a run.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn get(&self, run_id: RunId) -> Result<Run, Error> {
        self.0.send(&GetRun { run_id }).await
    }
    /// Gets a page of runs.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn list(&self, request: &ListRuns) -> Result<RunPage, Error> {
        self.0.send(request).await
    }
    /// All runs that match, page after page.
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
    /// # Errors
    /// See [`Client::send`].
    pub async fn cancel(&self, run_id: RunId) -> Result<String, Error> {
        let mut tries = 0;
        loop {
            match self.0.send(&CancelRun { run_id }).await {
                Err(e) if e.status() == Some(409) && tries < 100 => {
                    tries += 1;
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                answer => return answer,
            }
        }
    }
    /// Waits until a run is over and gets its record.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn wait(&self, run_id: RunId) -> Result<Run, Error> {
        let mut watch = pin!(self.0.watch(run_id, 0));
        while let Some(item) = watch.next().await {
            item?;
        }
        self.get(run_id).await
    }
}
