//! How a run gets into the cluster.

use super::{
    Kubernetes,
    cluster::{Trouble, beginning},
    follow::failed,
    names::{self, Names},
    path, pod, preflight,
    rules::{CREATE_JOBS, CREATE_SECRETS},
};
use crate::{Credentials, control::Control, job::Outcome};
use k8s_openapi::api::batch::v1::Job;
use oz_core::worker::FailureReason;
use serde_json::json;
use tokio::time::{Instant, sleep};

/// Why a run did not begin.
pub(super) enum NotBegun {
    /// Nothing was made.
    Refused(Outcome),
    /// Something may have been made and is to be removed.
    Begun(Outcome),
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
            // It may have been made all the same.
            Err(trouble @ Trouble::Unavailable(_)) => return Err(NotBegun::Begun(refused("job", &trouble))),
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
}
