//! How a run begins: what it is, read from the control plane or given by the user, and its record. Nothing of the run
//! is done before the control plane has agreed.

use super::{
    Source,
    end::End,
    verdict::{self, Verdict},
};
use oz_client::{Client, Error};
use oz_core::{
    ErrorCode, RunId,
    api::{CreateLocalRun, Endpoint, GetOwnRun, UpdateRun},
    config::AgentConfig,
    harness::HarnessEvent,
};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// How long one call may take; a server that does not answer in that time is away.
pub(super) const CALL: Duration = Duration::from_secs(15);

/// A run's record at a control plane.
pub(super) struct Record {
    pub(super) run_id: RunId,
    pub(super) client: Client,
    /// Whether a worker was given the run. Such an agent that is told to stop does not know why, a cancellation or the
    /// death of its worker, so what becomes of the run is not its to say.
    pub(super) assigned: bool,
}

/// A run that may begin, or has ended already.
#[derive(Default)]
pub(super) struct Admitted {
    pub(super) prompt: String,
    pub(super) config: AgentConfig,
    pub(super) record: Option<Record>,
    /// Something that went wrong without stopping the run.
    pub(super) problem: Option<HarnessEvent>,
    /// Why the run ends before it begins.
    pub(super) end: Option<End>,
}

pub(super) async fn admit(source: Source, cancel: &CancellationToken, patience: Duration) -> Admitted {
    match source {
        Source::Task { run_id, client } => {
            let record = Record { run_id, client, assigned: true };
            let admitted = cancel.run_until_cancelled(task(&record, patience)).await;
            let (prompt, config, end) = match admitted {
                Some(Ok((prompt, config))) => (prompt, config, None),
                Some(Err(end)) => (String::new(), AgentConfig::default(), Some(end)),
                None => (String::new(), AgentConfig::default(), Some(End::Cancelled)),
            };
            Admitted { prompt, config, record: Some(record), problem: None, end }
        }
        Source::Local { prompt, config, client: None } => Admitted { prompt, config, ..Admitted::default() },
        Source::Local { prompt, config, client: Some(client) } => {
            let (record, problem) = match local(&prompt, &config, client).await {
                Ok(record) => (Some(record), None),
                Err(e) => (None, Some(unrecorded(&e))),
            };
            Admitted { prompt, config, record, problem, end: None }
        }
    }
}

/// Reads a run and says that it begins.
async fn task(record: &Record, patience: Duration) -> Result<(String, AgentConfig), End> {
    let Record { run_id, client, .. } = record;
    let run = patiently(client, &GetOwnRun {}, patience).await?;
    if run.run_id != *run_id {
        let text = format!("the token of this agent is of run {}, not of run {run_id}", run.run_id);
        return Err(End::Failed(oz_core::Error::new(ErrorCode::InternalError, text)));
    }
    let status = patiently(client, &UpdateRun::started(), patience).await?;
    if status.state.is_terminal() {
        return Err(End::Superseded);
    }
    Ok((run.prompt, run.agent_config.unwrap_or_default()))
}

/// Records a run of this machine and says that it begins.
async fn local(prompt: &str, config: &AgentConfig, client: Client) -> Result<Record, Error> {
    let request = CreateLocalRun { prompt: prompt.to_owned(), config: Some(config.clone()), title: None };
    let created = within(&client, &request).await?;
    let client = client.with_workload_token(&created.workload_token);
    within(&client, &UpdateRun::started()).await?;
    Ok(Record { run_id: created.run_id, client, assigned: false })
}

fn unrecorded(error: &Error) -> HarnessEvent {
    HarnessEvent::Stage {
        name: "record_run".to_owned(),
        ok: false,
        duration_ms: 0,
        detail: Some(format!("this run is not recorded: {error}")),
    }
}

/// One call with a limit on its time.
pub(super) async fn within<E: Endpoint>(client: &Client, request: &E) -> Result<E::Response, Error> {
    match timeout(CALL, client.send_once(request)).await {
        Ok(answer) => answer,
        Err(_) => {
            let (url, reason) = (client.server_url().to_owned(), "it took too long".to_owned());
            Err(Error::Interrupted { url, reason })
        }
    }
}

/// Calls until there is an answer, nothing to wait for, or no more patience.
pub(super) async fn patiently<E: Endpoint>(
    client: &Client,
    request: &E,
    patience: Duration,
) -> Result<E::Response, End> {
    let until = Instant::now() + patience;
    let mut attempt = 1;
    loop {
        let error = match within(client, request).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match verdict::judge(&error) {
            Verdict::Stop => return Err(End::Superseded),
            Verdict::Again if Instant::now() < until => {
                tracing::info!(%error, attempt, "the control plane is away; trying again");
                tokio::time::sleep(verdict::wait(attempt, oz_client::retry::jitter())).await;
            }
            Verdict::Again | Verdict::Drop => {
                let text = format!("{} failed: {error}", E::INFO.id);
                return Err(End::Failed(oz_core::Error::new(ErrorCode::InternalError, text)));
            }
        }
        attempt += 1;
    }
}
