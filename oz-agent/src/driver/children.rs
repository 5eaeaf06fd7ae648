//! The runs that a run starts: tools to start them, to wait for them and to tell them more. They are made in the name of
//! the run, which the control plane checks; what it decides of them is its own.

use super::admission;
use async_trait::async_trait;
use oz_client::Client;
use oz_core::{
    Run, RunId,
    api::{CreateRun, Endpoint, GetRun, SubmitFollowup},
    config::AgentConfig,
    harness::{ActionCategory, HostTool},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// How often the runs that are waited for are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long they are waited for, in seconds, unless the agent says otherwise, and at most.
const WAIT: u64 = 600;
const LONGEST: u64 = 3600;

/// The tools of a run with this configuration, which its children get too as far as it says where and with what they
/// work.
pub(super) fn tools(client: &Client, config: &AgentConfig, patience: Duration) -> Vec<Arc<dyn HostTool>> {
    let children = Arc::new(Children { client: client.clone(), config: inherited(config), patience });
    let tool = |what| Arc::new(Tool { what, children: Arc::clone(&children) }) as Arc<dyn HostTool>;
    [What::Start, What::Wait, What::Tell].map(tool).into()
}

/// What children get of a configuration.
fn inherited(config: &AgentConfig) -> AgentConfig {
    let config = config.clone();
    AgentConfig {
        // An environment brings its own.
        source_repos: if config.environment_id.is_some() { Vec::new() } else { config.source_repos },
        environment_id: config.environment_id,
        model_id: config.model_id,
        fallback_model_ids: config.fallback_model_ids,
        harness: config.harness,
        worker_host: config.worker_host,
        worker_labels: config.worker_labels,
        instance_shape: config.instance_shape,
        runner_id: config.runner_id,
        permissions: config.permissions,
        limits: config.limits,
        sandbox: config.sandbox,
        ..AgentConfig::default()
    }
}

struct Children {
    client: Client,
    config: AgentConfig,
    patience: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    prompt: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    model: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Awaited {
    run_ids: Vec<RunId>,
    #[serde(default)]
    seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    run_id: RunId,
    message: String,
}

impl Children {
    async fn call<E: Endpoint>(&self, request: &E) -> Result<E::Response, String> {
        admission::persistently(&self.client, request, self.patience).await.map_err(|e| e.to_string())
    }

    async fn start(&self, New { prompt, title, model }: New) -> Result<String, String> {
        let mut config = self.config.clone();
        config.model_id = model.or(config.model_id);
        let request = CreateRun { prompt: Some(prompt), title, config: Some(config), ..CreateRun::default() };
        // Not tried again after an answer that got lost: there would be two of them.
        let created = admission::within(&self.client, &request).await.map_err(|e| e.to_string())?;
        Ok(format!("It is run {}.", created.run_id))
    }

    async fn wait(&self, Awaited { run_ids, seconds }: Awaited) -> Result<String, String> {
        let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(WAIT).min(LONGEST));
        loop {
            let mut runs = Vec::new();
            for run_id in &run_ids {
                runs.push(self.call(&GetRun { run_id: *run_id }).await?);
            }
            if runs.iter().all(|run| run.state.is_over()) || Instant::now() >= until {
                return Ok(runs.iter().map(shown).collect::<Vec<_>>().join("\n\n"));
            }
            sleep(LOOK).await;
        }
    }

    async fn tell(&self, More { run_id, message }: More) -> Result<String, String> {
        let request = SubmitFollowup { run_id, message: Some(message), mode: None, interrupt: None };
        admission::within(&self.client, &request).await.map_err(|e| e.to_string())?;
        Ok("It is told. A run that had ended goes on with it.".to_owned())
    }
}

/// How a run stands.
fn shown(run: &Run) -> String {
    let message = run.status_message.as_ref().map_or("", |status| status.message.as_str());
    let mut text = format!("Run {} ({}) is {}. {message}", run.run_id, run.title, run.state);
    for artifact in &run.artifacts {
        text.push_str(&format!("\nArtifact: {}", serde_json::to_string(artifact).unwrap_or_default()));
    }
    text
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Start,
    Wait,
    Tell,
}

struct Tool {
    what: What,
    children: Arc<Children>,
}

#[async_trait]
impl HostTool for Tool {
    fn name(&self) -> &str {
        match self.what {
            What::Start => "start_run",
            What::Wait => "wait_for_run",
            What::Tell => "send_message",
        }
    }

    fn description(&self) -> &str {
        match self.what {
            What::Start => {
                "Starts a child run with a workspace of its own, in the same repositories. It knows nothing but its prompt. \
                 Answers its id at once."
            }
            What::Wait => {
                "Waits until these runs are over, or wait for somebody, or the time is up. Answers the state and the \
                 result of each."
            }
            What::Tell => "Gives a child run more to do or to know, also when it has ended.",
        }
    }

    fn input_schema(&self) -> Value {
        let text = |about: &str| json!({ "type": "string", "description": about });
        let (properties, required) = match self.what {
            What::Start => (
                json!({
                    "prompt": text("The whole task"), "title": text("What it is about, in a few words"),
                    "model": text("Another model than yours"),
                }),
                json!(["prompt"]),
            ),
            What::Wait => (
                json!({
                    "run_ids": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                    "seconds": { "type": "integer", "description": "How long at most; 600 by default, at most 3600" },
                }),
                json!(["run_ids"]),
            ),
            What::Tell => (
                json!({ "run_id": text("The child"), "message": text("What to tell it") }),
                json!(["run_id", "message"]),
            ),
        };
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Integration
    }

    fn only_reads(&self) -> bool {
        self.what == What::Wait
    }

    async fn call(&self, input: Map<String, Value>) -> Result<String, String> {
        let children = &self.children;
        match self.what {
            What::Start => children.start(arguments(input)?).await,
            What::Wait => children.wait(arguments(input)?).await,
            What::Tell => children.tell(arguments(input)?).await,
        }
    }
}

fn arguments<T: for<'de> Deserialize<'de>>(input: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(input)).map_err(|e| format!("the arguments are not right: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::config::SourceRepo;

    #[test]
    fn children_work_where_their_parent_does_but_are_not_the_same() {
        let repo = SourceRepo { url: "https://h/r".into(), checkout_ref: None };
        let parent = AgentConfig {
            name: Some("parent".into()),
            base_prompt: Some("Be the parent.".into()),
            skills: vec!["lead".into()],
            model_id: Some("m".into()),
            source_repos: vec![repo],
            ..AgentConfig::default()
        };
        let child = inherited(&parent);
        assert_eq!((child.model_id.as_deref(), child.source_repos.len()), (Some("m"), 1));
        assert_eq!((child.name, child.base_prompt, child.skills.len()), (None, None, 0));
        let parent = AgentConfig { environment_id: Some("e".into()), ..parent };
        let child = inherited(&parent);
        assert_eq!((child.environment_id.as_deref(), child.source_repos.len()), (Some("e"), 0));
    }
}
