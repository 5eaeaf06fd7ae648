//! `oz agent run`: runs an agent on this machine, for a person at a terminal or for a worker.

use super::{
    Outcome,
    config::{ConfigFile, build},
    on_signals,
};
use crate::{
    cli::{AgentOptions, Global, duration},
    error::CliError,
    live::Live,
    out,
};
use clap::{ArgGroup, Args};
use oz_agent::driver::{self, DriverEvent, Finished, Options, Source};
use oz_client::Client;
use oz_core::{
    Open, RunId, RunState,
    artifact::Artifact,
    config::HarnessType,
    env,
    harness::{ActionState, HarnessEvent},
};
use serde_json::{Map, Value, json};
use std::{path::PathBuf, time::Duration};

/// How long to look for a control plane that would record the run.
const PROBE: Duration = Duration::from_millis(300);

/// Run an agent on this machine.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).multiple(true).args(["prompt", "saved_prompt", "skill", "task_id", "file"]),
    after_help = "Examples:
  oz agent run -p \"explain the build\"
  oz agent run -p \"fix the test\" -C ~/app --model claude-sonnet-4-5
  oz agent run -p \"…\" --offline --model ollama/qwen3-coder"
)]
pub(crate) struct AgentRunArgs {
    /// What the agent is to do
    #[arg(short, long, conflicts_with = "saved_prompt")]
    prompt: Option<String>,
    /// A saved prompt
    #[arg(long, value_name = "ID")]
    saved_prompt: Option<String>,
    /// A skill
    #[arg(long, value_name = "SPEC")]
    skill: Option<String>,
    #[command(flatten)]
    options: AgentOptions,
    /// Directory to work in
    #[arg(short = 'C', long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Share the session: team, public or an e-mail address, with :view or :edit
    #[arg(long, value_name = "RECIPIENT", num_args = 0..=1, default_missing_value = "", value_parser = recipient)]
    share: Vec<String>,
    /// An MCP server
    #[arg(long, value_name = "SPEC")]
    mcp: Vec<String>,
    /// Fail when an MCP server does not start
    #[arg(long)]
    strict_mcp_startup: bool,
    /// How long an MCP server may take to start
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    mcp_startup_timeout: Option<Duration>,
    /// The environment to prepare
    #[arg(short, long, value_name = "ID")]
    environment: Option<String>,
    /// The conversation to continue
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
    /// The agent profile
    #[arg(long, value_name = "ID")]
    profile: Option<String>,
    /// Take no snapshot of the workspace at the end
    #[arg(long)]
    no_snapshot: bool,
    /// How long the upload of the snapshot may take
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    snapshot_upload_timeout: Option<Duration>,
    /// How long the snapshot's declaration script may take
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    snapshot_script_timeout: Option<Duration>,
    /// Do not record the run on a control plane
    #[arg(long)]
    offline: bool,
    /// The run that a worker was given
    #[arg(long, hide = true, value_name = "RUN_ID", conflicts_with_all = ["prompt", "saved_prompt", "file"])]
    task_id: Option<String>,
    #[arg(long, hide = true)]
    sandboxed: bool,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "45m", value_parser = duration)]
    idle_on_complete: Option<Duration>,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "15m", value_parser = duration, env = "OZ_IDLE_ON_FAIL")]
    idle_on_fail: Option<Duration>,
    #[arg(long, hide = true, conflicts_with = "no_computer_use")]
    computer_use: bool,
    #[arg(long, hide = true)]
    no_computer_use: bool,
    #[arg(long, hide = true)]
    bedrock_inference_role: Option<String>,
    #[arg(long, hide = true, requires = "bedrock_inference_role")]
    bedrock_role_region: Option<String>,
    #[arg(long, hide = true, requires_all = ["task_id", "idle_on_complete"])]
    skip_initial_turn: bool,
    #[arg(long, hide = true)]
    gui: bool,
}

fn recipient(text: &str) -> Result<String, String> {
    let (who, level) = text.split_once(':').unwrap_or((text, "view"));
    let known = who.is_empty() || who == "team" || who == "public" || who.contains('@');
    if known && matches!(level, "view" | "edit") {
        return Ok(text.to_owned());
    }
    Err(format!("can't share with '{text}'; expected team, public or an e-mail address, with :view or :edit"))
}

pub(crate) async fn run(args: AgentRunArgs, global: &Global) -> Outcome {
    refuse_what_is_missing(&args)?;
    let cwd = match &args.cwd {
        Some(dir) => dir.clone(),
        None => std::env::current_dir()?,
    };
    let cwd = cwd.canonicalize().map_err(|e| CliError::new(format!("directory '{}': {e}", cwd.display())))?;
    if !cwd.is_dir() {
        return Err(CliError::new(format!("'{}' is not a directory", cwd.display())));
    }
    let source = match &args.task_id {
        Some(id) => task(id.parse()?, global)?,
        None => local(&args, global).await?,
    };
    let cancel = on_signals()?;
    let format = global.output_format;
    let live = (!format.is_json()).then(Live::new);
    let server_url = global.server_url();
    let mut show = |event: DriverEvent| match (&live, event) {
        (Some(live), DriverEvent::RunStarted { run_id }) => live.print(format!("Run ID: {run_id}")),
        (Some(live), DriverEvent::Event(event)) => live.harness(&event),
        (None, DriverEvent::RunStarted { run_id }) => out::json_line(&json!({
            "type": "system", "event_type": "run_started", "run_id": run_id, "run_url": format!("{server_url}/runs/{run_id}"),
        })),
        (None, DriverEvent::Event(event)) => {
            if let Some(line) = machine_line(&event) {
                out::json_line(&line);
            }
        }
    };
    let vars = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let mut options = Options::new(source, cwd, vars.collect());
    options.model.clone_from(&args.options.model);
    let finished = driver::drive(options, &mut show, cancel).await;
    if let Some(live) = &live {
        live.finish();
    }
    end(&finished, format.is_json());
    Ok(finished.state == RunState::Succeeded)
}

/// What the parser accepts because callers pass it, but this version can't do yet, must not be ignored in silence.
fn refuse_what_is_missing(args: &AgentRunArgs) -> Result<(), CliError> {
    // A worker passes the configuration of the run on; what of it can't be done, the run's record says.
    if args.task_id.is_some() {
        return Ok(());
    }
    let missing = [
        (args.saved_prompt.is_some(), "--saved-prompt"),
        (args.skill.is_some(), "--skill"),
        (!args.mcp.is_empty() || args.strict_mcp_startup, "--mcp"),
        (args.environment.is_some(), "--environment"),
        (args.conversation.is_some(), "--conversation"),
        (args.profile.is_some(), "--profile"),
        (args.idle_on_complete.is_some(), "--idle-on-complete"),
        (args.bedrock_inference_role.is_some(), "--bedrock-inference-role"),
    ];
    match missing.into_iter().find(|(given, _)| *given) {
        Some((_, flag)) => Err(CliError::new(format!("{flag} is not supported by this version of oz"))),
        None => Ok(()),
    }
}

/// The run that a worker was given: everything else is in its record.
fn task(run_id: RunId, global: &Global) -> Result<Source, CliError> {
    let key = global.key();
    let token = std::env::var(env::WORKLOAD_TOKEN).ok().or_else(|| key.clone());
    let token = token.ok_or_else(|| {
        CliError::new(format!("--task-id needs the run's token in {}", env::WORKLOAD_TOKEN))
    })?;
    let client = Client::new(&global.server_url(), key)?.with_workload_token(&token);
    Ok(Source::Task { run_id, client })
}

/// A run of this machine's own, recorded where a control plane is there to record it.
async fn local(args: &AgentRunArgs, global: &Global) -> Result<Source, CliError> {
    let mut file = match &args.options.file {
        Some(path) => ConfigFile::read(path)?,
        None => ConfigFile::default(),
    };
    let prompt = args.prompt.clone().or(file.prompt.take());
    let prompt =
        prompt.ok_or_else(|| CliError::new("there is no prompt, neither in the file nor with --prompt"))?;
    let config = build(&args.options, file)?;
    if config.harness_type() != HarnessType::Oz {
        return Err(CliError::new(format!(
            "the harness '{}' is not supported by this version of oz",
            config.harness_type()
        )));
    }
    let mut client = None;
    if !args.offline
        && let Some(key) = global.key()
    {
        let candidate = Client::new(&global.server_url(), Some(key))?.with_source("LOCAL");
        if candidate.healthy(PROBE).await {
            client = Some(candidate);
        } else {
            out::note(format!(
                "No control plane answers at {}: the run is not recorded.",
                global.server_url()
            ));
        }
    }
    Ok(Source::Local { prompt, config, client })
}

fn end(finished: &Finished, json: bool) {
    if json {
        out::json_line(&json!({
            "type": "result", "state": finished.state, "run_id": finished.run_id, "summary": finished.status.message,
            "error_code": finished.status.error_code, "usage": finished.usage,
            "exit_code": i32::from(finished.state != RunState::Succeeded),
        }));
    } else if finished.state != RunState::Succeeded {
        out::note(format!("Error: the run is {}: {}", finished.state, finished.status.message));
    }
}

/// The line that programs read, in its published form; nothing for what has none.
fn machine_line(event: &HarnessEvent) -> Option<Value> {
    let object = |kind: &str, name: &str, fields: &Map<String, Value>| {
        let mut line =
            Map::from_iter([("type".to_owned(), Value::from(kind)), ("tool".to_owned(), name.into())]);
        line.extend(fields.clone());
        Value::Object(line)
    };
    match event {
        HarnessEvent::Text { text } => Some(json!({ "type": "agent", "text": text })),
        HarnessEvent::Reasoning { text } => Some(json!({ "type": "agent_reasoning", "text": text })),
        HarnessEvent::Action { name, input, .. } => Some(object("tool_call", name, input)),
        HarnessEvent::ActionResult { name, state, output, .. } => match (state, output.get("error")) {
            (ActionState::Failed, Some(error)) => {
                Some(json!({ "type": "tool_error", "tool": name, "error": error }))
            }
            _ => Some(object("tool_result", name, output)),
        },
        HarnessEvent::Artifact { artifact: Open::Known(Artifact::PullRequest { url, branch }) } => Some(
            json!({ "type": "artifact_created", "artifact_type": "pull_request", "url": url, "branch": branch }),
        ),
        HarnessEvent::Artifact {
            artifact: Open::Known(Artifact::ExternalReference { reference_type, url, title, .. }),
        } => Some(
            json!({ "type": "artifact_created", "artifact_type": "external_reference", "reference_type": reference_type, "url": url, "title": title }),
        ),
        _ => None,
    }
}
