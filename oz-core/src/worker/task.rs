//! What a worker hands to a backend that a program brings itself, and what it hears of it.

use crate::{ExecutionId, RunId, config::AgentConfig};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// A run that a worker was given.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkTask {
    /// The run.
    pub run_id: RunId,
    /// This execution of it.
    #[serde(default)]
    pub execution_id: Option<ExecutionId>,
    /// Its title.
    pub title: String,
    /// What to do.
    pub prompt: String,
    /// How.
    pub config: AgentConfig,
    /// Address of the control plane.
    pub server_url: String,
    /// The arguments of `oz` for an agent that is to be a process.
    pub arguments: Vec<String>,
    /// The environment of the agent, with the token of the run. Of this machine's own, only what concerns models and what
    /// the operator lists.
    pub env: BTreeMap<String, String>,
    /// The image that the run asks for, if any.
    #[serde(default)]
    pub image: Option<String>,
}

impl fmt::Debug for WorkTask {
    /// Leaves out the environment, which holds keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkTask")
            .field("run_id", &self.run_id)
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

/// How the agent of a [`WorkTask`] ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WorkOutcome {
    /// By itself; how its run ended, it has told the control plane.
    Finished,
    /// Because it was asked to.
    Stopped,
    /// It goes on without this worker, and reports by itself.
    Dispatched,
    /// Badly, or it never began. The run ends with this message unless the agent has ended it.
    Failed {
        /// What happened, for people.
        message: String,
        /// The exit code, where the agent was a process.
        #[serde(default)]
        exit_code: Option<i32>,
    },
}
