//! The skills of a run: looked for in its repositories, told to the control plane, and chosen as its configuration says.

use super::prepare;
use crate::skill::{self, Place, Resolved, Skill, Spec};
use futures_util::future::join_all;
use oz_client::Client;
use oz_core::{
    Error,
    api::{FoundSkill, ReportSkills},
    config::{AgentConfig, SourceRepo},
};
use std::{path::Path, time::Duration};
use tokio::{task::spawn_blocking, time::timeout};

/// How long the report may take: the agent waits for it, and nothing of its work depends on it.
const REPORT: Duration = Duration::from_secs(5);

/// A skill that the agent is to follow.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Instructions {
    /// Its name.
    pub(super) name: String,
    /// What to do.
    pub(super) text: String,
}

/// The skills that a configuration names, in order. The first is repeated where the control plane adds it.
pub(super) fn named(config: &AgentConfig) -> Vec<&str> {
    let all = config.skills.iter().map(String::as_str);
    let one = config.skill_spec.as_deref().filter(|spec| config.skills.is_empty() && !spec.is_empty());
    all.chain(one).collect()
}

/// Looks for skills in the repositories that were cloned into `cwd`, or in `cwd` when there are none.
pub(super) async fn find(repos: &[SourceRepo], cwd: &Path) -> Vec<Place> {
    let mut places: Vec<Place> = repos
        .iter()
        .zip(prepare::directories(repos))
        .map(|(repo, name)| Place::new(cwd.join(name), &repo.url))
        .collect();
    let cwd = cwd.to_owned();
    let alone = places.is_empty().then(|| Place::new(cwd.clone(), ""));
    let looking = spawn_blocking(move || {
        places.extend(alone);
        for place in &mut places {
            place.skills = skill::discover(&place.root);
        }
        // A directory without a repository counts only for what it holds.
        places.retain(|place| !place.skills.is_empty() || place.root != cwd);
        places
    });
    looking.await.unwrap_or_else(|error| {
        tracing::error!(%error, "skills could not be looked for");
        Vec::new()
    })
}

/// Tells the control plane what was found; the run does not depend on it.
pub(super) async fn report(client: &Client, places: &[Place]) {
    let calls = places.iter().filter_map(|place| {
        let repo = place.owner_and_repo()?;
        Some(async move {
            let request = ReportSkills { repo, skills: place.skills.iter().map(found).collect() };
            if let Err(error) = client.send_once(&request).await {
                tracing::warn!(%error, repo = request.repo, "the skills of a repository could not be reported");
            }
        })
    });
    if timeout(REPORT, join_all(calls)).await.is_err() {
        tracing::warn!("reporting skills took too long");
    }
}

fn found(skill: &Skill) -> FoundSkill {
    let (description, base_prompt, error) = match &skill.content {
        Ok(content) => (content.description.clone(), content.instructions.clone(), None),
        Err(problem) => (String::new(), String::new(), Some(problem.clone())),
    };
    FoundSkill { name: skill.name().to_owned(), path: skill.path.clone(), description, base_prompt, error }
}

/// What the skills `names` say, and where they were found.
pub(super) async fn choose(
    names: &[&str],
    mut places: Vec<Place>,
) -> Result<(Vec<Instructions>, String), Error> {
    let specs = names.iter().map(|name| Spec::parse(name)).collect::<Result<Vec<Spec>, Error>>()?;
    let choosing = spawn_blocking(move || {
        for path in specs.iter().filter_map(Spec::path) {
            for place in &mut places {
                if !place.skills.iter().any(|skill| skill.path == path) {
                    place.skills.extend(skill::read_at(&place.root, path));
                }
            }
        }
        let mut chosen = Vec::new();
        let mut details = Vec::new();
        for spec in &specs {
            let Resolved { place, skill, content } = skill::resolve(spec, &places)?;
            details.push(format!("{} ({}:{})", content.name, place.label(), skill.path));
            chosen.push(Instructions { name: content.name.clone(), text: content.instructions.clone() });
        }
        Ok((chosen, details.join(", ")))
    });
    choosing.await.unwrap_or_else(|error| Err(Error::internal(format!("skills could not be read: {error}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_skill_counts_once() {
        let config = |spec: Option<&str>, skills: &[&str]| AgentConfig {
            skill_spec: spec.map(str::to_owned),
            skills: skills.iter().map(|s| (*s).to_owned()).collect(),
            ..AgentConfig::default()
        };
        for (config, expected) in [
            (config(None, &[]), &[][..]),
            (config(Some(""), &[]), &[]),
            (config(Some("a"), &[]), &["a"]),
            (config(Some("a"), &["a", "b"]), &["a", "b"]),
            (config(None, &["a", "b"]), &["a", "b"]),
        ] {
            assert_eq!(named(&config), expected);
        }
    }
}
