//! Skills, as runs found them in their repositories.

use super::{
    Result, Store,
    accounts::{Member, Workload},
    args, objects, timestamp,
};
use oz_core::{
    api::{FoundSkill, ListSkills, SkillEnvironment, SkillItem, SkillSort, SkillSource, SkillVariant},
    environment::EnvironmentConfig,
};
use std::collections::BTreeMap;

impl Store {
    /// Records the skills that a run found in a repository, in place of those that were known there.
    pub(crate) async fn report_skills(
        &self,
        who: Workload,
        repo: String,
        skills: Vec<FoundSkill>,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                let (team_id, host) =
                    db.one("SELECT team_id, host FROM runs WHERE run_no = ?1", args![who.run_no], |row| {
                        Ok((row.get::<String>(0)?, row.get::<String>(1)?))
                    })?;
                db.execute("DELETE FROM skills WHERE team_id = ?1 AND repo = ?2", args![&team_id, &repo])?;
                for skill in &skills {
                    db.execute(
                        "INSERT INTO skills (team_id, repo, path, name, description, base_prompt, error, worker_host)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (team_id, repo, path) DO NOTHING",
                        args![
                            &team_id,
                            &repo,
                            &skill.path,
                            &skill.name,
                            &skill.description,
                            &skill.base_prompt,
                            skill.error.as_deref(),
                            Some(host.as_str()).filter(|h| !h.is_empty())
                        ],
                    )?;
                }
                Ok(())
            })
            .await
    }

    /// The skills that a member may use.
    pub(crate) async fn skills(&self, who: Member, query: ListSkills) -> Result<Vec<SkillItem>> {
        let environments: Vec<objects::Object<EnvironmentConfig>> =
            self.objects(objects::Kind::Environment, who.clone()).await?;
        self.engine
            .read_long(move |db| {
                let variants = db.rows(
                    "SELECT s.repo, s.path, s.name, s.description, s.base_prompt, s.error, s.worker_host,
                       (SELECT MAX(r.created_at) FROM runs r WHERE r.team_id = s.team_id
                         AND r.skill_spec IN (s.repo || ':' || s.path, s.repo || ':' || s.name))
                     FROM skills s WHERE s.team_id = ?1 ORDER BY s.name, s.repo, s.path",
                    args![&who.team_id.0],
                    |row| {
                        let repo: String = row.get(0)?;
                        let path: String = row.get(1)?;
                        let (owner, name) = repo.split_once('/').unwrap_or(("", &repo));
                        let variant = SkillVariant {
                            id: format!("{repo}:{path}"),
                            description: row.get(3)?,
                            base_prompt: row.get(4)?,
                            source: SkillSource {
                                owner: owner.to_owned(),
                                name: name.to_owned(),
                                skill_path: path,
                                worker_host: row.get(6)?,
                            },
                            environments: Vec::new(),
                            last_run_timestamp: row.get::<Option<i64>>(7)?.map(timestamp).transpose()?,
                            error: row.get(5)?,
                        };
                        Ok((repo, row.get::<String>(2)?, variant))
                    },
                )?;
                let mut items: BTreeMap<String, Vec<SkillVariant>> = BTreeMap::new();
                for (repo, name, mut variant) in variants {
                    let malformed = variant.error.is_some() && query.include_malformed_skills != Some(true);
                    if malformed || query.repo.as_ref().is_some_and(|r| *r != repo) {
                        continue;
                    }
                    let has = |config: &EnvironmentConfig| {
                        config.repos().iter().any(|r| repo_name(&r.url).is_some_and(|name| name == repo))
                    };
                    variant.environments = environments
                        .iter()
                        .filter(|e| has(&e.body))
                        .map(|e| SkillEnvironment { uid: e.uid.clone(), name: e.name.clone() })
                        .collect();
                    items.entry(name).or_default().push(variant);
                }
                let mut items: Vec<SkillItem> =
                    items.into_iter().map(|(name, variants)| SkillItem { name, variants }).collect();
                if query.sort_by == Some(SkillSort::LastRun) {
                    let last =
                        |item: &SkillItem| item.variants.iter().filter_map(|v| v.last_run_timestamp).max();
                    items.sort_by_key(|item| std::cmp::Reverse(last(item)));
                }
                Ok(items)
            })
            .await
    }
}

/// `owner/repo` of a repository's address.
fn repo_name(url: &str) -> Option<String> {
    let path = url.trim_end_matches('/').trim_end_matches(".git");
    let mut parts = path.rsplit(['/', ':']);
    let repo = parts.next()?;
    let owner = parts.next()?;
    Some(format!("{owner}/{repo}"))
}
