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
    cmd::{Outcome, ask, mcp},
    connection::{self, Connection},
    error::{CliError, INTERRUPTED},
    live::Live,
    out, settings, signals,
};
use clap::{Arg, ArgAction, ArgGroup, Args};
use oz_agent::driver::{self, DriverEvent, DriverResult, Options, Source};
use oz_client::Client;
use oz_core::{
    RunId, RunState,
    api::{GetProfile, Profile},
    config::AgentConfig,
    env,
    harness::{HarnessEvent, McpStartup},
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
    group = ArgGroup::new("what").required(true).multiple(true).args(["prompt", "saved_prompt", "skill", "task_id", "file", "interactive"]),
    override_usage = "oz agent run [OPTIONS] <--prompt <TEXT>|--skill <SPEC>|--file <PATH>>",
    after_help = "Examples:
  oz agent run -p \"explain the build\"
  oz agent run -i
  oz agent run -p - <task.md
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
    /// Go on talking with the agent when it has done what it was asked; at a terminal
    #[arg(short, long, conflicts_with = "task_id")]
    interactive: bool,
    /// Do not record the run on a control plane
    #[arg(long, conflicts_with_all = ["environment", "share"])]
    offline: bool,
    /// Who may watch the run: `team`, which needs a control plane that records it
    #[arg(long, value_name = "RECIPIENT", num_args = 0..=1, default_missing_value = "", value_parser = recipient)]
    share: Vec<Recipient>,
    /// End the run when one of its MCP servers does not start
    #[arg(long)]
    strict_mcp_startup: bool,
    /// How long each MCP server may take to start, such as 20s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    mcp_startup_timeout: Option<Duration>,
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
    /// The machine is disposable: the agent may do everything without asking
    #[arg(long, hide = true)]
    sandboxed: bool,
    /// How long to wait for more at a terminal, when the agent has done what it was asked
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "45m", value_parser = duration)]
    idle_on_complete: Option<Duration>,
    #[arg(long, hide = true)]
    mcp_server: Vec<String>,
    #[arg(long, hide = true)]
    bedrock_inference_role: Option<String>,
    #[arg(long, hide = true, requires_all = ["task_id", "idle_on_complete"])]
    skip_initial_turn: bool,
    #[arg(long, hide = true, requires = "task_id")]
    configure_git_credentials_with_github: bool,
    #[arg(long, hide = true, requires = "task_id")]
    repository_head_override_json: Vec<String>,
    #[arg(long, hide = true, requires = "task_id")]
    remove_repository_origins: bool,
}

/// What changes nothing here: a failed run does not wait, and there is no window.
fn ignored() -> [Arg; 3] {
    let arg = |name| Arg::new(name).long(name).hide(true);
    let idle = |name, bare| arg(name).num_args(0..=1).default_missing_value(bare).value_parser(duration);
    [
        idle("idle-on-fail", "15m").env("OZ_IDLE_ON_FAIL"),
        arg("bedrock-role-region").requires("bedrock_inference_role"),
        arg("gui").action(ArgAction::SetTrue),
    ]
}

/// Who may watch a run beside whoever started it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Recipient {
    /// Nobody else.
    Owner,
    /// The team.
    Team,
    /// Whoever is named so, which no control plane of ours can do.
    Other(String),
}

fn recipient(text: &str) -> Result<Recipient, String> {
    let (who, level) = text.split_once(':').unwrap_or((text, "view"));
    if matches!(level, "view" | "edit") {
        match who {
            "" => return Ok(Recipient::Owner),
            "team" => return Ok(Recipient::Team),
            who if who == "public" || who.contains('@') => return Ok(Recipient::Other(text.to_owned())),
            _ => {}
        }
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
    let json = global.output_format.is_json();
    if args.interactive && (json || !ask::is_possible()) {
        return Err(CliError::new(
            "--interactive needs a terminal to talk at, and no --output-format json or ndjson",
        )
        .hint("leave --interactive out: the run then ends when the agent has done what it was asked"));
    }
    let for_worker = hidden.task_id.is_some();
    let shared = !for_worker && !args.share.is_empty();
    let idle = hidden.idle_on_complete.filter(|_| !for_worker);
    let mut group = None;
    let source = match &hidden.task_id {
        Some(id) => given(id.parse()?, connection)?,
        None => {
            config::refuse(&[(hidden.bedrock_inference_role.is_some(), "--bedrock-inference-role")])?;
            check_share(&args.share)?;
            if args.interactive && nothing_to_do(&args.options) {
                let Some(prompt) = ask::text("What is to be done? ")? else { return Ok(true) };
                args.options.prompt = Some(prompt);
            }
            if args.options.prompt.as_deref() == Some("-") {
                args.options.prompt = Some(std::io::read_to_string(std::io::stdin())?);
            }
            saved_prompt::resolve(&mut args.options, || connection::of(global).client()).await?;
            args.options.mcp.extend(hidden.mcp_server.iter().cloned());
            let mut task = config::task(&args.options)?;
            mcp::look_up(&mut task.config.mcp_servers, || connection::of(global).client()).await?;
            if let Some(uid) = args.profile {
                with_profile(&mut task.config, uid, connection.clone()).await?;
            }
            if hidden.sandboxed {
                task.config.permissions.get_or_insert_default().run_until_completion = true;
            }
            if let Some(uid) = task.config.environment_id.as_deref()
                && !consent::given(&connection.clone().client()?, uid, args.yes).await?
            {
                return Ok(true);
            }
            group = Group::join(&task.config)?;
            own(task, args.offline, shared, connection).await?
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
    if hidden.sandboxed {
        vars.insert("IS_SANDBOX".to_owned(), "1".to_owned());
    }
    let mut options = Options::new(source, cwd, vars);
    options.model = args.options.model;
    options.recorded = shared;
    options.talks = args.interactive || idle.is_some();
    options.mcp_startup = McpStartup { strict: args.strict_mcp_startup, patience: args.mcp_startup_timeout };
    let (finished, stopped) = if json {
        (for_programs(options, &server_url, shared).await?, false)
    } else {
        for_people(options, shared, idle.filter(|_| !args.interactive)).await?
    };
    drop(group);
    if stopped {
        std::process::exit(INTERRUPTED.into());
    }
    Ok(finished.state == RunState::Succeeded)
}

/// Refuses recipients that no run can have.
fn check_share(recipients: &[Recipient]) -> Result<(), CliError> {
    match recipients.iter().find_map(|who| if let Recipient::Other(who) = who { Some(who) } else { None }) {
        Some(who) => Err(CliError::new(format!(
            "--share {who}: this version shows a run to its team, and to nobody else; use --share team"
        ))),
        None => Ok(()),
    }
}

fn nothing_to_do(options: &AgentOptions) -> bool {
    options.prompt.is_none()
        && options.saved_prompt.is_none()
        && options.skill.is_none()
        && options.file.is_none()
}

fn directory(wanted: Option<&Path>) -> Result<PathBuf, CliError> {
    let path = wanted.map_or_else(std::env::current_dir, |dir| Ok(dir.to_owned()))?;
    let shown = path.display();
    let found = path.canonicalize().map_err(|e| CliError::new(format!("--cwd '{shown}': {}", reason(&e))))?;
    if found.is_dir() {
        Ok(found)
    } else {
        Err(CliError::new(format!("--cwd '{shown}': it is a file; name a directory")))
    }
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
    let Profile { settings, uid, .. } =
        plane.client()?.send(&GetProfile { uid }).await.map_err(|e| CliError::from(e).of("--profile"))?;
    if config.model_id.is_none() {
        config.model_id = Profile::base_model(&settings).map(str::to_owned);
    }
    let own = config.permissions.take().unwrap_or_default();
    config.permissions = Some(own.or(&Profile::permissions(&settings)?));
    config.profile_id = Some(uid);
    Ok(())
}

/// A run of this machine's own, recorded where a control plane is there to record it.
async fn own(task: Task, offline: bool, shared: bool, connection: Connection) -> Result<Source, CliError> {
    let client = if offline { None } else { recorder(connection, shared).await? };
    if client.is_none() && task.config.environment_id.is_some() {
        return Err(CliError::new("--environment needs the control plane that has the environment"));
    }
    Ok(Source::Local { prompt: task.prompt, config: task.config, client })
}

async fn recorder(connection: Connection, shared: bool) -> Result<Option<Client>, CliError> {
    let url = connection.server_url.clone();
    let unrecorded = |why: String| {
        if shared {
            let text = format!("--share needs a control plane that records the run: {why}");
            return Err(CliError::new(text).hint("log in with `oz login`, or leave --share out"));
        }
        out::note(format!("This run is not recorded: {why}."));
        Ok(None)
    };
    if connection.api_key.is_none() {
        return unrecorded(format!("there is no key for {url}"));
    }
    let here = url.contains("//127.") || url.contains("//localhost") || url.contains("//[::1]");
    let client = connection.client()?;
    if client.healthy(if here { PROBE_HERE } else { PROBE_ELSEWHERE }).await {
        return Ok(Some(client));
    }
    unrecorded(format!("no control plane answers at {url}"))
}

async fn for_programs(options: Options, server_url: &str, shared: bool) -> Result<DriverResult, CliError> {
    let mut show = |event: DriverEvent| {
        let line = machine::line(&event, server_url);
        let sharing = machine::sharing(&event, server_url).filter(|_| shared);
        // A reader that went away does not end the run.
        line.into_iter().chain(sharing).for_each(|line| drop(out::json_line(&line)));
    };
    let finished = driver::drive(options, &mut show, signals::interrupt()?).await;
    out::json_line(&machine::result(&finished))?;
    Ok(finished)
}

/// Shows a run to whoever sits there, or reads it later. Answers also whether they ended it with Ctrl-C.
async fn for_people(
    mut options: Options,
    shared: bool,
    idle: Option<Duration>,
) -> Result<(DriverResult, bool), CliError> {
    let live = Live::new("the agent works");
    let mut said = String::new();
    let here = CancellationToken::new();
    let mut person = Person::present(&live, &here, idle)?.map(|(person, steer)| {
        options.steer = Some(steer);
        person
    });
    let stop = if person.is_some() { here } else { signals::interrupt()? };
    let mut show = |event: DriverEvent| {
        match &event {
            DriverEvent::RunStarted { run_id } => {
                live.recorded(run_id);
                live.print(format!("Run ID: {run_id}\n"));
                if shared {
                    live.print(format!("Shared: the team watches it with `oz run watch {run_id}`.\n"));
                }
            }
            DriverEvent::Event { event } => {
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

/// Why a directory can't be had, in words.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such directory".to_owned(),
        _ => error.to_string(),
    }
}
