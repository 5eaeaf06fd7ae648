//! The native harness: our own agent behind the [`Harness`] seam. It holds one conversation with one model in one
//! workspace; it knows nothing of the control plane, and leaves no process behind.

mod act;
mod agent;
mod ask;
mod budget;
mod gate;
mod handover;
mod inbox;
mod memory;
mod prompt;
mod retry;
mod room;
mod turn;

use crate::{
    model::{Prices, Sources, resolve},
    process::Household,
    tool::{self, Desk, Toolbox, Workspace},
};
use agent::Agent;
use async_trait::async_trait;
use budget::Budget;
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use gate::Gate;
use inbox::Inbox;
use memory::Memory;
use oz_core::{
    Error, ErrorCode,
    api::RunModelEndpoint,
    env,
    harness::{Harness, HarnessEvent, HarnessTask},
};
use std::{fmt, sync::Arc};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// How many events may wait for their reader before the agent does.
const EVENTS: usize = 64;

type Env = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The native `oz` agent.
pub struct NativeHarness {
    env: Box<Env>,
    endpoints: Vec<RunModelEndpoint>,
    inbox: Arc<Inbox>,
    cancel: CancellationToken,
}

impl fmt::Debug for NativeHarness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeHarness").finish_non_exhaustive()
    }
}

impl NativeHarness {
    /// An agent whose model provider is configured by `env`, a lookup of environment variables.
    pub fn new(env: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            env: Box::new(env),
            endpoints: Vec::new(),
            inbox: Arc::default(),
            cancel: CancellationToken::new(),
        }
    }

    /// With the model services of the team.
    #[must_use]
    pub fn with_endpoints(self, endpoints: Vec<RunModelEndpoint>) -> Self {
        Self { endpoints, ..self }
    }
}

fn prices(env: &Env) -> Result<Prices, Error> {
    let Some(path) = env(env::MODEL_PRICES).filter(|path| !path.is_empty()) else {
        return Ok(Prices::default());
    };
    let yaml = std::fs::read_to_string(&path).map_err(|e| {
        Error::invalid_field(env::MODEL_PRICES, &path, &format!("a file that can be read ({e})"))
    })?;
    Prices::with(&yaml)
}

#[async_trait]
impl Harness for NativeHarness {
    fn name(&self) -> &str {
        "oz"
    }

    async fn start(self: Arc<Self>, task: HarnessTask) -> Result<BoxStream<'static, HarnessEvent>, Error> {
        let sources = Sources::new(&*self.env, &self.endpoints)?;
        let models = resolve(task.model_id.as_deref(), &task.fallback_model_ids, &sources)?;
        let prices = prices(&*self.env)?;
        let workspace = Workspace::new(&task.workspace).map_err(|e| {
            let shown = task.workspace.display();
            Error::new(
                ErrorCode::EnvironmentSetupFailed,
                format!("the workspace '{shown}' can't be used: {e}"),
            )
        })?;
        let home = task.env.get("HOME").map(std::path::PathBuf::from);
        let gate = Gate::new(task.permissions.clone().rooted(workspace.root(), home.as_deref()));
        self.inbox.open()?;
        let (events, mut received) = mpsc::channel(EVENTS);
        let system = prompt::system(&task, workspace.root());
        let desk = Desk { workspace, env: task.env, household: Household::new(), redactor: task.redactor };
        let tools = Toolbox::new(tool::lent(task.tools)).without(|tool| gate.bars(tool, &desk));
        let agent = Agent {
            system,
            prompt: task.prompt,
            reasoning_level: task.reasoning_level,
            models,
            spoke: 0,
            prices,
            tools,
            memory: Memory::new(&desk.env),
            desk,
            gate,
            budget: Budget::new(task.limits),
            inbox: Arc::clone(&self.inbox),
            cancel: self.cancel.clone(),
            events,
        };
        // Dropping the stream drops the handle, and with it whatever the agent is doing.
        let working = AbortOnDropHandle::new(tokio::spawn(agent.work()));
        let stream = stream::poll_fn(move |context| {
            let _ = &working;
            received.poll_recv(context)
        });
        Ok(stream.boxed())
    }

    async fn send(&self, message: String) -> Result<(), Error> {
        self.inbox.put(message)
    }

    async fn cancel(&self) {
        self.cancel.cancel();
    }
}

#[cfg(test)]
mod tests;
