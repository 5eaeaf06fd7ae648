//! `run_subagent`: a helper with a conversation of its own in the same workspace. What it says stays with it; its summary
//! and what it used are reported. It has no helpers itself.

use crate::{
    model::Chain,
    native::{
        Inbox, Journal, NativeHarness,
        agent::{Agent, Common},
        context::Gauge,
        notes::Notes,
        prompt,
        steps::Steps,
    },
    rule::RuleBook,
    tool::{Desk, Done, Failed, Offer, Tool, Toolbox, arguments, object, schema},
};
use async_trait::async_trait;
use oz_core::{
    harness::{ActionCategory, AgentState, HarnessEvent, Rule},
    model::ChatMessage,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How many events may wait to be passed on.
const EVENTS: usize = 16;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// What to do and what to answer, with all that the helper must know.
    task: String,
    /// Another model than yours.
    model: Option<String>,
    /// Whether it may run commands and change files.
    #[serde(default)]
    may_edit: bool,
}

pub(in crate::native) struct RunSubagent {
    pub(in crate::native) harness: Arc<NativeHarness>,
    /// The models of the agent.
    pub(in crate::native) models: Chain,
    pub(in crate::native) reasoning_level: Option<String>,
    /// Whether no helper may change anything.
    pub(in crate::native) only_reading: bool,
    pub(in crate::native) offer: Offer,
    pub(in crate::native) rules: Vec<Rule>,
    pub(in crate::native) common: Arc<Common>,
    pub(in crate::native) notes: Arc<Notes>,
    pub(in crate::native) events: mpsc::Sender<HarnessEvent>,
}

#[async_trait]
impl Tool for RunSubagent {
    fn name(&self) -> &str {
        "run_subagent"
    }

    fn description(&self) -> &str {
        "Lets a helper do a part of the work and answers its summary. It knows nothing but the task, and only reads \
         unless may_edit. Several that only read work at once."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Integration
    }

    fn parallel_call(&self, arguments: &str) -> bool {
        self.only_reading || serde_json::from_str(arguments).is_ok_and(|input: Input| !input.may_edit)
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { task, model, may_edit } = arguments(input)?;
        if may_edit && self.only_reading {
            return Err("may_edit: nothing may be changed here".to_owned().into());
        }
        let models = match model.as_deref() {
            Some(model) => {
                self.harness.models(Some(model), &[]).map_err(|e| format!("model: {}", e.detail))?
            }
            None => self.models.clone(),
        };
        let tools = Toolbox::new(&self.offer, []);
        let desk = desk.another().map_err(|e| format!("there is no place for its commands: {e}"))?;
        let (events, reported) = mpsc::channel(EVENTS);
        let inbox = Inbox::default();
        inbox.open().map_err(|e| e.detail)?;
        let notes = Arc::new(Notes::default());
        let helper = Agent {
            system: prompt::helper(desk.workspace.root(), may_edit),
            opening: vec![ChatMessage::user(task)],
            reasoning_level: self.reasoning_level.clone(),
            models,
            spoke: 0,
            gauge: Gauge::default(),
            tools: (if may_edit { tools } else { tools.only_reading() })
                .without(|tool| self.common.gate.bars(tool, &desk)),
            rules: RuleBook::new(desk.workspace.clone(), &self.rules),
            desk,
            common: Arc::clone(&self.common),
            notes: Arc::clone(&notes),
            journal: Arc::new(Journal::default()),
            inbox: Arc::new(inbox),
            steps: Arc::new(Steps::default()),
            talks: false,
            events,
        };
        let ((), (state, message)) = tokio::join!(helper.work(), self.listen(reported));
        notes.kept().diffs.into_iter().for_each(|diff| self.notes.changed(diff));
        let message = message.unwrap_or_else(|| "it said nothing".to_owned());
        match state {
            AgentState::Succeeded => {
                let output = object([("output", message.as_str().into())]);
                Ok(Done { content: message, output, ..Done::default() })
            }
            state => Err(format!("the helper ended as {}: {message}", state.as_str()).into()),
        }
    }
}

impl RunSubagent {
    /// Passes on what concerns the run as a whole. Answers how the helper ended.
    async fn listen(&self, mut events: mpsc::Receiver<HarnessEvent>) -> (AgentState, Option<String>) {
        let mut end = (AgentState::Failed, None);
        while let Some(event) = events.recv().await {
            match event {
                HarnessEvent::Usage { .. } | HarnessEvent::Artifact { .. } => {
                    let _ = self.events.send(event).await;
                }
                HarnessEvent::State { state, message, .. } if state.is_final() => end = (state, message),
                _ => {}
            }
        }
        end
    }
}
