//! The run driver: takes one run from its record to its end. It prepares the workspace, drives a harness, hands every
//! event to its observer and to the control plane, and reports how it ended. It never works on after the control plane
//! has given the run to somebody else.

mod admission;
mod ask;
mod attachments;
mod auth;
mod brief;
mod children;
mod cloud;
mod curtain;
mod doors;
mod drive;
mod egress;
mod end;
mod environment;
mod finish;
mod git;
mod keys;
mod mcp;
mod memory;
mod prepare;
mod private;
mod recorder;
mod resume;
mod rules;
mod sandbox;
mod session;
mod skills;
mod socket;
mod stages;
mod steer;
mod talk;
mod verdict;

use admission::Admitted;
use end::End;
use keys::Keys;
use oz_client::Client;
pub use oz_core::harness::{DriverEvent, DriverResult};
use oz_core::{
    Redactor, RunId,
    config::AgentConfig,
    env,
    harness::{Harness, McpStartup},
};
use session::{Session, Surroundings};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
pub use steer::Steer;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often the control plane hears from an agent that has nothing to say, unless options say otherwise.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// For how long the start and the end of a run wait for a control plane that is away, unless options say otherwise.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where a run comes from.
#[expect(clippy::large_enum_variant, reason = "there is one per process")]
pub enum Source {
    /// The control plane has it, and a worker started this process for it.
    Task {
        /// The run.
        run_id: RunId,
        /// A client with the run's own token.
        client: Client,
    },
    /// The user of this machine wants it.
    Local {
        /// What to do.
        prompt: String,
        /// How.
        config: AgentConfig,
        /// Where to record it; `None` keeps it here. A control plane that can't be reached does not hold it up.
        client: Option<Client>,
    },
}

/// What to drive, and how.
pub struct Options {
    /// The run.
    pub source: Source,
    /// The directory to work in; it exists.
    pub cwd: PathBuf,
    /// The model, before the one that the run's configuration names.
    pub model: Option<String>,
    /// The environment of this process. Model providers are configured by it; the commands of the agent get what is
    /// left of it without keys.
    pub env: BTreeMap<String, String>,
    /// The `oz` program, which git and others call to log in.
    pub oz: PathBuf,
    /// How often the control plane hears from an agent that has nothing to say.
    pub heartbeat: Duration,
    /// For how long the start and the end of the run wait for a control plane that is away. In between the agent works
    /// on.
    pub patience: Duration,
    /// What the person at this machine says while the agent works; absent where nobody is, and the agent can ask only
    /// by way of the control plane.
    pub steer: Option<mpsc::UnboundedReceiver<Steer>>,
    /// Whether that person goes on talking when the agent has done what it was asked.
    pub talks: bool,
    /// How the MCP servers of the run have to start.
    pub mcp_startup: McpStartup,
    /// Whether a run of this machine that can't be recorded is not done at all.
    pub recorded: bool,
    /// The harness to drive instead of the one that the run's configuration names. It is started again, with the
    /// conversation that it saved, when a person goes on talking after its end.
    pub harness: Option<Arc<dyn Harness>>,
    /// Whether this process is there for the run alone, and may so be made to end with its worker. A program that drives
    /// runs beside other things says no.
    pub own_process: bool,
}

impl Options {
    /// The usual options.
    #[must_use]
    pub fn new(source: Source, cwd: PathBuf, env: BTreeMap<String, String>) -> Self {
        let oz = std::env::current_exe().unwrap_or_else(|_| "oz".into());
        Self {
            source,
            cwd,
            model: None,
            env,
            oz,
            heartbeat: HEARTBEAT,
            patience: PATIENCE,
            steer: None,
            talks: false,
            mcp_startup: McpStartup::default(),
            recorded: false,
            harness: None,
            own_process: true,
        }
    }
}

/// Drives a run to its end. `cancel` ends it early; the caller cancels it on SIGTERM or Ctrl-C. It then ends within
/// half a second, with everything killed and, where that can be, reported.
pub async fn drive(
    options: Options,
    observer: &mut dyn FnMut(DriverEvent),
    cancel: CancellationToken,
) -> DriverResult {
    if options.own_process {
        if options.env.contains_key(env::WORKER_BACKEND) {
            crate::process::belong_to_the_worker();
        }
        crate::process::unignore();
    }
    let Options {
        source, cwd, model, env, oz, heartbeat, patience, steer, talks, mcp_startup, recorded, ..
    } = options;
    let harness = options.harness;
    let admitted = Box::pin(admission::admit(source, &cancel, patience)).await;
    let Admitted { prompt, mut config, mode, record, credentials, getting, problem, mut end } = admitted;
    if recorded && record.is_none() && end.is_none() {
        end = Some(End::unprepared(
            "the run could not be recorded at the control plane, and so it was not begun",
        ));
    }
    let run_id = record.as_ref().map(|record| record.run_id);
    let keys = Keys::new(credentials, &mut config);
    let redactor = Redactor::new(keys.values(&env));
    redactor.add(record.as_ref().and_then(|record| record.token.clone()));
    let mut session = Session::new(observer, record, redactor, heartbeat, &cancel);
    if let Some(run_id) = run_id {
        session.started(run_id);
    }
    if let Some(problem) = problem {
        session.event(problem).await;
    }
    let end = match end {
        Some(end) => end,
        None => {
            let surroundings = Surroundings {
                cwd,
                host: env,
                oz,
                patience,
                keys,
                getting,
                steer,
                talks,
                mcp_startup,
                mode,
                harness,
            };
            Box::pin(session.run(prompt, config, model, surroundings)).await
        }
    };
    Box::pin(session.finish(end, patience)).await
}

#[cfg(test)]
mod tests;
