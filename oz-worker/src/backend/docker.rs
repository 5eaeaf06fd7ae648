//! Runs agents in containers of a Docker engine. Images need nothing inside: the worker brings the agent, which is a static
//! program. Containers outlive the worker, and the next one finds them by their labels.

mod address;
mod archive;
mod bind;
mod engine;
mod facts;
mod files;
mod helper;
mod image;
mod left;
mod login;
mod network;
mod presence;
mod program;
mod sidecar;
mod spec;
mod volume;
mod watch;

use super::Backend;
use crate::{
    Config, DockerConfig, Error,
    control::Control,
    environment::{self, Environment, Place},
    job::{Identity, Job, Outcome},
};
use async_trait::async_trait;
use bollard::query_parameters::{CreateContainerOptionsBuilder, RenameContainerOptionsBuilder};
use engine::{Engine, failed, status, words};
use facts::Facts;
use image::Image;
use oz_core::{env, worker::FailureReason};
use presence::Presence;
use program::Program;
use sidecar::Mounts;
use spec::{Limits, Spec, WORKSPACE};
use std::collections::{BTreeMap, HashMap};
use tokio::sync::{Mutex, oneshot};
use volume::Volumes;

/// The counters of a container's memory, as the container sees them.
const MEMORY_EVENTS: &str = "/sys/fs/cgroup/memory.events";

/// The backend.
pub(crate) struct Docker {
    engine: Engine,
    settings: DockerConfig,
    worker_id: String,
    server: String,
    environment: BTreeMap<String, String>,
    host: Environment,
    cleanup: bool,
    program: Program,
    presence: Presence,
    volumes: Volumes,
    /// What is known of images, by their ids.
    facts: Mutex<HashMap<String, Facts>>,
}

/// What a container is made from, when all of it is on the engine.
struct Ready {
    image: Image,
    facts: Facts,
    mounts: Mounts,
}

type Prepared<T> = Result<T, Outcome>;

impl Docker {
    /// Connects to the engine and checks that agents can run there.
    pub(crate) async fn open(config: &Config, settings: &DockerConfig) -> Result<Self, Error> {
        if settings.warm_tasks > 0 {
            let value = settings.warm_tasks.to_string();
            return Err(Error::setting("warm_tasks", &value, "0: containers are made when a run needs one"));
        }
        let engine = Engine::connect().await?;
        bind::check(&settings.volumes, engine.socket.as_deref())?;
        let (path, architecture) = (config.oz_path.clone(), engine.architecture.clone());
        let opening = tokio::task::spawn_blocking(move || Program::open(&path, &architecture));
        let program = opening.await.map_err(|e| failed(e.to_string()))?.map_err(failed)?;
        Ok(Self {
            engine,
            settings: settings.clone(),
            worker_id: config.worker_id.clone(),
            server: config.server_root().to_owned(),
            environment: config.environment.clone(),
            host: Environment::of_this_process(),
            cleanup: config.cleanup,
            program,
            presence: Presence::new(),
            volumes: Volumes::default(),
            facts: Mutex::default(),
        })
    }

    /// Brings everything to the engine that the container needs.
    async fn prepare(&self, job: &Job) -> Prepared<Ready> {
        let chosen = job.assignment.docker_image.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let name = chosen.or(self.settings.default_image.as_deref()).unwrap_or(image::USUAL);
        let image = image::fetch(&self.engine, name).await?;
        let facts = self.look(&image).await.map_err(|error| {
            let message = format!("image '{name}' can't be looked into: {}", words(&error));
            refused(FailureReason::ContainerCreate, message)
        })?;
        let mounts = sidecar::mounts(self, job, &image)
            .await
            .map_err(|message| refused(FailureReason::SidecarPrep, message))?;
        Ok(Ready { image, facts, mounts })
    }

    async fn look(&self, image: &Image) -> Result<Facts, bollard::errors::Error> {
        let mut known = self.facts.lock().await;
        if let Some(facts) = known.get(&image.id) {
            return Ok(facts.clone());
        }
        let found = facts::look(&self.engine, &self.presence, image).await?;
        known.insert(image.id.clone(), found.clone());
        Ok(found)
    }

    /// Makes the container and starts it. Answers with its id.
    async fn start(&self, job: &Job, ready: Ready) -> Prepared<String> {
        let create = |message| refused(FailureReason::ContainerCreate, message);
        let Ready { image, facts, mounts } = ready;
        let limits = self.limits(job);
        let mut variables = self.variables(job, &facts, limits);
        let network = self.network(&variables);
        let mut files = files::named(&mut variables, facts.owner).map_err(|e| create(e.to_string()))?;
        if !facts.trusting {
            files.extend(files::authorities());
        }
        let identity = Identity::of(&job.assignment);
        let mut labels = spec::labels(&self.worker_id, identity);
        labels.extend(self.presence.labels());
        let spec = Spec {
            image: &image.id,
            entrypoint: mounts.entrypoint,
            environment: &variables,
            volumes: mounts.copies.iter().map(|(_, path)| path.clone()).collect(),
            binds: mounts.binds.into_iter().chain(self.settings.volumes.iter().cloned()).collect(),
            limits,
            network,
            labels,
        };
        let name = spec::name(identity);
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let made = self.engine.client.create_container(Some(options), spec.body(job)).await;
        let made = made.map_err(|error| {
            create(format!("the container '{name}' could not be made: {}", words(&error)))
        })?;
        for warning in made.warnings {
            tracing::warn!("the engine says: {warning}");
        }
        let directories = self.directories(&facts);
        let furnished = self.furnish(&made.id, directories, files, mounts.copies).await;
        let result = match furnished {
            Ok(()) => self.engine.client.start_container(&made.id, None).await.map_err(|error| {
                let message = format!("the container could not be started: {}", words(&error));
                refused(FailureReason::ContainerStart, message)
            }),
            Err(outcome) => Err(outcome),
        };
        if let Err(outcome) = result {
            helper::remove(&self.engine, &made.id).await;
            return Err(outcome);
        }
        tracing::info!(container = %name, "started");
        Ok(made.id)
    }

    /// Puts into a container what must be there before it starts.
    async fn furnish(
        &self,
        id: &str,
        directories: Vec<(String, archive::Owner)>,
        files: Vec<files::File>,
        copies: Vec<(Image, String)>,
    ) -> Prepared<()> {
        for (image, path) in &copies {
            let copied = volume::copy(&self.engine, &self.presence, image, id, path).await;
            copied.map_err(|error| {
                let message = format!("a sidecar can't be copied to '{path}': {}", words(&error));
                refused(FailureReason::SidecarPrep, message)
            })?;
        }
        if directories.is_empty() && files.is_empty() {
            return Ok(());
        }
        let write = move |archive: &mut archive::Writer| files::write(archive, &directories, &files);
        archive::put(&self.engine.client, id, "/", write).await.map_err(|error| {
            let message = format!("files could not be put into the container: {}", words(&error));
            refused(FailureReason::ContainerCreate, message)
        })
    }

    fn limits(&self, job: &Job) -> Limits {
        let snapshot = job.assignment.task.agent_config_snapshot.as_ref();
        Limits::of(job.assignment.instance_shape, snapshot.and_then(|config| config.sandbox.as_ref()))
    }

    /// The agent's environment.
    fn variables(&self, job: &Job, facts: &Facts, limits: Limits) -> BTreeMap<String, String> {
        let place = Place {
            backend: "docker",
            workspace: WORKSPACE.into(),
            environment_file: None,
            git_config: None,
        };
        let common = environment::common(job, &self.environment, &place);
        let all = environment::of_container(&self.host, job, &common);
        let text = |(name, value): (&std::ffi::OsString, &std::ffi::OsString)| {
            Some((name.to_str()?.to_owned(), value.to_str()?.to_owned()))
        };
        let mut all: BTreeMap<String, String> = all.iter().filter_map(text).collect();
        // It names a directory of this machine.
        all.remove(env::GIT_CACHE_DIR);
        if let Some(home) = &facts.home {
            all.entry("HOME".to_owned()).or_insert_with(|| home.clone());
        }
        if limits.any() {
            all.insert(env::SANDBOX_LIMITED.to_owned(), "1".to_owned());
            if self.engine.cgroup_v2 {
                all.insert(env::MEMORY_EVENTS.to_owned(), MEMORY_EVENTS.to_owned());
            }
        }
        all
    }

    fn network(&self, variables: &BTreeMap<String, String>) -> Option<String> {
        if let Some(network) = &self.settings.network {
            return Some(network.clone());
        }
        let models = variables.get(env::MODELS_FILE).and_then(|path| std::fs::read_to_string(path).ok());
        let why = network::needs_host(&self.server, variables, models.as_deref())?;
        tracing::info!("the container gets the network of the engine's machine: {why}");
        Some(network::HOST.to_owned())
    }

    /// What must be there and the user's own.
    fn directories(&self, facts: &Facts) -> Vec<(String, archive::Owner)> {
        let mut directories = Vec::new();
        if facts.owner != archive::Owner::default() && !bind::bring_workspace(&self.settings.volumes) {
            directories.push((WORKSPACE.to_owned(), facts.owner));
        }
        directories.extend(facts.home.clone().filter(|_| facts.homeless).map(|home| (home, facts.owner)));
        directories
    }

    /// Watches a container to its end, tells it, and removes what is left.
    async fn see_through(&self, name: &str, control: &Control, report: oneshot::Sender<Outcome>) {
        let outcome = watch::watch(&self.engine, name, control).await;
        let left = outcome == Outcome::Left;
        let _ = report.send(outcome);
        if left {
            return;
        }
        if self.cleanup {
            return helper::remove(&self.engine, name).await;
        }
        // Its name tells the next worker that nobody waits for its end.
        let kept = format!("{name}{}", spec::ENDED);
        let options = RenameContainerOptionsBuilder::new().name(&kept).build();
        match self.engine.client.rename_container(name, options).await {
            Ok(()) => tracing::info!(container = %kept, "kept"),
            Err(error) if status(&error) == Some(404) => {}
            Err(error) => tracing::warn!(container = %name, "could not be renamed: {}", words(&error)),
        }
    }
}

#[async_trait]
impl Backend for Docker {
    async fn execute(&self, job: &Job, control: &Control, report: oneshot::Sender<Outcome>) {
        let ready = tokio::select! {
            biased;
            () = control.stop.cancelled() => Err(Outcome::Cancelled),
            () = control.leave.cancelled() => Err(not_begun()),
            ready = self.prepare(job) => ready,
        };
        let started = match ready {
            // Short, and never half done.
            Ok(ready) => self.start(job, ready).await,
            Err(outcome) => Err(outcome),
        };
        match started {
            Ok(_) => {
                control.trace.event("backend.started");
                control.trace.stage("oz_worker.run");
                self.see_through(&spec::name(Identity::of(&job.assignment)), control, report).await;
            }
            Err(outcome) => drop(report.send(outcome)),
        }
    }

    fn outlives(&self) -> bool {
        true
    }

    async fn survivors(&self) -> Vec<Identity> {
        left::find(&self.engine, &self.presence, &self.worker_id, false).await
    }

    async fn orphans(&self) -> Vec<Identity> {
        left::find(&self.engine, &self.presence, &self.worker_id, true).await
    }

    async fn resume(&self, survivor: Identity, control: &Control, report: oneshot::Sender<Outcome>) {
        self.see_through(&spec::name(survivor), control, report).await;
    }
}

fn refused(reason: FailureReason, message: String) -> Outcome {
    Outcome::Failed { reason, message, exit_code: None }
}

fn not_begun() -> Outcome {
    let message = "the worker shut down before the container was started; the run can be tried again";
    refused(FailureReason::GracefulShutdown, message.to_owned())
}
