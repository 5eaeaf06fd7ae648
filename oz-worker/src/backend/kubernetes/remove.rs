//! How a run gets out of the cluster.

use super::{
    Kubernetes,
    cluster::{Propagation, Trouble},
    names::Names,
    watch::News,
};
use crate::control::Control;
use serde_json::json;
use tokio::time::{Instant, sleep};

/// Marks Jobs that stay after the control plane was told how they ended.
pub(super) const REPORTED: &str = "oz-reported";

impl Kubernetes {
    /// Ends a run's pods and waits until they and the Job are gone.
    pub(super) async fn remove(&self, names: &Names, news: &News, control: &Control) {
        let deadline = Instant::now() + self.pace.remove_limit;
        let mut asked = false;
        loop {
            if !asked {
                match self.cluster.delete_job(&names.job, Propagation::Foreground).await {
                    Ok(()) => asked = true,
                    Err(trouble @ (Trouble::Forbidden(_) | Trouble::Refused(_))) => {
                        tracing::error!("job {} can't be deleted and may still run: {trouble}", names.job);
                        return;
                    }
                    Err(trouble) => tracing::warn!("job {} could not be deleted: {trouble}", names.job),
                }
            }
            if asked && matches!(self.cluster.job(&names.job).await, Ok(None)) {
                return;
            }
            if Instant::now() > deadline {
                tracing::error!("job {} could not be deleted in time; its pods may still run", names.job);
                return;
            }
            tokio::select! {
                () = news.next() => {}
                () = sleep(self.pace.remove_poll) => {}
                // Whoever goes has asked at least once; the cluster does the rest.
                () = control.leave.cancelled() => return,
            }
        }
    }

    /// Clears a Job away that has ended, or keeps the next worker from telling once more how it did.
    pub(super) async fn put_away(&self, names: &Names, succeeded: bool) {
        let delete = succeeded && self.settings.cleanup;
        let mut pause = self.pace.first_pause;
        loop {
            let result = if delete {
                self.cluster.delete_job(&names.job, Propagation::Background).await
            } else {
                let change = json!({ "metadata": { "annotations": { REPORTED: "true" } } });
                self.cluster.change_job(&names.job, &change).await
            };
            match result {
                Ok(()) | Err(Trouble::Missing) => return,
                Err(Trouble::Unavailable(_) | Trouble::Conflict(_)) if pause < self.pace.longest_pause => {}
                Err(trouble) if delete => {
                    tracing::error!("job {} could not be deleted: {trouble}", names.job);
                    return;
                }
                // Not every Role allows it, and to tell twice does no harm.
                Err(trouble) => {
                    tracing::debug!("job {} could not be marked as reported: {trouble}", names.job);
                    return;
                }
            }
            sleep(pause).await;
            pause *= 2;
        }
    }
}
