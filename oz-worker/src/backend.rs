//! The seam between runs and where their agents run. A backend never talks to the control plane.

mod command;
mod direct;
#[cfg(feature = "docker")]
mod docker;
#[cfg(feature = "kubernetes")]
mod kubernetes;
pub(crate) mod own;

use crate::{
    BackendConfig, Config, Error,
    control::Control,
    job::{Identity, Job, Outcome},
};
use async_trait::async_trait;
use command::Command;
use direct::Direct;
#[cfg(feature = "docker")]
use docker::Docker;
#[cfg(feature = "kubernetes")]
use kubernetes::Kubernetes;
use own::Own;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A way to run agents.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    /// Runs the agent of `job` until it ends or `control` says otherwise. `report` is told as soon as the agent and all
    /// that it started are gone; the call returns when the backend has cleaned up.
    async fn execute(&self, job: &Job, control: &Control, report: oneshot::Sender<Outcome>);

    /// Whether agents go on when the worker goes.
    fn outlives(&self) -> bool {
        false
    }

    /// The executions of an earlier process of this worker that are still here, at work or ended without a witness.
    async fn survivors(&self) -> Vec<Identity> {
        Vec::new()
    }

    /// Those of [`Self::survivors`] that surely no other worker of this name watches; looked for again and again.
    async fn orphans(&self) -> Vec<Identity> {
        Vec::new()
    }

    /// Goes on with one of [`Self::survivors`] or [`Self::orphans`] as [`Self::execute`] would have.
    async fn resume(&self, survivor: Identity, control: &Control, report: oneshot::Sender<Outcome>) {
        let _ = (survivor, control, report);
    }

    /// Ends a run that it has dispatched, now or as an earlier process of this worker.
    async fn recall(&self, run: Identity) {
        let _ = run;
    }
}

/// The backend that the settings name, ready for runs.
///
/// # Errors
/// When it can't be used: the message is for whoever starts the worker.
pub(crate) async fn open(config: &Config) -> Result<Arc<dyn Backend>, Error> {
    Ok(match &config.backend {
        BackendConfig::Direct(direct) => Arc::new(Direct::open(config, direct).await?),
        BackendConfig::Command(command) => Arc::new(Command::open(config, command)),
        BackendConfig::Own(own) => Arc::new(Own::open(config, own)),
        #[cfg(feature = "docker")]
        BackendConfig::Docker(docker) => Arc::new(Docker::open(config, docker).await?),
        #[cfg(feature = "kubernetes")]
        BackendConfig::Kubernetes(kubernetes) => Arc::new(Kubernetes::open(config, kubernetes).await?),
        #[cfg(not(all(feature = "docker", feature = "kubernetes")))]
        other => {
            let expected = "a backend that this program was built with";
            return Err(Error::setting("backend", other.name(), expected));
        }
    })
}
