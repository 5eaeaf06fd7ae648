//! Runs agents as Jobs of a Kubernetes cluster. Jobs outlive the worker: the next one of its name finds them by their
//! labels and goes on.

mod adopt;
mod begin;
mod cluster;
mod diagnosis;
mod follow;
mod logs;
mod merge;
mod names;
mod pace;
mod path;
mod pod;
mod preflight;
mod quantity;
mod remove;
mod rules;
mod settings;
mod sidecar;
mod size;
mod variables;
mod watch;

use super::Backend;
use crate::{
    Config, Error, KubernetesConfig,
    control::Control,
    environment::Environment,
    job::{Identity, Job, Outcome},
};
use async_trait::async_trait;
use begin::NotBegun;
use cluster::Cluster;
use follow::failed;
use names::Names;
use oz_core::worker::FailureReason;
use pace::Pace;
use settings::Settings;
use sidecar::Sidecars;
use size::Size;
use tokio::sync::oneshot;
use url::{Host, Url};
use variables::Variables;
use watch::Watches;

/// The backend.
pub(crate) struct Kubernetes {
    cluster: Cluster,
    settings: Settings,
    host: Environment,
    watches: Watches,
    pace: Pace,
}

impl Kubernetes {
    /// Connects to the cluster and tries it out.
    ///
    /// # Errors
    /// What has to be changed before runs can work there.
    pub(crate) async fn open(config: &Config, kubernetes: &KubernetesConfig) -> Result<Self, Error> {
        Self::at(config, kubernetes, Environment::of_this_process(), Pace::default()).await
    }

    async fn at(
        config: &Config,
        kubernetes: &KubernetesConfig,
        host: Environment,
        pace: Pace,
    ) -> Result<Self, Error> {
        let settings = Settings::of(config, kubernetes)?;
        if is_loopback(config.server_root()) {
            tracing::warn!(
                "pods can't reach the control plane at {}, which is this machine's own address; give the worker one \
                 that they can reach",
                config.server_root()
            );
        }
        let cluster = Cluster::open(settings.config.kubeconfig.as_deref(), &settings.namespace).await?;
        let watches = Watches::begin(&cluster, &settings.worker_id);
        let backend = Self { cluster, settings, host, watches, pace };
        backend.preflight().await?;
        Ok(backend)
    }

    /// Works out everything about a run that needs no cluster.
    fn plan(&self, job: &Job) -> Result<(Sidecars, Size, Variables), Outcome> {
        let wrong = |reason| move |message| failed(reason, message);
        let assignment = &job.assignment;
        let size = Size::of(assignment).map_err(wrong(FailureReason::WorkspaceSetup))?;
        let sidecars = Sidecars::of(assignment, &self.settings).map_err(wrong(FailureReason::SidecarPrep))?;
        let limited = size::is_limited(assignment);
        let variables = Variables::of(job, &self.host, &self.settings, limited)
            .map_err(wrong(FailureReason::WorkspaceSetup))?;
        Ok((sidecars, size, variables))
    }
}

#[async_trait]
impl Backend for Kubernetes {
    async fn execute(&self, job: &Job, control: &Control, report: oneshot::Sender<Outcome>) {
        let names = Names::of(Identity::of(&job.assignment), &self.settings.worker_id);
        let news = self.watches.news(&names.execution_hash);
        let (sidecars, size, variables) = match self.plan(job) {
            Ok(plan) => plan,
            Err(outcome) => {
                let _ = report.send(outcome);
                return;
            }
        };
        let image = job.assignment.docker_image.as_ref().filter(|image| !image.trim().is_empty());
        let run = pod::Run {
            names: &names,
            image: image.unwrap_or(&self.settings.default_image),
            arguments: &job.arguments,
            variables: &variables,
            sidecars: &sidecars,
            size,
        };
        match self.begin(&names, &run, control).await {
            Ok(()) => {
                control.trace.event("backend.started");
                control.trace.stage("oz_worker.run");
                self.follow(&names, &news, Some(&variables.secrets), control, report).await;
            }
            Err(NotBegun::Refused(outcome)) => {
                let _ = report.send(outcome);
            }
            Err(NotBegun::Begun(outcome)) => {
                self.remove(&names, &news, control).await;
                let _ = report.send(outcome);
            }
        }
    }

    fn outlives(&self) -> bool {
        true
    }

    async fn survivors(&self) -> Vec<Identity> {
        self.left_behind().await
    }

    async fn resume(&self, survivor: Identity, control: &Control, report: oneshot::Sender<Outcome>) {
        self.go_on(survivor, control, report).await;
    }
}

fn is_loopback(address: &str) -> bool {
    match Url::parse(address).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
