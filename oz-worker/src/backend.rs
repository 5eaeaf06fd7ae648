//! The seam between runs and where their agents run. A backend never talks to the control plane.

mod direct;

pub(crate) use direct::Direct;

use crate::job::{Job, Outcome};
use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// A way to run agents.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    /// Runs the agent of `job` until it ends or `cancel` is cancelled. `report` is told as soon as the agent and all
    /// that it started are gone; the call returns when the backend has cleaned up.
    async fn execute(&self, job: &Job, cancel: &CancellationToken, report: oneshot::Sender<Outcome>);
}
