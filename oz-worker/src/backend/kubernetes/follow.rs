//! One run from the begin of its Job to its end.

use super::{
    Kubernetes,
    cluster::Trouble,
    diagnosis::{self, Finding, Seen},
    logs,
    names::{EXECUTION_HASH, Names},
    watch::News,
};
use crate::{control::Control, job::Outcome, redact::Secrets};
use jiff::Timestamp;
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use oz_core::worker::FailureReason;
use tokio::{sync::oneshot, time::sleep};

/// How often in a row a missing right may stand in the way: somebody may be at it.
const FORBIDDEN_LIMIT: u32 = 6;

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
                self.put_away(names, true).await;
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
            self.put_away(names, false).await;
        }
    }
}
