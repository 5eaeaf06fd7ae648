//! Requests about what there is to choose from: skills and models.

use super::Validate;
use crate::{Error, Timestamp, open::open_enum};
use serde::{Deserialize, Serialize};

open_enum! {
    /// By what a list of skills is sorted.
    SkillSort {
        /// Name.
        Name = "name",
        /// Time of the latest run, newest first.
        LastRun = "last_run",
    }
}

/// List the skills in the repositories that runs have used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListSkills {
    /// Only those of this repository: `owner/repo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// Look again rather than answer from what is known; there is nothing to look at here, so it changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<bool>,
    /// By what to sort; `name` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<SkillSort>,
    /// Whether skills whose file can't be read are listed too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_malformed_skills: Option<bool>,
}
impl Validate for ListSkills {
    fn validate(&self) -> Result<(), Error> {
        if let Some(repo) = &self.repo {
            let part = |p: &str| !p.is_empty() && !p.contains(char::is_whitespace);
            if !repo.split_once('/').is_some_and(|(a, b)| part(a) && part(b) && !b.contains('/')) {
                return Err(Error::invalid_field("repo", repo, "owner/repo"));
            }
        }
        self.sort_by.as_ref().map_or(Ok(()), |s| s.require_known("sort_by").map(|_| ()))
    }
}

/// Skills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SkillList {
    /// One per name.
    pub agents: Vec<SkillItem>,
}

/// A skill, wherever it is found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SkillItem {
    /// Its name.
    pub name: String,
    /// Where it is found.
    pub variants: Vec<SkillVariant>,
}

/// A skill in one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SkillVariant {
    /// `owner/repo:path`.
    pub id: String,
    /// What it is for.
    pub description: String,
    /// Its instructions.
    pub base_prompt: String,
    /// Where it is.
    pub source: SkillSource,
    /// The environments that have its repository.
    pub environments: Vec<SkillEnvironment>,
    /// When a run last used it.
    pub last_run_timestamp: Option<Timestamp>,
    /// Why its file can't be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Where a skill is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SkillSource {
    /// Owner of the repository.
    pub owner: String,
    /// Name of the repository.
    pub name: String,
    /// Path of the skill's file.
    pub skill_path: String,
    /// The worker that found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_host: Option<String>,
}

/// An environment that has a skill's repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SkillEnvironment {
    /// Its id.
    pub uid: String,
    /// Its name.
    pub name: String,
}

/// (+) Tell which skills this run found in its repositories.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportSkills {
    /// The repository: `owner/repo`.
    pub repo: String,
    /// All skills in it, at most 500; others that were known are forgotten.
    pub skills: Vec<FoundSkill>,
}
impl Validate for ReportSkills {
    fn validate(&self) -> Result<(), Error> {
        if self.skills.len() > 500 {
            return Err(Error::invalid_field("skills", &self.skills.len().to_string(), "at most 500"));
        }
        if self.repo.is_empty() || self.repo.len() > 256 {
            return Err(Error::invalid_field("repo", &self.repo, "owner/repo"));
        }
        Ok(())
    }
}

/// A skill as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FoundSkill {
    /// Its name.
    pub name: String,
    /// Path of its file in the repository.
    pub path: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its instructions.
    #[serde(default)]
    pub base_prompt: String,
    /// Why its file can't be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// List models.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListModels {}
impl Validate for ListModels {}

/// Models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelList {
    /// The model of runs that name none.
    pub default_model_id: String,
    /// The known models; others are passed through to the provider.
    pub models: Vec<ModelInfo>,
}

open_enum! {
    /// Who offers a model.
    ModelProvider {
        /// OpenAI.
        OpenAi = "OPENAI",
        /// Anthropic.
        Anthropic = "ANTHROPIC",
        /// Google.
        Google = "GOOGLE",
        /// Somebody else.
        Other = "UNKNOWN",
    }
}

open_enum! {
    /// Why a model can't be used.
    DisableReason {
        /// Its provider is down.
        ProviderOutage = "PROVIDER_OUTAGE",
        /// All requests are used up.
        OutOfRequests = "OUT_OF_REQUESTS",
        /// An admin switched it off.
        AdminDisabled = "ADMIN_DISABLED",
        /// It needs another plan.
        RequiresUpgrade = "REQUIRES_UPGRADE",
    }
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelInfo {
    /// Its id.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// Who offers it.
    pub provider: ModelProvider,
    /// Whether it sees pictures.
    pub vision_supported: bool,
    /// What it is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How hard it thinks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_level: Option<String>,
    /// Why it can't be used now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_reason: Option<DisableReason>,
}

/// List images that environments may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListImages {}
impl Validate for ListImages {}

/// Images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImageList {
    /// Those that the team's environments use, then well-known ones.
    pub images: Vec<Image>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Image {
    /// Its whole name, such as `node:22`.
    pub image: String,
    /// The name without its tag.
    pub repository: String,
    /// The tag.
    pub tag: String,
}

impl Image {
    /// The image that a whole name means; without a tag it is `latest`.
    #[must_use]
    pub fn named(image: &str) -> Self {
        let slash = image.rfind('/').map_or(0, |at| at + 1);
        let (repository, tag) = match image[slash..].split_once([':', '@']) {
            Some((name, tag)) => (format!("{}{name}", &image[..slash]), tag.to_owned()),
            None => (image.to_owned(), "latest".to_owned()),
        };
        Self { image: image.to_owned(), repository, tag }
    }
}
