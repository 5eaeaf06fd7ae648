//! A run between its admission and its end: the stages in their order, and where their events go.

use super::{
    DriverEvent,
    admission::Record,
    auth, brief, children,
    curtain::Curtain,
    drive::Manners,
    end::End,
    environment,
    keys::Keys,
    mcp,
    memory::Memory,
    private::Private,
    recorder::Recorder,
    resume::{self, Resumption},
    sandbox, skills,
    stages::{Ground, Prepared},
    steer::Steer,
};
use crate::{foreign::Foreign, model, native::NativeHarness, picture, process::Household};
use oz_client::Client;
use oz_core::{
    Error, ErrorCode, Redactor, RunId,
    config::{AgentConfig, HarnessConfig, HarnessType},
    env,
    harness::{Harness, HarnessEvent, HarnessTask, McpStartup},
    permission::SecretExposure,
    run::RunMode,
    usage::Usage,
};
use std::{
    collections::BTreeMap,
    mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long an agent waits for an answer, in minutes, unless the configuration says otherwise.
const IDLE_MINUTES: i32 = 10;
/// Where and how a run is done.
pub(super) struct Surroundings {
    pub(super) cwd: PathBuf,
    /// The environment of this process.
    pub(super) host: BTreeMap<String, String>,
    /// The `oz` program.
    pub(super) oz: PathBuf,
    pub(super) patience: Duration,
    /// What the run was given.
    pub(super) keys: Keys,
    /// How long it took to get that.
    pub(super) getting: Duration,
    /// How the agent is to go about it.
    pub(super) mode: RunMode,
    /// What the person at this machine says while the agent works.
    pub(super) steer: Option<mpsc::UnboundedReceiver<Steer>>,
    /// Whether they go on talking when it is done.
    pub(super) talks: bool,
    pub(super) mcp_startup: McpStartup,
    /// The harness to drive instead of the one that the configuration names.
    pub(super) harness: Option<Arc<dyn Harness>>,
}

/// A run that is driven.
pub(super) struct Session<'a> {
    observer: &'a mut dyn FnMut(DriverEvent),
    pub(super) record: Option<(RunId, Client, Recorder)>,
    /// See [`Record::assigned`].
    pub(super) assigned: bool,
    /// Cancelled when the run is to end early, whoever wants it.
    pub(super) stop: CancellationToken,
    pub(super) redactor: Redactor,
    pub(super) curtain: Curtain,
    pub(super) usage: Usage,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        observer: &'a mut dyn FnMut(DriverEvent),
        record: Option<Record>,
        redactor: Redactor,
        heartbeat: Duration,
        cancel: &CancellationToken,
    ) -> Self {
        let stop = cancel.child_token();
        let assigned = record.as_ref().is_some_and(|record| record.assigned);
        let record = record.map(|Record { run_id, client, .. }| {
            let recorder = Recorder::start(client.clone(), heartbeat, stop.clone());
            (run_id, client, recorder)
        });
        let curtain = Curtain::new(redactor.clone());
        Self { observer, record, assigned, stop, redactor, curtain, usage: Usage::default() }
    }

    pub(super) fn started(&mut self, run_id: RunId) {
        (self.observer)(DriverEvent::RunStarted { run_id });
    }

    /// Tells that the agent waits for what the person at this machine says.
    pub(super) fn listens(&mut self) {
        (self.observer)(DriverEvent::Listens);
    }

    /// Hands on what happened, without secrets.
    pub(super) async fn event(&mut self, event: HarnessEvent) {
        if let HarnessEvent::Usage { usage, .. } = &event {
            self.usage.add(usage);
        }
        for event in self.curtain.pass(event) {
            self.tell(event).await;
        }
    }

    pub(super) async fn tell(&mut self, event: HarnessEvent) {
        let passing = matches!(event, HarnessEvent::Delta { .. });
        if let Some((_, _, recorder)) = &self.record.as_ref().filter(|_| !passing) {
            recorder.record(event.clone()).await;
        }
        (self.observer)(DriverEvent::Event { event });
    }

    /// Does the run.
    pub(super) async fn run(
        &mut self,
        prompt: String,
        config: AgentConfig,
        model: Option<String>,
        mut surroundings: Surroundings,
    ) -> End {
        let steer = surroundings.steer.take();
        let own = surroundings.harness.take();
        let kind = config.harness_type();
        // A harness of the caller's own takes the place of the native one.
        let foreign = || Foreign::of(&kind).filter(|_| own.is_none());
        let format = own.as_ref().map_or_else(|| resume::format(&kind), |own| own.name());
        let earlier = self.earlier(format, surroundings.patience).await;
        let asked = earlier.as_ref().map_or(&prompt, |earlier| &earlier.prompt);
        self.event(HarnessEvent::Prompt { text: brief::shown(asked, &skills::named(&config)) }).await;
        self.tell_of_secrets(&surroundings.keys, surroundings.getting).await;
        if let Err(e) = supported(&config, own.is_some(), self.record.is_some(), &surroundings.host) {
            return End::Failed(e);
        }
        let Surroundings { cwd, host, patience, .. } = &surroundings;
        if !cwd.is_dir() {
            return End::unprepared(format!("the directory to work in, '{}', does not exist", cwd.display()));
        }
        let run_id = self.record.as_ref().map(|(run_id, _, _)| *run_id);
        let keys = match model::key_variables(&|name| host.get(name).cloned()) {
            Ok(keys) => keys,
            Err(e) => return End::Failed(e),
        };
        let env = environment::of_commands(host, &keys, run_id, cwd);
        let mut env = surroundings.keys.variables(&env);
        let _doors = match self.open_doors(&config, &surroundings, &mut env).await {
            Ok(doors) => doors,
            Err(end) => return end,
        };
        let mut egress = match self.bound(&config, &surroundings, &mut env).await {
            Ok(egress) => egress,
            Err(end) => return end,
        };
        let network = egress.as_ref().map(|egress| egress.network.clone()).unwrap_or_default();
        // Lives as long as the run: what a setup command starts in the background is there for the agent.
        let household = Household::new();
        let cache = host.get(env::GIT_CACHE_DIR).filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let Surroundings { keys, .. } = &surroundings;
        let home = host.get("HOME").filter(|dir| !self.assigned && !dir.is_empty()).map(Path::new);
        let private = match Private::open() {
            Ok(private) => private,
            Err(e) => {
                return End::unprepared(format!("the private directory of the agent can't be made: {e}"));
            }
        };
        let shelves = host.get(env::SKILL_DIRS).map(|list| skills::shelves(list)).unwrap_or_default();
        let ground = Ground {
            config: &config,
            prompt: &prompt,
            cwd,
            home,
            shelves: &shelves,
            private: private.path(),
            household: &household,
            network: &network,
            logins: &keys.logins,
            cache,
            patience: *patience,
        };
        let Prepared { workspace, chosen, skills, files } = match self.prepare(&ground, &mut env).await {
            Ok(prepared) => prepared,
            Err(end) => return end,
        };
        let rules = self.rules(&config.source_repos, cwd, &workspace, home).await;
        let permissions = config.permissions.clone().unwrap_or_default();
        // Setup commands are the user's own; from here on a command has to name what it wants.
        let secrets = match permissions.secrets {
            None | Some(SecretExposure::All) => BTreeMap::new(),
            Some(_) => keys.take_secrets(&mut env),
        };
        let HarnessConfig { model_id, reasoning_level, command, .. } =
            config.harness.clone().unwrap_or_else(HarnessConfig::native);
        let mut auth = match auth::variables(&config, keys, host) {
            Ok(auth) => auth,
            Err(e) => return End::Failed(e),
        };
        if let Some(egress) = &egress {
            // The proxy of the worker is not there for its agent.
            egress.configure(&mut auth);
        }
        let mine = Some(host).filter(|_| !self.assigned);
        let preparing = mcp::servers(&config, keys, mine, &self.redactor);
        let prepared = self.stop.run_until_cancelled(preparing).await.unwrap_or(Err(End::Cancelled));
        let mcp::Ready { servers: mut mcp_servers, left_out } = match prepared {
            Ok(ready) => ready,
            Err(end) => return end,
        };
        for reason in &left_out {
            self.tell_stage(mcp::STAGE, false, Duration::ZERO, reason.clone()).await;
        }
        if surroundings.mcp_startup.strict && !left_out.is_empty() {
            return End::unprepared(left_out.join("; "));
        }
        // Programs of others differ in what they do about a server that does not start.
        if foreign().is_some() {
            mcp_servers = match self
                .try_servers(mcp_servers, &surroundings.mcp_startup, &workspace, &env, &network)
                .await
            {
                Ok(servers) => servers,
                Err(end) => return end,
            };
        }
        let record = self.record.as_ref().map(|(_, client, _)| client);
        let memory = record.and_then(|client| Memory::of(client, &config.memory_stores, &self.redactor));
        let memories = self.recall(memory.as_ref(), &brief::shown(&prompt, &skills::named(&config))).await;
        let mut tools = memory.as_ref().map(Memory::tools).unwrap_or_default();
        if let Some((_, client, _)) = &self.record
            && surroundings.mode == RunMode::Orchestrate
        {
            tools.extend(children::tools(client, &config, *patience));
        }
        let told = |prompt: &str| brief::messages(memories.as_deref(), &chosen.instructions, prompt, &files);
        let begins = !matches!(&earlier, Some(Resumption { own: true, .. }));
        let retold = earlier.is_some().then(|| told(&chosen.prompt).join("\n\n"));
        let (mut messages, saved) = match earlier {
            Some(Resumption { session, prompt, own: true }) => (vec![prompt], Some(session)),
            Some(Resumption { session, prompt, .. }) => (told(&prompt), Some(session)),
            None => (told(&chosen.prompt), None),
        };
        if foreign().is_some() {
            // Programs of others take one message.
            messages = vec![messages.join("\n\n")];
        }
        let mut messages = messages.into_iter();
        let prompt = messages.next().unwrap_or_default();
        let pictures = files.iter().filter(|_| begins).map(|file| workspace.join(file));
        let task = HarnessTask {
            run_id,
            mode: surroundings.mode.clone(),
            home: private.path().to_owned(),
            oz: surroundings.oz.clone(),
            auth,
            rules,
            mcp_servers,
            mcp_startup: surroundings.mcp_startup.clone(),
            tools,
            prompt,
            more: messages.collect(),
            images: picture::among(pictures),
            saved,
            retold,
            skills,
            base_prompt: config.base_prompt,
            workspace,
            model_id: model.or(model_id).or(config.model_id),
            reasoning_level,
            command,
            fallback_model_ids: config.fallback_model_ids,
            limits: config.limits.unwrap_or_default(),
            env,
            redactor: self.redactor.clone(),
            permissions,
            talks: surroundings.talks && steer.is_some(),
            secrets,
            sandbox: config.sandbox.unwrap_or_default(),
            network,
        };
        let harness = || -> Arc<dyn Harness> {
            match (&own, foreign()) {
                (Some(own), _) => Arc::clone(own),
                (None, Some(harness)) => Arc::new(harness),
                (None, None) => Arc::new(
                    NativeHarness::new(keys.lookup(host.clone())).with_endpoints(keys.endpoints.clone()),
                ),
            }
        };
        let minutes = config.idle_timeout_minutes.filter(|m| *m > 0).unwrap_or(IDLE_MINUTES);
        let idle = Duration::from_secs(60 * u64::try_from(minutes).unwrap_or(1));
        let refusals =
            egress.as_mut().map(|egress| mem::replace(&mut egress.refusals, mpsc::unbounded_channel().1));
        self.drive(&harness, task, Manners { patience: *patience, idle, steer, refusals }).await
    }

    /// The conversation that a worker's run goes on with.
    async fn earlier(&self, format: &str, patience: Duration) -> Option<Resumption> {
        let (run_id, client, _) = self.record.as_ref().filter(|_| self.assigned)?;
        let finding = resume::find(client, *run_id, format, patience);
        self.stop.run_until_cancelled(finding).await.flatten()
    }
}

/// Refuses what this build can't do, rather than to do something else.
fn supported(
    config: &AgentConfig,
    own: bool,
    recorded: bool,
    host: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let refuse = |text: String| Err(Error::new(ErrorCode::EnvironmentSetupFailed, text));
    let harness = config.harness_type();
    if !own && harness != HarnessType::Oz && Foreign::of(&harness).is_none() {
        return refuse(format!("the harness '{harness}' is not available in this build"));
    }
    sandbox::check(config.sandbox.as_ref(), host)
        .map_err(|text| Error::new(ErrorCode::EnvironmentSetupFailed, text))?;
    // The control plane has put into a run what its environment prepares.
    if let Some(environment) = config.environment_id.as_ref().filter(|_| !recorded) {
        return refuse(format!(
            "the environment '{environment}' can't be used: the control plane that has it can't be reached"
        ));
    }
    Ok(())
}
