//! The runs that an earlier process of this worker has left in the cluster.

use super::{
    Kubernetes,
    cluster::Trouble,
    diagnosis,
    follow::failed,
    names::{self, Names, WORKER_HASH, hash},
    remove::REPORTED,
};
use crate::{
    control::Control,
    job::{Identity, Outcome},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::Job;
use oz_core::worker::FailureReason;
use tokio::{sync::oneshot, time::sleep};

/// How long after its end a run is told of. Later nobody waits for it: the control plane has tried it elsewhere.
const NEWS_FOR: SignedDuration = SignedDuration::from_hours(1);
const TRIES: u32 = 5;

impl Kubernetes {
    /// The runs whose end was not told.
    pub(super) async fn left_behind(&self) -> Vec<Identity> {
        let label = format!("{WORKER_HASH}={}", hash(&self.settings.worker_id));
        let mut pause = self.pace.first_pause;
        for _ in 0..TRIES {
            match self.cluster.jobs(&label).await {
                Ok(jobs) => {
                    return jobs.iter().filter_map(|job| self.untold(job, Timestamp::now())).collect();
                }
                Err(Trouble::Unavailable(text)) => {
                    tracing::warn!("the Jobs of an earlier worker can't be seen yet: {text}");
                }
                Err(trouble) => {
                    tracing::error!("the Jobs of an earlier worker can't be seen: {trouble}");
                    break;
                }
            }
            sleep(pause).await;
            pause *= 2;
        }
        Vec::new()
    }

    fn untold(&self, job: &Job, now: Timestamp) -> Option<Identity> {
        let annotations = job.metadata.annotations.as_ref()?;
        let old = diagnosis::ended_at(job).is_some_and(|at| now.duration_since(at) > NEWS_FOR);
        if annotations.contains_key(REPORTED) || job.metadata.deletion_timestamp.is_some() || old {
            return None;
        }
        names::identity(&self.settings.worker_id, annotations)
    }

    /// Goes on with a run that an earlier process has begun.
    pub(super) async fn go_on(
        &self,
        survivor: Identity,
        control: &Control,
        report: oneshot::Sender<Outcome>,
    ) {
        let names = Names::of(survivor, &self.settings.worker_id);
        let news = self.watches.news(&names.execution_hash);
        let suspended = |job: &Job| job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true));
        if matches!(self.cluster.job(&names.job).await, Ok(Some(job)) if suspended(&job)) {
            // Its credentials went with the process that had them.
            self.remove(&names, &news, control).await;
            let message =
                format!("the worker ended before job {} began; the run can be tried again", names.job);
            let _ = report.send(failed(FailureReason::JobCreate, message));
            return;
        }
        self.follow(&names, &news, None, control, report).await;
    }
}
