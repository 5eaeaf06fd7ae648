//! Runs in containers of a real engine, by a real worker that brings the agent.

mod ends;
mod registry;
mod sidecars;
mod survival;
mod work;

use oz_core::{Run, RunId, RunState, api::ReadLog, config::AgentConfig};
use oz_tests::{
    World,
    docker::{Docker, engine},
    world::Options,
};
use std::time::Duration;

/// Starting containers on a busy machine takes its time.
const LONG: Duration = Duration::from_secs(120);

/// A world whose runs work in containers.
struct Yard {
    world: World,
    docker: &'static Docker,
    worker_id: String,
    worker: usize,
}

impl Yard {
    /// With this script for the model and further arguments of the worker.
    fn new(worker_id: &str, script: &str, args: &[&str]) -> Self {
        Self::with(engine(), worker_id, script, args, &[])
    }

    /// The same on this engine, with further environment of the worker.
    fn with(
        docker: &'static Docker,
        worker_id: &str,
        script: &str,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        let host = docker.host();
        let env = [("DOCKER_HOST", host.as_str())].into_iter().chain(env.iter().copied());
        let options = Options {
            script: Some(script.to_owned()),
            embedded_worker: false,
            env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            ..Options::default()
        };
        let mut world = World::start(options);
        let worker = world.start_docker_worker(worker_id, args);
        Self { world, docker, worker_id: worker_id.to_owned(), worker }
    }

    fn config(&self, image: &str) -> AgentConfig {
        AgentConfig {
            worker_host: Some(self.worker_id.clone()),
            docker_image: Some(image.to_owned()),
            ..AgentConfig::default()
        }
    }

    /// Does a run. Answers with it and all that its transcript says.
    async fn run(&self, prompt: &str, config: AgentConfig) -> (Run, String) {
        let run_id = self.world.dispatch(prompt, config).await;
        self.over(run_id).await
    }

    async fn over(&self, run_id: RunId) -> (Run, String) {
        let run = self.until(run_id, |run| run.state.is_over()).await;
        let log = self.world.client().send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap().items;
        (run, serde_json::to_string(&log).unwrap())
    }

    async fn until(&self, run_id: RunId, wanted: impl Fn(&Run) -> bool) -> Run {
        let told = std::panic::AssertUnwindSafe(self.world.until_within(run_id, wanted, LONG));
        match futures_util::FutureExt::catch_unwind(told).await {
            Ok(run) => run,
            Err(_) => panic!("the worker says:\n{}", self.world.read_log(&self.worker_id)),
        }
    }

    async fn succeeds(&self, prompt: &str, config: AgentConfig) -> String {
        let (run, said) = self.run(prompt, config).await;
        let log = || self.world.read_log(&self.worker_id);
        assert_eq!(run.state, RunState::Succeeded, "{:?}\n{said}\n{}", run.status_message, log());
        said
    }

    /// Waits until a command of the agent has made this file in its workspace.
    async fn until_made(&self, run_id: RunId, file: &str) {
        self.until(run_id, |run| run.state == RunState::InProgress).await;
        let container = self.container(run_id);
        let path = format!("{container}:/workspace/{file}");
        let deadline = std::time::Instant::now() + LONG;
        while !self.docker.try_run(&["cp", &path, "-"]) {
            assert!(std::time::Instant::now() < deadline, "{file} does not appear");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The name of the container of a run.
    fn container(&self, run_id: RunId) -> String {
        let names = self.docker.containers(&self.worker_id);
        let found = names.iter().find(|name| name.contains(&run_id.to_string()));
        found.unwrap_or_else(|| panic!("no container of {run_id} in {names:?}")).clone()
    }

    /// All containers must be gone.
    fn tidy(&self) {
        self.docker.no_containers(&self.worker_id, Duration::from_secs(10));
    }
}

/// A script in which the prompt `work` means these commands.
fn script(commands: &[&str]) -> String {
    let call = |command: &&str| serde_json::json!({ "tool_calls": [{ "name": "run_command", "input": { "command": command } }] });
    let mut turns: Vec<serde_json::Value> = commands.iter().map(call).collect();
    turns.push(serde_json::json!({ "text": "done" }));
    serde_json::json!({ "scripts": [{ "match": "work", "turns": turns }] }).to_string()
}
