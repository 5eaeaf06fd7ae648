//! The arguments of `oz`, by command. Each command's own arguments stand with the command.

use crate::cmd;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Dispatch coding agents, watch them work, and host the platform that runs them.
#[derive(Debug, Parser)]
#[command(name = "oz", bin_name = "oz", disable_version_flag = true, arg_required_else_help = false, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    /// Print the version
    #[arg(short = 'V', long)]
    pub(crate) version: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "Examples:
  oz quickstart                                    see it work, in a temporary directory
  oz serve                                         host a control plane with a worker
  oz agent run-cloud -p \"fix the tests\" --repo https://github.com/me/app --wait
  oz run list";

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// API key [env: OZ_API_KEY, WARP_API_KEY]
    #[arg(long, global = true, value_name = "KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// How to print
    #[arg(long, global = true, value_name = "FORMAT", env = oz_core::env::OUTPUT_FORMAT, default_value = "pretty")]
    pub(crate) output_format: Format,
    /// Write logs to standard error
    #[arg(long, global = true)]
    pub(crate) debug: bool,
    /// Address of the control plane [env: OZ_SERVER_URL, WARP_SERVER_ROOT_URL]
    #[arg(long, global = true, value_name = "URL", hide = true)]
    pub(crate) server_root_url: Option<String>,
    /// Accepted for compatibility; one server does all here
    #[arg(long, global = true, value_name = "URL", hide = true)]
    pub(crate) ws_server_url: Option<String>,
    /// Accepted for compatibility; one server does all here
    #[arg(long, global = true, value_name = "URL", hide = true)]
    pub(crate) session_sharing_server_url: Option<String>,
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
    Quickstart(cmd::quickstart::QuickstartArgs),
    /// Host a control plane with a worker
    Serve(cmd::serve::ServeArgs),
    /// Take runs from a control plane on this machine
    Worker(cmd::worker::WorkerArgs),
    /// Run agents, here or on workers
    #[command(subcommand)]
    Agent(cmd::agent::AgentCommand),
    /// Look at runs and steer them
    #[command(subcommand, alias = "task")]
    Run(cmd::run::RunCommand),
    /// Remember the address and key of a control plane
    Login(cmd::login::LoginArgs),
    /// Forget the address and key
    #[command(after_help = "Examples:\n  oz logout")]
    Logout,
    /// Show who you are
    #[command(after_help = "Examples:\n  oz whoami\n  oz whoami --output-format json")]
    Whoami,
    /// Print a completion script for a shell
    #[command(
        after_help = "Examples:\n  oz completions bash > ~/.local/share/bash-completion/completions/oz"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What every way to start an agent takes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AgentOptions {
    /// The model
    #[arg(long, value_name = "ID")]
    pub(crate) model: Option<String>,
    /// Configuration file (YAML or JSON)
    #[arg(short, long, value_name = "PATH", env = oz_core::env::AGENT_CONFIG_FILE)]
    pub(crate) file: Option<PathBuf>,
    /// Label of the run
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    /// Which agent: oz, claude, codex, gemini or opencode
    #[arg(long, value_name = "HARNESS", value_parser = harness)]
    pub(crate) harness: Option<oz_core::config::HarnessType>,
    /// Clone this repository; repeatable [URL or URL@REF]
    #[arg(long = "repo", value_name = "URL[@REF]")]
    pub(crate) repos: Vec<String>,
    /// Run this command before the agent starts; repeatable
    #[arg(long = "setup-command", value_name = "COMMAND")]
    pub(crate) setup_commands: Vec<String>,
    /// Stop after this many model calls
    #[arg(long, value_name = "N")]
    pub(crate) max_turns: Option<u32>,
    /// Stop after this many tokens
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<u64>,
    /// Stop at this cost in US dollars
    #[arg(long, value_name = "USD")]
    pub(crate) max_cost: Option<f64>,
    /// Stop after this time, such as 30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) max_time: Option<std::time::Duration>,
}

fn harness(text: &str) -> Result<oz_core::config::HarnessType, String> {
    let kind = oz_core::config::HarnessType::from(text);
    if kind.is_known() {
        Ok(kind)
    } else {
        Err(format!("expected one of {}", oz_core::config::HarnessType::KNOWN.join(", ")))
    }
}

/// Reads a duration such as `90s` or `1h 30m`.
pub(crate) fn duration(text: &str) -> Result<std::time::Duration, String> {
    humantime::parse_duration(text).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests;
