//! The rules for the agent of a run: `WARP.md`, `AGENTS.md` or `CLAUDE.md` of its repositories, of the directory to work
//! in and, on a person's own machine, of that person.

use super::{prepare, session::Session};
use crate::{
    repository,
    rule::{self, Found},
};
use oz_core::{config::SourceRepo, harness::Rule};
use std::path::{Path, PathBuf};
use tokio::{task::spawn_blocking, time::Instant};

/// The step under which the transcript says which rules apply.
const STAGE: &str = "project_rules";

impl Session<'_> {
    /// Finds the rules for who works in `workspace`, the weakest first, and tells of them.
    pub(super) async fn rules(
        &mut self,
        repos: &[SourceRepo],
        cwd: &Path,
        workspace: &Path,
        home: Option<&Path>,
    ) -> Vec<Rule> {
        let started = Instant::now();
        let cloned: Vec<PathBuf> =
            prepare::directories(repos).into_iter().map(|name| cwd.join(name)).collect();
        let (workspace, home) = (workspace.to_owned(), home.map(Path::to_owned));
        let looking = spawn_blocking(move || {
            // What lies around the directory of a worker's run belongs to somebody else.
            let around = || home.as_ref().and_then(|_| repository::root_of(&workspace));
            let roots = if cloned.is_empty() { around().into_iter().collect() } else { cloned };
            rule::find(home.as_deref(), &roots, &workspace)
        });
        let Found { rules, problems } = looking.await.unwrap_or_default();
        for problem in problems {
            self.tell_stage(STAGE, false, started.elapsed(), problem).await;
        }
        if !rules.is_empty() {
            let paths: Vec<String> = rules.iter().map(|rule| shown(&rule.path, cwd)).collect();
            self.tell_stage(STAGE, true, started.elapsed(), paths.join(", ")).await;
        }
        rules
    }
}

fn shown(path: &Path, cwd: &Path) -> String {
    path.strip_prefix(cwd).unwrap_or(path).display().to_string()
}
