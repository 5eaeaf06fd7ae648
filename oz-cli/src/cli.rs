//! The arguments of `oz` as a whole. Each command's own arguments stand with the command.

pub(crate) mod hints;

use crate::{cmd, error::CliError};
use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use oz_core::{Timestamp, api::SortOrder, config::GitCredential, env};
use std::{cmp::Ordering, collections::BTreeMap, time::Duration};

/// Dispatch coding agents, watch them work, and host the platform that runs them.
#[derive(Debug, Parser)]
#[command(name = "oz", bin_name = "oz", disable_version_flag = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// Print the version
    #[arg(short = 'V', long)]
    pub(crate) version: bool,
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "Examples:
  oz quickstart                 see it work, in a temporary directory
  oz serve                      host a control plane with a worker
  oz agent run-cloud -p \"fix the tests\" --repo https://github.com/me/app --wait
  oz agent run -p \"explain the build\"
  oz run list";

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options", args = ignored())]
pub(crate) struct Global {
    /// API key [env: OZ_API_KEY, WARP_API_KEY]
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// How to print
    #[arg(long, global = true, value_name = "FORMAT", env = env::OUTPUT_FORMAT, hide_env_values = true, default_value = "pretty")]
    pub(crate) output_format: Format,
    /// Write logs to standard error
    #[arg(long, global = true)]
    pub(crate) debug: bool,
    /// Address of the control plane [env: OZ_SERVER_URL, WARP_SERVER_ROOT_URL]
    #[arg(long, global = true, value_name = "URL", hide = true)]
    pub(crate) server_root_url: Option<String>,
}

/// What callers pass about other servers; one server does all here.
fn ignored() -> [Arg; 2] {
    ["ws-server-url", "session-sharing-server-url"]
        .map(|name| Arg::new(name).long(name).global(true).hide(true))
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Pretty,
    /// JSON
    Json,
    /// One JSON value a line
    Ndjson,
    /// Plain text for scripts
    Text,
}

impl Format {
    pub(crate) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See the whole thing work, in a temporary directory
    #[cfg(feature = "serve")]
    Quickstart(cmd::QuickstartArgs),
    /// Host a control plane with a worker
    #[cfg(feature = "serve")]
    Serve(cmd::ServeArgs),
    /// Take runs from a control plane on this machine
    Worker(Box<cmd::WorkerCommand>),
    /// Run agents, here or on workers, and name them
    #[command(
        subcommand,
        after_help = "Examples:
  oz agent run -p \"explain the build\"
  oz agent run-cloud -p \"fix the tests\" --repo https://github.com/me/app --wait
  oz agent create -n reviewer --prompt \"You review changes.\""
    )]
    Agent(cmd::AgentCommand),
    /// Look at runs and steer them
    #[command(
        subcommand,
        alias = "task",
        after_help = "Examples:
  oz run list --state in-progress
  oz run watch 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e"
    )]
    Run(cmd::RunCommand),
    /// What runs find prepared: repositories, an image, setup commands
    #[command(
        subcommand,
        visible_alias = "e",
        after_help = "Examples:
  oz environment init
  oz environment create -n app -r me/app -c \"npm ci\"
  oz environment list"
    )]
    Environment(cmd::EnvironmentCommand),
    /// Runs that start by the clock
    #[command(after_help = "Examples:
  oz schedule create --name nightly --cron \"0 3 * * *\" -p \"update the dependencies\"
  oz schedule list")]
    Schedule(Box<cmd::ScheduleArgs>),
    /// What runs may know and nobody can read back: keys, tokens, passwords
    #[command(
        subcommand,
        after_help = "Examples:
  oz secret create METABASE_API_KEY
  oz secret create claude api-key claude-login
  oz secret log METABASE_API_KEY"
    )]
    Secret(cmd::SecretCommand),
    /// What runs used: calls, tokens, dollars
    Usage(cmd::UsageArgs),
    /// How much runs may cost
    #[command(
        subcommand,
        after_help = "Examples:\n  oz budget get\n  oz budget set --monthly 200 --per-run 5"
    )]
    Budget(cmd::BudgetCommand),
    /// Prove to other services which run this is
    #[command(
        subcommand,
        after_help = "Examples:
  oz federate issue-token --run-id \"$OZ_RUN_ID\" --audience sts.amazonaws.com"
    )]
    Federate(cmd::FederateCommand),
    /// Files that runs leave behind
    #[command(
        subcommand,
        after_help = "Examples:
  oz artifact get 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
  oz artifact download 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e -o out/"
    )]
    Artifact(cmd::ArtifactCommand),
    /// MCP servers that your team shares
    #[command(
        subcommand,
        after_help = "Examples:
  oz mcp create tickets --url https://mcp.example.com --header \"Authorization={{TICKETS_TOKEN}}\"
  oz mcp list"
    )]
    Mcp(cmd::McpCommand),
    /// Models that runs may use, and services that have them
    #[command(
        subcommand,
        after_help = "Examples:
  oz model list
  oz model add local --api openai-chat --base-url http://localhost:11434/v1 --model qwen3-coder"
    )]
    Model(cmd::ModelCommand),
    /// Prompts that are kept to be used again
    #[command(
        subcommand,
        after_help = "Examples:
  oz prompt create -n review -f review.md
  oz prompt list"
    )]
    Prompt(cmd::PromptCommand),
    /// What runs compute on
    #[command(
        subcommand,
        after_help = "Examples:
  oz runner create -n small --vcpus 2 --memory-gb 4
  oz runner list"
    )]
    Runner(cmd::RunnerCommand),
    /// Other services that start runs
    #[command(subcommand, visible_alias = "i", after_help = "Examples:\n  oz integration list")]
    Integration(cmd::IntegrationCommand),
    /// Places where agents keep what they learn
    #[command(
        subcommand,
        alias = "memory-stores",
        after_help = "Examples:
  oz memory-store create -d \"what we know of the build\"
  oz memory-store list"
    )]
    MemoryStore(cmd::MemoryStoreCommand),
    /// What agents have learned
    #[command(
        subcommand,
        after_help = "Examples:
  oz memory list STORE
  oz memory create STORE -c \"the tests need Docker\" -r \"found out the hard way\""
    )]
    Memory(cmd::MemoryCommand),
    /// Keys of people and agents
    #[command(
        subcommand,
        after_help = "Examples:
  oz api-key create ci --expires-in 30d
  oz api-key list"
    )]
    ApiKey(cmd::ApiKeyCommand),
    /// Your team
    #[command(subcommand, after_help = "Examples:\n  oz team get\n  oz team rename \"Platform\"")]
    Team(cmd::TeamCommand),
    /// The people of your team
    #[command(
        subcommand,
        after_help = "Examples:
  oz user invite ann@example.com --role admin
  oz user list"
    )]
    User(cmd::UserCommand),
    /// Remember the address and key of a control plane
    Login(cmd::LoginArgs),
    /// Forget the address and key
    #[command(after_help = "Examples:\n  oz logout")]
    Logout,
    /// Show who you are
    #[command(after_help = "Examples:\n  oz whoami\n  oz whoami --output-format json")]
    Whoami,
    /// Check this machine and the control plane, and say what to do
    Doctor(cmd::DoctorArgs),
    /// Log git in, inside of a run
    #[command(hide = true)]
    GitCredential(cmd::GitCredentialArgs),
    /// Pass on messages to an MCP server over HTTP, inside of a run
    #[command(
        hide = true,
        after_help = "Examples:\n  OZ_MCP_SERVER='{\"url\": \"https://mcp.example.com/sse\"}' oz mcp-relay"
    )]
    McpRelay,
    /// Print a completion script for a shell
    Completions(cmd::CompletionsArgs),
    /// Print the manual page, or write a page for each command
    Man(cmd::ManArgs),
    /// What the agent of a run tells the platform
    #[command(
        hide = true,
        after_help = "Examples:
  oz harness-support --run-id RUN_ID report-shutdown
  oz harness-support finish-task --status success --summary \"Fixed the parser.\""
    )]
    HarnessSupport(cmd::HarnessSupportArgs),
    /// Show what a report of a bug needs
    #[command(hide = true, after_help = "Examples:\n  oz dump-debug-info --output-format json")]
    DumpDebugInfo,
}

/// Reads a duration such as `90s` or `1h 30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    // Stricter than the library, which takes a bare 0 and fractions.
    if text.contains('.') || text.trim().chars().all(|c| c.is_ascii_digit()) {
        return Err("a whole number with a unit is needed, for example 10s or 1h 30m".to_owned());
    }
    humantime::parse_duration(text).map_err(|e| e.to_string())
}

/// Reads a timestamp as RFC 3339 writes it.
pub(crate) fn timestamp(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|e| format!("invalid RFC 3339 timestamp '{text}': {e}"))
}

/// Reads a timestamp, or how long ago it was, such as `7d`.
pub(crate) fn ago_or_timestamp(text: &str) -> Result<Timestamp, String> {
    let Ok(ago) = duration(text) else {
        return timestamp(text).map_err(|e| format!("{e}; a time such as 7d means that long ago"));
    };
    Timestamp::now().checked_sub(ago).map_err(|e| e.to_string())
}

/// Reads `KEY=VALUE`. The value may be empty and may hold further `=`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// Reads `HOST=SECRET[:USER]`. A host may have a port, so that the secret begins after the `=`, not after a `:`.
pub(crate) fn git_credential(text: &str) -> Result<GitCredential, String> {
    let wrong = || "expected HOST=SECRET or HOST=SECRET:USER, for example github.com=GITHUB_TOKEN".to_owned();
    let (host, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (secret, username) = match rest.split_once(':') {
        Some((secret, user)) => (secret, Some(user.to_owned())),
        None => (rest, None),
    };
    if host.is_empty() || secret.is_empty() || username.as_ref().is_some_and(String::is_empty) {
        return Err(wrong());
    }
    let host = host.strip_prefix("https://").or_else(|| host.strip_prefix("http://")).unwrap_or(host);
    let host = host.trim_end_matches('/').to_ascii_lowercase();
    Ok(GitCredential { host, secret: secret.to_owned(), username })
}

/// The pairs of `flag` by their keys, none of which may be given twice.
pub(crate) fn unique(flag: &str, pairs: Vec<(String, String)>) -> Result<BTreeMap<String, String>, CliError> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        if map.contains_key(&key) {
            return Err(CliError::new(format!("{flag}: '{key}' is there twice")));
        }
        map.insert(key, value);
    }
    Ok(map)
}

/// Direction of a sorted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// Smallest or oldest first
    Asc,
    /// Largest or newest first
    Desc,
}

impl Order {
    /// An ascending comparison, turned where that is asked for.
    pub(crate) fn of(self, ascending: Ordering) -> Ordering {
        if self == Self::Desc { ascending.reverse() } else { ascending }
    }
}

impl From<Order> for SortOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Asc => Self::Asc,
            Order::Desc => Self::Desc,
        }
    }
}

/// Whose something new is.
#[derive(Debug, Clone, Args)]
pub(crate) struct Owner {
    /// It belongs to the team (default)
    #[arg(long, conflicts_with = "personal")]
    team: bool,
    /// It is yours alone
    #[arg(long)]
    personal: bool,
}

impl Owner {
    /// The choice, if there was one.
    pub(crate) fn team(&self) -> Option<bool> {
        if self.personal { Some(false) } else { self.team.then_some(true) }
    }
}

#[cfg(test)]
mod tests;
