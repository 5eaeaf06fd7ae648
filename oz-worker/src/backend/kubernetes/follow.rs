//! One run from its Job's first request to the Job's end.

use super::{
    Kubernetes,
    cluster::{Propagation, Trouble, beginning},
    diagnosis::{self, Finding, Seen},
    logs,
    names::{self, EXECUTION_HASH, Names},
    path, pod, preflight,
    rules::{CREATE_JOBS, CREATE_SECRETS},
    watch::News,
};
use crate::{Credentials, control::Control, job::Outcome, redact::Secrets};
use jiff::Timestamp;
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use oz_core::worker::FailureReason;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

/// Marks Jobs that stay after the control plane was told how they ended.
pub(super) const REPORTED: &str = "oz-reported";
/// How often in a row a missing right may stand in the way: somebody may be at it.
const FORBIDDEN_LIMIT: u32 = 6;

/// Why a run did not begin.
pub(super) enum NotBegun {
    /// Nothing was made.
    Refused(Outcome),
    /// Something may have been made and is to be removed.
    Begun(Outcome),
}

/// What is there of a run.
struct State {
    job: Job,
    pods: Vec<Pod>,
    finding: Finding,
}

/// Why the state is not known.
enum Blind {
    Job(Trouble),
    Pods(Trouble),
}

pub(super) fn failed(reason: FailureReason, message: String) -> Outcome {
    Outcome::Failed { reason, message, exit_code: None }
}

impl Kubernetes {
    /// Makes the Job, then its Secret, then lets it begin: a Pod never waits for a Secret, and no Secret is left behind.
    pub(super) async fn begin(
        &self,
        names: &Names,
        run: &pod::Run<'_>,
        control: &Control,
    ) -> Result<(), NotBegun> {
        let job = pod::job(run, &self.settings);
        let refused = |what: &str, trouble: &Trouble| {
            let text = path::in_settings(&trouble.to_string(), &self.settings, &job);
            let place = format!("{} in namespace {}", names.job, self.settings.namespace);
            failed(
                FailureReason::JobCreate,
                run.variables.secrets.hide(&format!("{what} {place} could not be made: {text}")),
            )
        };
        let make = || self.cluster.create(CREATE_JOBS, &job, false);
        let made = match self.patiently(control, make).await? {
            Ok(made) => made,
            // An answer to an earlier try may have been lost.
            Err(Trouble::Conflict(text)) => match self.cluster.job(&names.job).await {
                Ok(Some(job)) if self.is_ours(&job, names) => json!(job),
                _ => return Err(NotBegun::Refused(refused("job", &Trouble::Conflict(text)))),
            },
            Err(trouble) => return Err(NotBegun::Refused(refused("job", &trouble))),
        };
        if self.settings.config.credentials == Credentials::Inline {
            return Ok(());
        }
        let secret = pod::secret(names, run.variables, &preflight::uid(&made), &self.settings);
        let make = || self.cluster.create(CREATE_SECRETS, &secret, false);
        match self.patiently(control, make).await? {
            Ok(_) | Err(Trouble::Conflict(_)) => {}
            Err(trouble) => return Err(NotBegun::Begun(refused("secret", &trouble))),
        }
        let change = beginning();
        let start = || self.cluster.change_job(&names.job, &change);
        match self.patiently(control, start).await? {
            Ok(()) => Ok(()),
            Err(trouble) => {
                let text = format!("job {} could not be begun: {trouble}", names.job);
                Err(NotBegun::Begun(failed(FailureReason::JobCreate, text)))
            }
        }
    }

    fn is_ours(&self, job: &Job, names: &Names) -> bool {
        let annotations = job.metadata.annotations.as_ref();
        let theirs = annotations.and_then(|a| names::identity(&self.settings.worker_id, a));
        theirs.is_some() && theirs == names::identity(&self.settings.worker_id, &names.annotations)
    }

    /// Repeats a request while the server is not available, unless there is no use for it any more.
    async fn patiently<T, F: Future<Output = Result<T, Trouble>>>(
        &self,
        control: &Control,
        request: impl Fn() -> F,
    ) -> Result<Result<T, Trouble>, NotBegun> {
        let deadline = Instant::now() + self.pace.begin_limit;
        let mut pause = self.pace.first_pause;
        loop {
            if control.stop.is_cancelled() {
                return Err(NotBegun::Begun(Outcome::Cancelled));
            }
            if control.leave.is_cancelled() {
                let message =
                    "the worker shut down before the agent began; the run can be tried again".to_owned();
                return Err(NotBegun::Begun(failed(FailureReason::GracefulShutdown, message)));
            }
            match request().await {
                Err(Trouble::Unavailable(text)) if Instant::now() < deadline => {
                    tracing::warn!("tried again in {pause:?}: {text}");
                }
                answer => return Ok(answer),
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = control.stop.cancelled() => {}
                () = control.leave.cancelled() => {}
            }
            pause = (pause * 2).min(self.pace.longest_pause);
        }
    }

    /// Follows a run to its end, or until the worker goes. Without its secrets, the agent's output is not told.
    pub(super) async fn follow(
        &self,
        names: &Names,
        news: &News,
        secrets: Option<&Secrets>,
        control: &Control,
        report: oneshot::Sender<Outcome>,
    ) {
        let mut pause = self.pace.first_pause;
        let mut forbidden = 0;
        loop {
            let wait = match self.look(names).await {
                Ok(Some(State { finding: Finding::Going(again), .. })) => {
                    (pause, forbidden) = (self.pace.first_pause, 0);
                    again.unwrap_or(self.pace.poll).clamp(self.pace.first_pause, self.pace.poll)
                }
                Ok(Some(state)) => return self.settle(names, news, state, secrets, control, report).await,
                Ok(None) => {
                    let text = format!(
                        "job {} in namespace {} was deleted by somebody else",
                        names.job, self.settings.namespace
                    );
                    let _ = report.send(failed(FailureReason::JobFailed, text));
                    return;
                }
                Err(blind) => {
                    let (what, reason, trouble) = match blind {
                        Blind::Job(trouble) => ("the job", FailureReason::JobWatch, trouble),
                        Blind::Pods(trouble) => ("the pods", FailureReason::PodWatch, trouble),
                    };
                    tracing::warn!("{what} of {} can't be seen: {trouble}", names.job);
                    forbidden += u32::from(matches!(trouble, Trouble::Forbidden(_) | Trouble::Refused(_)));
                    if forbidden >= FORBIDDEN_LIMIT {
                        self.remove(names, news, control).await;
                        let text = format!(
                            "{what} of {} in namespace {} can't be watched: {trouble}",
                            names.job, self.settings.namespace
                        );
                        let _ = report.send(failed(reason, text));
                        return;
                    }
                    pause = (pause * 2).min(self.pace.longest_pause);
                    pause
                }
            };
            tokio::select! {
                biased;
                () = control.stop.cancelled() => {
                    self.remove(names, news, control).await;
                    let _ = report.send(Outcome::Cancelled);
                    return;
                }
                () = control.leave.cancelled() => {
                    let _ = report.send(Outcome::Left);
                    return;
                }
                () = news.next() => {}
                () = sleep(wait) => {}
            }
        }
    }

    async fn look(&self, names: &Names) -> Result<Option<State>, Blind> {
        let Some(job) = self.cluster.job(&names.job).await.map_err(Blind::Job)? else { return Ok(None) };
        let label = format!("{EXECUTION_HASH}={}", names.execution_hash);
        let pods = self.cluster.pods(&label).await.map_err(Blind::Pods)?;
        let phase = |pod: &Pod| pod.status.as_ref().and_then(|s| s.phase.clone()).unwrap_or_default();
        let mut events = Vec::new();
        let unsettled = pods.iter().filter(|pod| matches!(phase(pod).as_str(), "" | "Pending" | "Failed"));
        let mut uids: Vec<&Option<String>> = unsettled.map(|pod| &pod.metadata.uid).collect();
        if pods.is_empty() {
            uids.push(&job.metadata.uid);
        }
        for uid in uids.into_iter().flatten() {
            match self.cluster.events(uid).await {
                Ok(more) => events.extend(more),
                // They only explain; without them the run goes on.
                Err(trouble) => tracing::warn!("the events of {} can't be seen: {trouble}", names.job),
            }
        }
        let (now, unschedulable) = (Timestamp::now(), self.settings.unschedulable);
        let finding = diagnosis::of(&Seen { job: &job, pods: &pods, events: &events, now, unschedulable });
        Ok(Some(State { job, pods, finding }))
    }

    /// Tells how a run ended and cleans up.
    async fn settle(
        &self,
        names: &Names,
        news: &News,
        state: State,
        secrets: Option<&Secrets>,
        control: &Control,
        report: oneshot::Sender<Outcome>,
    ) {
        let failure = match state.finding {
            Finding::Failed(failure) => failure,
            Finding::Finished | Finding::Going(_) => {
                let _ = report.send(Outcome::Finished);
                if self.settings.cleanup {
                    self.delete(names, Propagation::Background).await;
                } else {
                    self.mark(names).await;
                }
                return;
            }
        };
        let message = match secrets {
            Some(secrets) => {
                let text = secrets.hide(&failure.message);
                logs::explain(&self.cluster, &state.pods, secrets, failure.culprit.as_ref(), &text).await
            }
            None => failure.message,
        };
        let ended = |pod: &Pod| {
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            matches!(phase, Some("Failed" | "Succeeded"))
        };
        let is_over =
            diagnosis::is_over(&state.job) || (!state.pods.is_empty() && state.pods.iter().all(ended));
        if !is_over {
            // An agent that begins late would work for a run that has failed.
            self.remove(names, news, control).await;
        }
        let _ =
            report.send(Outcome::Failed { reason: failure.reason, message, exit_code: failure.exit_code });
        if is_over {
            self.mark(names).await;
        }
    }

    /// Ends a run's pods and waits until they and the Job are gone.
    pub(super) async fn remove(&self, names: &Names, news: &News, control: &Control) {
        self.delete(names, Propagation::Foreground).await;
        let deadline = Instant::now() + self.pace.remove_limit;
        while !control.leave.is_cancelled() {
            match self.cluster.job(&names.job).await {
                Ok(None) => return,
                _ if Instant::now() > deadline => {
                    tracing::warn!("job {} is being deleted, but its pods are still there", names.job);
                    return;
                }
                _ => {}
            }
            tokio::select! {
                () = news.next() => {}
                () = sleep(self.pace.remove_poll) => {}
                () = control.leave.cancelled() => {}
            }
        }
    }

    async fn delete(&self, names: &Names, how: Propagation) {
        let mut pause = self.pace.first_pause;
        loop {
            match self.cluster.delete_job(&names.job, how).await {
                Ok(()) => return,
                Err(Trouble::Unavailable(text) | Trouble::Conflict(text))
                    if pause < self.pace.longest_pause =>
                {
                    tracing::warn!("job {} could not be deleted: {text}", names.job);
                }
                Err(trouble) => {
                    tracing::error!("job {} could not be deleted and may still run: {trouble}", names.job);
                    return;
                }
            }
            sleep(pause).await;
            pause *= 2;
        }
    }

    /// Keeps the next worker from telling the same once more. Not every Role allows it, and it would do no harm.
    async fn mark(&self, names: &Names) {
        let change: Value = json!({ "metadata": { "annotations": { REPORTED: "true" } } });
        if let Err(trouble) = self.cluster.change_job(&names.job, &change).await {
            tracing::debug!("job {} could not be marked as reported: {trouble}", names.job);
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Between two looks when nothing is heard.
    pub(super) poll: Duration,
    /// After the first request that did not work, and after later ones at most.
    pub(super) first_pause: Duration,
    pub(super) longest_pause: Duration,
    /// For the server to be available when a run begins.
    pub(super) begin_limit: Duration,
    /// For pods to go, and between two looks whether they have.
    pub(super) remove_limit: Duration,
    pub(super) remove_poll: Duration,
    pub(super) preflight_limit: Duration,
    pub(super) preflight_every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(30),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(15),
            begin_limit: Duration::from_secs(120),
            remove_limit: Duration::from_secs(120),
            remove_poll: Duration::from_secs(1),
            preflight_limit: Duration::from_secs(15),
            preflight_every: Duration::from_millis(500),
        }
    }
}
