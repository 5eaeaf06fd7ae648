//! The preparation of a run, stage by stage. Each is reported, and the first that fails ends the run.

use super::{
    admission, attachments,
    end::End,
    environment,
    git::Logins,
    prepare::{self, Cloning, Shell},
    session::Session,
    skills::{self, Chosen},
};
use crate::{command::Live, process::Household, skill::Place};
use futures_util::{StreamExt as _, TryFutureExt as _, stream};
use oz_core::{
    api::ListOwnAttachments,
    config::{AgentConfig, SourceRepo},
    egress::Network,
    harness::{HarnessEvent, Skill},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval};

const CLONE: &str = "setup_environment_repo_clone";
const BORROW: &str = "setup_skill_repo_clone";
const SETUP: &str = "setup_environment_setup_commands";
/// How many repositories are cloned at once.
const AT_ONCE: usize = 8;
/// How long a setup command may take, in seconds, unless the configuration says otherwise.
const SETUP_SECONDS: i64 = 3600;

/// What a preparation begins with.
pub(super) struct Ground<'a> {
    pub(super) config: &'a AgentConfig,
    pub(super) prompt: &'a str,
    /// Where repositories go.
    pub(super) cwd: &'a Path,
    /// The home of the person whose machine this is; none for runs of a worker.
    pub(super) home: Option<&'a Path>,
    /// Directories with skills for every run of this machine.
    pub(super) shelves: &'a [PathBuf],
    /// A directory for what only this run may see.
    pub(super) private: &'a Path,
    pub(super) household: &'a Household,
    pub(super) network: &'a Network,
    pub(super) logins: &'a Logins,
    /// The directory of git's mirrors, if there is one.
    pub(super) cache: Option<PathBuf>,
    pub(super) patience: Duration,
}

/// What an agent starts with.
pub(super) struct Prepared {
    /// The directory to work in.
    pub(super) workspace: PathBuf,
    /// What it is to follow, and what else it was asked.
    pub(super) chosen: Chosen,
    /// What it may use.
    pub(super) skills: Vec<Skill>,
    /// The files that came with the run, by their paths in the workspace.
    pub(super) files: Vec<String>,
}

impl Session<'_> {
    /// Clones repositories, gets what the run brings along and runs setup commands.
    pub(super) async fn prepare(
        &mut self,
        ground: &Ground<'_>,
        env: &mut BTreeMap<String, String>,
    ) -> Result<Prepared, End> {
        let workspace = self.clone_all(ground, env).await?;
        let (chosen, skills) = self.skills(ground, env).await?;
        let files = self.attachments(&workspace, ground.patience).await?;
        let identity = environment::git_identity(env, &workspace).await;
        env.extend(identity);
        self.set_up(ground, &workspace, env).await?;
        Ok(Prepared { workspace, chosen, skills, files })
    }

    /// Clones repositories side by side. Answers with the directory to work in.
    async fn clone_all(
        &mut self,
        ground: &Ground<'_>,
        env: &BTreeMap<String, String>,
    ) -> Result<PathBuf, End> {
        let repos = &ground.config.source_repos;
        let names = prepare::directories(repos);
        let redactor = self.redactor.clone();
        let shell = Shell { env, household: ground.household, redactor: &redactor, network: ground.network };
        let cloning =
            Cloning { cwd: ground.cwd, shell, logins: ground.logins, cache: ground.cache.as_deref() };
        let one = |(repo, name): (&SourceRepo, &String)| {
            let (repo, name) = (repo.clone(), name.clone());
            async move {
                let started = Instant::now();
                (started, cloning.clone(&repo, &name).await)
            }
        };
        let stop = self.stop.clone();
        let mut all = pin!(stream::iter(repos.iter().zip(&names)).map(one).buffer_unordered(AT_ONCE));
        // The first failure ends the others, too.
        while let Some((started, done)) = stop.run_until_cancelled(all.next()).await.ok_or(End::Cancelled)? {
            self.ended(CLONE, started, done.map(|detail| ((), detail)).map_err(End::unprepared)).await?;
        }
        Ok(prepare::workspace(ground.cwd, &names))
    }

    /// Runs setup commands one after the other, and shows what they print.
    async fn set_up(
        &mut self,
        ground: &Ground<'_>,
        workspace: &Path,
        env: &BTreeMap<String, String>,
    ) -> Result<(), End> {
        let seconds = ground.config.setup_timeout_seconds.unwrap_or(SETUP_SECONDS);
        let limit = Duration::from_secs(u64::try_from(seconds).unwrap_or(1));
        let (stop, redactor) = (self.stop.clone(), self.redactor.clone());
        let shell = Shell { env, household: ground.household, redactor: &redactor, network: ground.network };
        for (command, number) in ground.config.setup_commands.iter().zip(1..) {
            let started = Instant::now();
            let live = Live::default();
            let mut running = pin!(prepare::set_up(number, command, workspace, shell, limit, &live));
            let mut tick = interval(prepare::GATHER);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let done = loop {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => break Err(End::Cancelled),
                    done = &mut running => break done.map_err(End::unprepared),
                    _ = tick.tick() => self.output(live.lines()).await,
                }
            };
            self.output(live.rest()).await;
            self.ended(SETUP, started, done.map(|()| ((), command.clone()))).await?;
        }
        Ok(())
    }

    async fn output(&mut self, text: Option<String>) {
        if let Some(text) = text {
            self.event(HarnessEvent::Output { stage: SETUP.to_owned(), text }).await;
        }
    }

    /// Looks for skills, tells of them and reads those that the agent is to follow. Answers with all that it may use, too.
    async fn skills(
        &mut self,
        ground: &Ground<'_>,
        env: &BTreeMap<String, String>,
    ) -> Result<(Chosen, Vec<Skill>), End> {
        let Ground { config, prompt, cwd, home, shelves, .. } = *ground;
        let names = skills::named(config);
        let client = self.record.as_ref().filter(|_| self.assigned).map(|(_, client, _)| client.clone());
        let looking = async {
            let places = skills::find(&config.source_repos, cwd, home, shelves).await;
            if let Some(client) = client {
                skills::report(&client, &places).await;
            }
            places
        };
        let mut places = self.stop.run_until_cancelled(looking).await.ok_or(End::Cancelled)?;
        // What a worker's run may use is what its configuration has cloned.
        if home.is_some() {
            places.extend(self.borrow(&names, &places, ground, env).await?);
        }
        let in_scope = skills::in_scope(&places);
        let called = skills::calls(prompt, &places);
        let choosing = skills::choose(&names, prompt, places).map_err(End::Failed);
        if names.is_empty() && !called {
            let chosen = self.stop.run_until_cancelled(choosing).await.unwrap_or(Err(End::Cancelled))?;
            return Ok((chosen, in_scope));
        }
        let choosing = choosing.map_ok(|chosen| {
            let detail = chosen.detail.clone();
            (chosen, detail)
        });
        Ok((self.stage("setup_environment_skill_loading", choosing).await?, in_scope))
    }

    /// Clones the repositories that a person's skills are in and that are not on the machine, for this run only.
    async fn borrow(
        &mut self,
        names: &[&str],
        places: &[Place],
        ground: &Ground<'_>,
        env: &BTreeMap<String, String>,
    ) -> Result<Vec<Place>, End> {
        let mut borrowed = Vec::new();
        let redactor = self.redactor.clone();
        for (owner, name) in skills::absent(names, places).map_err(End::Failed)? {
            let url = format!("https://github.com/{owner}/{name}.git");
            let directory = ground.private.join("skills").join(&owner);
            let cloning = async {
                let Ground { household, network, .. } = *ground;
                let shell = Shell { env, household, redactor: &redactor, network };
                let cache = ground.cache.as_deref();
                let cloning = Cloning { cwd: &directory, shell, logins: ground.logins, cache };
                let repo = SourceRepo { url: url.clone(), checkout_ref: None };
                let failed = |problem| {
                    End::unprepared(format!("Failed to clone repository '{owner}/{name}': {problem}"))
                };
                tokio::fs::create_dir_all(&directory).await.map_err(|e| failed(e.to_string()))?;
                let detail = cloning.clone(&repo, &name).await.map_err(failed)?;
                Ok(((), detail))
            };
            self.stage(BORROW, cloning).await?;
            borrowed.push(skills::borrowed(directory.join(&name), &url));
        }
        Ok(borrowed)
    }

    /// Fetches the files that came with the run.
    async fn attachments(&mut self, workspace: &Path, patience: Duration) -> Result<Vec<String>, End> {
        let client = match &self.record {
            Some((_, client, _)) if self.assigned => client.clone(),
            _ => return Ok(Vec::new()),
        };
        let listing = admission::patiently(&client, &ListOwnAttachments {}, patience);
        let list = self.stop.run_until_cancelled(listing).await.unwrap_or(Err(End::Cancelled))?;
        if list.attachments.is_empty() {
            return Ok(Vec::new());
        }
        let fetching = attachments::fetch(&client, &list.attachments, workspace, patience);
        self.stage("attachments", fetching.map_err(End::unprepared)).await
    }

    /// Does one step of the preparation and reports how it went.
    pub(super) async fn stage<T>(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<(T, String), End>>,
    ) -> Result<T, End> {
        let started = Instant::now();
        let done = self.stop.run_until_cancelled(work).await.unwrap_or(Err(End::Cancelled));
        self.ended(name, started, done).await
    }

    /// Reports how a step went that began at `started`.
    async fn ended<T>(
        &mut self,
        name: &str,
        started: Instant,
        done: Result<(T, String), End>,
    ) -> Result<T, End> {
        let (ok, detail) = match &done {
            Ok((_, detail)) => (true, detail.clone()),
            Err(End::Failed(e)) => (false, e.detail.clone()),
            Err(_) => return done.map(|(value, _)| value),
        };
        self.tell_stage(name, ok, started.elapsed(), detail).await;
        done.map(|(value, _)| value)
    }

    /// Reports a step.
    pub(super) async fn tell_stage(&mut self, name: &str, ok: bool, took: Duration, detail: String) {
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.event(HarnessEvent::Stage { name: name.to_owned(), ok, duration_ms, detail: Some(detail) })
            .await;
    }
}
