//! The native harness: our own agent behind the [`Harness`] seam. It holds one conversation with one model in one
//! workspace; it knows nothing of the control plane, and leaves no process behind.

mod act;
mod agent;
mod ask;
mod calls;
mod compact;
mod context;
mod gate;
mod guard;
mod handover;
mod inbox;
mod journal;
mod mcp;
mod notes;
mod opening;
mod prompt;
mod retry;
mod room;
mod steps;
mod tools;
mod turn;

use crate::{
    budget::Budget,
    gate::Gate,
    human::{Human, Waiting},
    job::Jobs,
    memory::Memory,
    model::{Chain, Prices, Sources, resolve},
    process::Household,
    rule::RuleBook,
    tool::{self, Desk, Offer, Tool, Toolbox, Workspace},
};
use agent::{Agent, Common};
use async_trait::async_trait;
use context::Gauge;
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use inbox::Inbox;
use journal::Journal;
use opening::Opening;
use oz_core::{
    Error, ErrorCode,
    api::RunModelEndpoint,
    env,
    harness::{Harness, HarnessEvent, HarnessTask, SavedSession},
    permission::PermissionLevel,
    request::Answer,
    run::RunMode,
};
use std::{fmt, path::PathBuf, sync::Arc};
use steps::Steps;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tools::{AskUser, RunSubagent, UpdateTasks, WritePlan};
use uuid::Uuid;

/// How many events may wait for their reader before the agent does.
const EVENTS: usize = 64;

type Env = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The native `oz` agent.
pub struct NativeHarness {
    env: Box<Env>,
    endpoints: Vec<RunModelEndpoint>,
    inbox: Arc<Inbox>,
    steps: Arc<Steps>,
    waiting: Arc<Waiting>,
    journal: Arc<Journal>,
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
            steps: Arc::default(),
            waiting: Arc::default(),
            journal: Arc::default(),
            cancel: CancellationToken::new(),
        }
    }

    /// With the model services of the team.
    #[must_use]
    pub fn with_endpoints(self, endpoints: Vec<RunModelEndpoint>) -> Self {
        Self { endpoints, ..self }
    }

    fn models(&self, model_id: Option<&str>, fallback_ids: &[String]) -> Result<Chain, Error> {
        let sources = Sources::new(&*self.env, &self.endpoints)?;
        resolve(model_id, fallback_ids, &sources)
    }
}

/// How many tokens a conversation may have, where the environment says it.
fn window(env: &Env) -> Result<Option<u64>, Error> {
    let Some(text) = env(env::MODEL_CONTEXT_TOKENS).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(tokens @ 1000..) => Ok(Some(tokens)),
        _ => Err(Error::invalid_field(
            env::MODEL_CONTEXT_TOKENS,
            &text,
            "a number of at least 1000, such as 32000",
        )),
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
        let models = self.models(task.model_id.as_deref(), &task.fallback_model_ids)?;
        let (prices, window) = (prices(&*self.env)?, window(&*self.env)?);
        let workspace = Workspace::new(&task.workspace).map_err(|e| {
            let shown = task.workspace.display();
            Error::new(
                ErrorCode::EnvironmentSetupFailed,
                format!("the workspace '{shown}' can't be used: {e}"),
            )
        })?;
        let jobs = Jobs::new(&task.home).map_err(|e| {
            Error::new(
                ErrorCode::EnvironmentSetupFailed,
                format!("there is no place for the output of commands: {e}"),
            )
        })?;
        let offer = Offer::new(&task.permissions, &task.secrets, &task.network, &*self.env)?;
        let opening = Opening::of(&task, models.current().name())?;
        self.inbox.open()?;
        let (events, mut received) = mpsc::channel(EVENTS);
        let home = task.env.get("HOME").map(PathBuf::from);
        let common = Arc::new(Common {
            gate: Gate::new(task.permissions.clone().rooted(workspace.root(), home.as_deref())),
            memory: Memory::new(&task.env),
            prices,
            budget: Budget::new(task.limits.clone()),
            human: Human::new(Arc::clone(&self.waiting), events.clone()),
            cancel: self.cancel.clone(),
            window,
        });
        let Opening { session_id, notes, messages, news } = opening;
        let own: [Option<Arc<dyn Tool>>; 4] = [
            Some(Arc::new(UpdateTasks { notes: Arc::clone(&notes), events: events.clone() })),
            Some(Arc::new(WritePlan(Arc::clone(&notes)))),
            (task.permissions.ask_questions != Some(PermissionLevel::Never))
                .then(|| Arc::new(AskUser(Arc::clone(&common))) as Arc<dyn Tool>),
            Some(Arc::new(RunSubagent {
                harness: Arc::clone(&self),
                models: models.clone(),
                reasoning_level: task.reasoning_level.clone(),
                only_reading: task.mode == RunMode::Plan,
                offer: offer.clone(),
                rules: task.rules.clone(),
                common: Arc::clone(&common),
                notes: Arc::clone(&notes),
                events: events.clone(),
            })),
        ];
        let tools = Toolbox::new(&offer, tool::lent(task.tools.clone()));
        let tools = if task.mode == RunMode::Plan { tools.only_reading() } else { tools };
        let tools = tools.and(own.into_iter().flatten());
        self.journal.open(session_id, Arc::clone(&notes), task.redactor.clone());
        // Skills may lie elsewhere, as those of a person's home do.
        let readable =
            task.skills.iter().fold(workspace, |workspace, skill| workspace.reading_skill(&skill.path));
        let desk = Desk {
            workspace: readable.reading(jobs.directory()),
            env: task.env.clone(),
            secrets: task.secrets.clone(),
            jobs,
            household: Household::new(),
            redactor: task.redactor.clone(),
            network: task.network.clone(),
        };
        let tools = tools.without(|tool| common.gate.bars(tool, &desk));
        let agent = Agent {
            system: prompt::system(&task, desk.workspace.root(), &tools.names()),
            opening: messages,
            reasoning_level: task.reasoning_level,
            models,
            spoke: 0,
            gauge: Gauge::default(),
            tools,
            rules: RuleBook::new(desk.workspace.clone(), &task.rules),
            desk,
            common,
            notes,
            journal: Arc::clone(&self.journal),
            inbox: Arc::clone(&self.inbox),
            steps: Arc::clone(&self.steps),
            talks: task.talks,
            events,
        };
        let work = async move {
            for event in news {
                agent.say(event).await;
            }
            agent.with_servers(task.mcp_servers, &task.mcp_startup).await;
        };
        // Dropping the stream drops the handle, and with it whatever the agent is doing.
        let working = AbortOnDropHandle::new(tokio::spawn(work));
        let stream = stream::poll_fn(move |context| {
            let _ = &working;
            received.poll_recv(context)
        });
        Ok(stream.boxed())
    }

    async fn send(&self, message: String) -> Result<(), Error> {
        self.inbox.put(message)
    }

    async fn answer(&self, request_id: Uuid, answer: Answer) -> Result<(), Error> {
        self.waiting.answer(request_id, answer)
    }

    async fn interrupt(&self) -> Result<(), Error> {
        self.inbox.is_open()?;
        self.steps.interrupt();
        Ok(())
    }

    async fn pause(&self) -> Result<(), Error> {
        self.inbox.hold()?;
        self.steps.interrupt();
        Ok(())
    }

    async fn dismiss(&self) {
        self.inbox.dismiss();
    }

    async fn save(&self) -> Option<SavedSession> {
        self.journal.save()
    }

    async fn cancel(&self) {
        self.cancel.cancel();
    }
}

#[cfg(test)]
mod tests;
