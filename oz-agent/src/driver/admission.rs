//! How a run begins: what it is, read from the control plane or given by the user, and its record. Nothing of the run
//! is done before the control plane has agreed.

use super::{
    Source, brief,
    end::End,
    skills,
    verdict::{self, Verdict},
};
use oz_client::{Client, Error};
use oz_core::{
    ErrorCode, RunId,
    api::{CreateLocalRun, Endpoint, GetOwnRun, GetRunCredentials, RunCredentials, UpdateRun},
    config::AgentConfig,
    harness::HarnessEvent,
    run::RunMode,
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
    /// The token of the run, where it came only now.
    pub(super) token: Option<String>,
}

/// A run that may begin, or has ended already.
#[derive(Default)]
pub(super) struct Admitted {
    pub(super) prompt: String,
    pub(super) config: AgentConfig,
    /// How the agent is to go about it.
    pub(super) mode: RunMode,
    pub(super) record: Option<Record>,
    /// What the run was given to log in with.
    pub(super) credentials: RunCredentials,
    /// How long it took to get that.
    pub(super) getting: Duration,
    /// Something that went wrong without stopping the run.
    pub(super) problem: Option<HarnessEvent>,
    /// Why the run ends before it begins.
    pub(super) end: Option<End>,
}

pub(super) async fn admit(source: Source, cancel: &CancellationToken, patience: Duration) -> Admitted {
    let mut admitted = match source {
        Source::Task { run_id, client } => {
            let record = Record { run_id, client, assigned: true, token: None };
            let (prompt, config, mode, end) = match cancel
                .run_until_cancelled(task(&record, patience))
                .await
                .unwrap_or(Err(End::Cancelled))
            {
                Ok((prompt, config, mode)) => (prompt, config, mode, None),
                Err(end) => (String::new(), AgentConfig::default(), RunMode::Normal, Some(end)),
            };
            Admitted { prompt, config, mode, record: Some(record), end, ..Admitted::default() }
        }
        Source::Local { prompt, config, client } => {
            let (prompt, mode) = match RunMode::called(&prompt) {
                Some((rest, mode)) => (rest.to_owned(), mode),
                None => (prompt, RunMode::Normal),
            };
            let recorded = match client {
                Some(client) => Some(local(&prompt, &config, client).await),
                None => None,
            };
            let here = Admitted { prompt, mode, ..Admitted::default() };
            match recorded {
                None => Admitted { config, ..here },
                Some(Ok((record, config))) => Admitted { config, record: Some(record), ..here },
                Some(Err(e)) => Admitted { config, problem: Some(unrecorded(&e)), ..here },
            }
        }
    };
    if let (Some(record), None) = (&admitted.record, &admitted.end) {
        let started = Instant::now();
        let getting = credentials(&record.client, patience);
        match cancel.run_until_cancelled(getting).await.unwrap_or(Err(End::Cancelled)) {
            Ok(credentials) => admitted.credentials = credentials,
            Err(end) => admitted.end = Some(end),
        }
        admitted.getting = started.elapsed();
    }
    admitted
}

/// What a run gets to log in with. A control plane that does not know the question has nothing.
async fn credentials(client: &Client, patience: Duration) -> Result<RunCredentials, End> {
    match persistently(client, &GetRunCredentials {}, patience).await {
        Ok(credentials) => Ok(credentials),
        Err(Error::Api { error, .. }) if error.http_status() == 404 => Ok(RunCredentials::default()),
        // What could not be read may be quoted, and nobody knows yet what of it is secret.
        Err(Error::Decode { .. }) => {
            let text = "GetRunCredentials failed: the control plane's answer was not understood";
            Err(End::Failed(oz_core::Error::new(ErrorCode::InternalError, text)))
        }
        Err(error) => Err(failed::<GetRunCredentials>(&error)),
    }
}

/// Reads a run and says that it begins.
async fn task(record: &Record, patience: Duration) -> Result<(String, AgentConfig, RunMode), End> {
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
    Ok((run.prompt, run.agent_config.unwrap_or_default(), run.mode.unwrap_or_default()))
}

/// Records a run of this machine and says that it begins. Answers with its configuration, too, to which the control
/// plane adds what an environment prepares and which memory stores the run may use.
async fn local(prompt: &str, config: &AgentConfig, client: Client) -> Result<(Record, AgentConfig), Error> {
    let prompt = brief::shown(prompt, &skills::named(config));
    let request = CreateLocalRun { prompt, config: Some(config.clone()), title: None };
    let created = within(&client, &request).await?;
    let client = client.with_workload_token(&created.workload_token);
    let recorded = within(&client, &GetOwnRun {}).await;
    within(&client, &UpdateRun::started()).await?;
    let config = match (recorded, &config.environment_id) {
        (Ok(run), Some(_)) => run.agent_config.unwrap_or_default(),
        (Err(error), Some(_)) => return Err(error),
        (Ok(run), None) => {
            let memory_stores = run.agent_config.map(|config| config.memory_stores).unwrap_or_default();
            AgentConfig { memory_stores, ..config.clone() }
        }
        (Err(_), None) => config.clone(),
    };
    let token = Some(created.workload_token);
    Ok((Record { run_id: created.run_id, client, assigned: false, token }, config))
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
    persistently(client, request, patience).await.map_err(|error| failed::<E>(&error))
}

/// What a call that failed for good means for the run.
fn failed<E: Endpoint>(error: &Error) -> End {
    match verdict::judge(error) {
        Verdict::Stop => End::Superseded,
        Verdict::Again | Verdict::Drop => {
            let text = format!("{} failed: {error}", E::INFO.id);
            End::Failed(oz_core::Error::new(ErrorCode::InternalError, text))
        }
    }
}

/// The same with the error as it is.
pub(super) async fn persistently<E: Endpoint>(
    client: &Client,
    request: &E,
    patience: Duration,
) -> Result<E::Response, Error> {
    let until = Instant::now() + patience;
    let mut attempt = 1;
    loop {
        let error = match within(client, request).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if verdict::judge(&error) != Verdict::Again || Instant::now() >= until {
            return Err(error);
        }
        tracing::info!(%error, attempt, "the control plane is away; trying again");
        tokio::time::sleep(verdict::wait(attempt, oz_client::retry::jitter())).await;
        attempt += 1;
    }
}
