//! The preparation of a run, stage by stage. Each is reported, and the first that fails ends the run.

use super::{
    admission, attachments,
    end::End,
    environment, prepare,
    session::Session,
    skills::{self, Instructions},
};
use crate::process::Household;
use futures_util::TryFutureExt as _;
use oz_core::{api::ListOwnAttachments, config::AgentConfig, harness::HarnessEvent};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// What an agent starts with.
pub(super) struct Prepared {
    /// The directory to work in.
    pub(super) workspace: PathBuf,
    /// What it is to follow.
    pub(super) skills: Vec<Instructions>,
    /// The files that came with the run, by their paths in the workspace.
    pub(super) files: Vec<String>,
}

impl Session<'_> {
    /// Clones repositories, gets what the run brings along and runs setup commands.
    pub(super) async fn prepare(
        &mut self,
        config: &AgentConfig,
        cwd: &Path,
        env: &mut BTreeMap<String, String>,
        household: &Household,
        patience: Duration,
    ) -> Result<Prepared, End> {
        let mut workspace = cwd.to_owned();
        if !config.source_repos.is_empty() {
            let cloning = prepare::clone(&config.source_repos, cwd, env, household);
            workspace = self.stage("setup_environment_repo_clone", cloning.map_err(End::unprepared)).await?;
        }
        let skills = self.skills(config, cwd).await?;
        let files = self.attachments(&workspace, patience).await?;
        let identity = environment::git_identity(env, &workspace).await;
        env.extend(identity);
        if !config.setup_commands.is_empty() {
            let setup = prepare::set_up(&config.setup_commands, &workspace, env, household);
            self.stage("setup_environment_setup_commands", setup.map_err(End::unprepared)).await?;
        }
        Ok(Prepared { workspace, skills, files })
    }

    /// Looks for skills, tells of them and reads those that the agent is to follow.
    async fn skills(&mut self, config: &AgentConfig, cwd: &Path) -> Result<Vec<Instructions>, End> {
        let names = skills::named(config);
        let client = match &self.record {
            Some((_, client, _)) if self.assigned => client.clone(),
            _ => return Ok(Vec::new()),
        };
        if config.source_repos.is_empty() && names.is_empty() {
            return Ok(Vec::new());
        }
        let looking = async {
            let places = skills::find(&config.source_repos, cwd).await;
            skills::report(&client, &places).await;
            places
        };
        let places = self.stop.run_until_cancelled(looking).await.ok_or(End::Cancelled)?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let choosing = skills::choose(&names, places).map_err(End::Failed);
        self.stage("setup_environment_skill_loading", choosing).await
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
    async fn stage<T>(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<(T, String), End>>,
    ) -> Result<T, End> {
        let started = Instant::now();
        let done = self.stop.run_until_cancelled(work).await.unwrap_or(Err(End::Cancelled));
        let (ok, detail) = match &done {
            Ok((_, detail)) => (true, detail.clone()),
            Err(End::Failed(e)) => (false, e.detail.clone()),
            Err(_) => return done.map(|(value, _)| value),
        };
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.event(HarnessEvent::Stage { name: name.to_owned(), ok, duration_ms, detail: Some(detail) })
            .await;
        done.map(|(value, _)| value)
    }
}
