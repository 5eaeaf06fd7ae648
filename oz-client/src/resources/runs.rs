//! Runs: what agents do.

use crate::{
    Error,
    method::{self, Method, OfRun},
};
use futures_util::{Stream, StreamExt as _, stream};
use oz_core::{
    Run, RunId,
    api::{
        AttachmentList, AttachmentsPrepared, CancelRun, Empty, HandoffPrepared, ListRuns, LocalRunCreated,
        RunCreated, RunPage, RunRequest, RunRequestList, decode,
    },
    conversation::Conversation,
    event::EventType,
    transcript::LogItem,
};
use std::{pin::pin, time::Duration};

/// A run that is being handed to a worker can't be cancelled for a moment. How often and how long that is waited out.
const CANCEL_TRIES: u32 = 100;
const CANCEL_PAUSE: Duration = Duration::from_millis(100);

noun! {
    /// Calls about runs.
    Runs runs
}

calls! { Runs + BY_HAND;
    /// Dispatches a run. It is made once, also when the answer is lost and the call is repeated.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
    /// use oz_core::api::CreateRun;
    /// let request = CreateRun { prompt: Some("fix the failing test".into()), ..CreateRun::default() };
    /// println!("{}", client.runs().create(&request).await?.run_id);
    /// # Ok(()) }
    /// ```
    create(CreateRun) -> RunCreated;
    /// Records a run that the caller's own machine executes, and gets the token for its agent.
    create_local(CreateLocalRun) -> LocalRunCreated;
    /// Gets the run with this id.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client, run_id: oz_core::RunId) -> Result<(), oz_client::Error> {
    /// println!("{}", client.runs().get(run_id).await?.state);
    /// # Ok(()) }
    /// ```
    get(GetRun { run_id: RunId }) -> Run;
    /// Gets a page of runs.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
    /// use oz_core::{RunState, api::ListRuns};
    /// let failed = ListRuns { state: vec![RunState::Failed], ..ListRuns::default() };
    /// println!("{}", client.runs().list(&failed).await?.runs.len());
    /// # Ok(()) }
    /// ```
    list(ListRuns) -> RunPage;
    /// Gives a run more to do: a queued run gets it with its prompt, a working one after its work, an ended one goes
    /// on.
    follow_up(SubmitFollowup) -> Empty;
    /// Lists what the agent of a run needs of a human.
    requests(ListRunRequests) -> RunRequestList;
    /// Answers what the agent of a run needs: approves, denies, or says something.
    answer(AnswerRunRequest) -> RunRequest;
    /// Gets the conversation of the run with this id.
    conversation(GetRunConversation { run_id: RunId }) -> Conversation;
    /// Tells of something that happened while a run was prepared.
    report_client_event(ReportClientEvent) -> Empty;
    /// Lists the files that the workspace of the run with this id left behind.
    handoff_attachments(ListHandoffAttachments { run_id: RunId }) -> AttachmentList;
    /// Prepares the upload of a workspace for a run that does not exist yet. The files go to the addresses in the
    /// answer, by [`Client::upload`](crate::Client::upload).
    prepare_handoff(UploadHandoff) -> HandoffPrepared;
    /// Prepares the upload of attachments to a run. The files go to the addresses in the answer, by
    /// [`Client::upload`](crate::Client::upload).
    prepare_attachments(PrepareAttachments) -> AttachmentsPrepared;
    /// Gets the addresses of some attachments of a run, for [`Client::download`](crate::Client::download).
    download_attachments(DownloadAttachments) -> AttachmentList;
}

/// What is written out below.
const BY_HAND: &[Method] = &[
    Method::streamed::<ListRuns, Run>(
        (NAME, "list_all"),
        "All runs that match, page after page. A page is asked for when the one before is used up.",
        |client, request| Ok(method::texts(client.runs().list_all(decode(&request)?))),
    ),
    Method::called::<OfRun, String>(
        (NAME, "cancel"),
        "Cancels a run and gets its id. While the run is being handed to a worker it can't be cancelled for a moment; \
         waits that out.",
        |client, request| {
            method::answering(&request, |of: OfRun| async move { client.runs().cancel(of.run_id).await })
        },
    )
    .on::<CancelRun>()
    .taking(&["run_id"]),
    Method::called::<OfRun, Run>(
        (NAME, "wait"),
        "Waits until a run has ended, or waits for a human, and gets its record.",
        |client, request| {
            method::answering(&request, |of: OfRun| async move { client.runs().wait(of.run_id).await })
        },
    )
    .taking(&["run_id"]),
];

impl Runs<'_> {
    /// All runs that match, page after page. A page is asked for when the one before is used up; an error is the last
    /// item.
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
    pub fn list_all(&self, request: ListRuns) -> impl Stream<Item = Result<Run, Error>> + Send + use<> {
        let client = self.0.clone();
        let pages = stream::unfold(Some(request), move |request| {
            let client = client.clone();
            async move {
                let request = request?;
                let page = match client.send(&request).await {
                    Ok(page) => page,
                    Err(e) => return Some((vec![Err(e)], None)),
                };
                let more = page.page_info.has_next_page && !page.runs.is_empty();
                let cursor = page.page_info.next_cursor.filter(|_| more);
                let next = cursor.map(|cursor| ListRuns { cursor: Some(cursor), ..request });
                Some((page.runs.into_iter().map(Ok).collect(), next))
            }
        });
        pages.flat_map(stream::iter)
    }

    /// Cancels a run and gets its id. While the run is being handed to a worker it can't be cancelled for a moment;
    /// waits that out.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client, run_id: oz_core::RunId) -> Result<(), oz_client::Error> {
    /// client.runs().cancel(run_id).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`Client::send`](crate::Client::send).
    pub async fn cancel(&self, run_id: RunId) -> Result<String, Error> {
        let mut tries = 1;
        loop {
            match self.0.send(&CancelRun { run_id, force: Some(true) }).await {
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
    /// See [`Client::send`](crate::Client::send).
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
