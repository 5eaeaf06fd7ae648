//! `oz agent run`: runs an agent on this machine, for a person at a terminal or for a worker.

use super::{
    config::{self, Task},
    consent,
    group::Group,
    machine,
    options::AgentOptions,
    person::Person,
    saved_prompt,
};
use crate::{
    cli::{Global, duration},
    cmd::{Outcome, mcp},
    connection::{self, Connection},
    error::{CliError, INTERRUPTED},
    live::Live,
    out, settings, signals,
};
use clap::{Arg, ArgAction, ArgGroup, Args};
use oz_agent::driver::{self, DriverEvent, Finished, Options, Source};
use oz_client::Client;
use oz_core::{
    RunId, RunState,
    api::{GetProfile, Profile},
    config::AgentConfig,
    env,
    harness::HarnessEvent,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How long to look for a control plane that would record the run: on this machine, and elsewhere.
const PROBE_HERE: Duration = Duration::from_millis(300);
const PROBE_ELSEWHERE: Duration = Duration::from_secs(3);

/// Run an agent on this machine.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).multiple(true).args(["prompt", "saved_prompt", "skill", "task_id", "file"]),
    override_usage = "oz agent run [OPTIONS] <--prompt <TEXT>|--skill <SPEC>|--file <PATH>>",
    after_help = "Examples:
  oz agent run -p \"explain the build\"
  oz agent run -p \"fix the test\" -C ~/app --model claude-sonnet-4-5 --max-cost 1
  oz agent run --skill review -p \"look at the last commit\"
  oz agent run -p \"fix the test\" -e ENVIRONMENT --yes
  oz agent run -p \"fix the test\" --offline --model ollama/qwen3-coder --output-format json
  oz agent run -p \"fix the test\" --model gpt-5 --fallback-model claude-sonnet-4-5 --fallback-model ollama/qwen3-coder"
)]
pub(crate) struct AgentRunArgs {
    #[command(flatten)]
    options: AgentOptions,
    /// Directory to work in; the current one when absent
    #[arg(short = 'C', long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// The profile whose model it uses when none is named
    #[arg(long, value_name = "ID", conflicts_with = "offline")]
    profile: Option<String>,
    /// Do not record the run on a control plane
    #[arg(long, conflicts_with = "environment")]
    offline: bool,
    /// Run the setup commands of the environment without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    hidden: Hidden,
}

/// What workers and older callers pass.
#[derive(Debug, Args)]
#[command(args = ignored())]
struct Hidden {
    /// The run that a worker was given; everything else is in its record
    #[arg(long, hide = true, value_name = "RUN_ID", conflicts_with_all = ["prompt", "saved_prompt", "file"])]
    task_id: Option<String>,
    #[arg(long, hide = true)]
    strict_mcp_startup: bool,
    #[arg(long, hide = true, value_parser = duration)]
    mcp_startup_timeout: Option<Duration>,
    #[arg(long, hide = true)]
    mcp_server: Vec<String>,
    #[arg(long, hide = true)]
    bedrock_inference_role: Option<String>,
    #[arg(long, hide = true, requires_all = ["task_id", "idle-on-complete"])]
    skip_initial_turn: bool,
    #[arg(long, hide = true, requires = "task_id")]
    configure_git_credentials_with_github: bool,
    #[arg(long, hide = true, requires = "task_id")]
    repository_head_override_json: Vec<String>,
    #[arg(long, hide = true, requires = "task_id")]
    remove_repository_origins: bool,
}

/// What changes nothing here: nobody can join a session, wait for one, or be shown a window, and the agent may always
/// do everything that this user may.
fn ignored() -> [Arg; 6] {
    let arg = |name| Arg::new(name).long(name).hide(true);
    let idle = |name, bare| arg(name).num_args(0..=1).default_missing_value(bare).value_parser(duration);
    [
        arg("share")
            .num_args(0..=1)
            .default_missing_value("")
            .value_parser(recipient)
            .action(ArgAction::Append),
        idle("idle-on-complete", "45m"),
        idle("idle-on-fail", "15m").env("OZ_IDLE_ON_FAIL"),
        arg("bedrock-role-region").requires("bedrock_inference_role"),
        arg("sandboxed").action(ArgAction::SetTrue),
        arg("gui").action(ArgAction::SetTrue),
    ]
}

fn recipient(text: &str) -> Result<String, String> {
    let (who, level) = text.split_once(':').unwrap_or((text, "view"));
    let known = who.is_empty() || who == "team" || who == "public" || who.contains('@');
    if known && matches!(level, "view" | "edit") {
        return Ok(text.to_owned());
    }
    Err(format!("can't share with '{text}'; expected team, public or an e-mail address, with :view or :edit"))
}

pub(super) async fn run(mut args: AgentRunArgs, global: &Global) -> Outcome {
    let cwd = directory(args.cwd.as_deref())?;
    let connection = connection::of(global);
    let server_url = connection.server_url.clone();
    let hidden = &args.hidden;
    config::refuse(&[
        (hidden.skip_initial_turn, "--skip-initial-turn"),
        (!hidden.repository_head_override_json.is_empty(), "--repository-head-override-json"),
        (hidden.remove_repository_origins, "--remove-repository-origins"),
        (hidden.configure_git_credentials_with_github, "--configure-git-credentials-with-github"),
    ])?;
    let mut group = None;
    let source = match &hidden.task_id {
        Some(id) => given(id.parse()?, connection)?,
        None => {
            config::refuse(&[
                (hidden.strict_mcp_startup, "--strict-mcp-startup"),
                (hidden.mcp_startup_timeout.is_some(), "--mcp-startup-timeout"),
                (hidden.bedrock_inference_role.is_some(), "--bedrock-inference-role"),
            ])?;
            saved_prompt::resolve(&mut args.options, || connection::of(global).client()).await?;
            args.options.mcp.extend(hidden.mcp_server.iter().cloned());
            let mut task = config::task(&args.options)?;
            mcp::look_up(&mut task.config.mcp_servers, || connection::of(global).client()).await?;
            if let Some(uid) = args.profile {
                with_profile(&mut task.config, uid, connection.clone()).await?;
            }
            if let Some(uid) = task.config.environment_id.as_deref()
                && !consent::given(&connection.clone().client()?, uid, args.yes).await?
            {
                return Ok(true);
            }
            group = Group::join(&task.config)?;
            own(task, args.offline, connection).await?
        }
    };
    let vars = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let mut vars: BTreeMap<String, String> = vars.collect();
    // A worker says which file its runs use; that of whoever runs it is his own.
    if hidden.task_id.is_none()
        && !vars.contains_key(env::MODELS_FILE)
        && let Some(path) = settings::models_file()
    {
        vars.insert(env::MODELS_FILE.to_owned(), path.to_string_lossy().into_owned());
    }
    vars.extend(group.iter().flat_map(Group::variables));
    let mut options = Options::new(source, cwd, vars);
    options.model = args.options.model;
    let (finished, stopped) = if global.output_format.is_json() {
        (for_programs(options, &server_url).await?, false)
    } else {
        for_people(options).await?
    };
    drop(group);
    if stopped {
        std::process::exit(INTERRUPTED.into());
    }
    Ok(finished.state == RunState::Succeeded)
}

fn directory(wanted: Option<&Path>) -> Result<PathBuf, CliError> {
    let path = wanted.map_or_else(std::env::current_dir, |dir| Ok(dir.to_owned()))?;
    let shown = path.display();
    let found = path.canonicalize().map_err(|e| CliError::new(format!("directory '{shown}': {e}")))?;
    if found.is_dir() { Ok(found) } else { Err(CliError::new(format!("'{shown}' is not a directory"))) }
}

/// The run that a worker was given. Inside a run, its token is the key; a key of the machine must not stand in for it.
fn given(run_id: RunId, connection: Connection) -> Result<Source, CliError> {
    let token = std::env::var(env::WORKLOAD_TOKEN).ok().or(connection.api_key);
    let missing =
        || CliError::new(format!("--task-id needs the token of the run in {}", env::WORKLOAD_TOKEN));
    let token = token.ok_or_else(missing)?;
    let client = Client::new(&connection.server_url, None)?.with_workload_token(&token);
    Ok(Source::Task { run_id, client })
}

/// Gives a run the model and the permissions of a profile, each where it says nothing itself. For a worker's run the control plane has done so.
async fn with_profile(config: &mut AgentConfig, uid: String, plane: Connection) -> Result<(), CliError> {
    let Profile { settings, uid, .. } = plane.client()?.send(&GetProfile { uid }).await?;
    if config.model_id.is_none() {
        config.model_id = Profile::base_model(&settings).map(str::to_owned);
    }
    let own = config.permissions.take().unwrap_or_default();
    config.permissions = Some(own.or(&Profile::permissions(&settings)?));
    config.profile_id = Some(uid);
    Ok(())
}

/// A run of this machine's own, recorded where a control plane is there to record it.
async fn own(task: Task, offline: bool, connection: Connection) -> Result<Source, CliError> {
    let client = if offline { None } else { recorder(connection).await? };
    if client.is_none() && task.config.environment_id.is_some() {
        return Err(CliError::new("--environment needs the control plane that has the environment"));
    }
    Ok(Source::Local { prompt: task.prompt, config: task.config, client })
}

async fn recorder(connection: Connection) -> Result<Option<Client>, CliError> {
    let url = connection.server_url.clone();
    if connection.api_key.is_none() {
        out::note(format!("This run is not recorded: there is no key for {url}."));
        return Ok(None);
    }
    let here = url.contains("//127.") || url.contains("//localhost") || url.contains("//[::1]");
    let client = connection.client()?;
    if client.healthy(if here { PROBE_HERE } else { PROBE_ELSEWHERE }).await {
        return Ok(Some(client));
    }
    out::note(format!("This run is not recorded: no control plane answers at {url}."));
    Ok(None)
}

async fn for_programs(options: Options, server_url: &str) -> Result<Finished, CliError> {
    let mut show = |event: DriverEvent| {
        let line = machine::line(&event, server_url);
        // A reader that went away does not end the run.
        line.into_iter().for_each(|line| drop(out::json_line(&line)));
    };
    let finished = driver::drive(options, &mut show, signals::interrupt()?).await;
    out::json_line(&machine::result(&finished))?;
    Ok(finished)
}

/// Shows a run to whoever sits there, or reads it later. Answers also whether they ended it with Ctrl-C.
async fn for_people(mut options: Options) -> Result<(Finished, bool), CliError> {
    let live = Live::new("the agent works");
    let mut said = String::new();
    let here = CancellationToken::new();
    let mut person = Person::present(&live, &here)?.map(|(person, steer)| {
        options.steer = Some(steer);
        person
    });
    let stop = if person.is_some() { here } else { signals::interrupt()? };
    let mut show = |event: DriverEvent| {
        match &event {
            DriverEvent::RunStarted { run_id } => live.print(format!("Run ID: {run_id}\n")),
            DriverEvent::Event(event) => {
                live.harness(event);
                if let HarnessEvent::Text { text } = event {
                    said.clone_from(text);
                }
            }
            DriverEvent::Listens => {}
        }
        if let Some(person) = &mut person {
            person.sees(&event);
        }
    };
    let finished = driver::drive(options, &mut show, stop).await;
    live.finish();
    let stopped = person.as_ref().is_some_and(Person::stopped);
    drop(person);
    let summary = out::plain(finished.status.message.trim());
    if finished.state != RunState::Succeeded {
        out::note(CliError::new(format!("the run is {}: {summary}", finished.state)));
    } else if out::plain(said.trim()) != summary {
        // A model that ends without a summary has just said it.
        out::line(summary);
    }
    Ok((finished, stopped))
}
