//! What every way to start an agent takes.

use crate::cli::duration;
use clap::{Arg, ArgAction, Args};
use oz_core::{config::HarnessType, env};
use std::{path::PathBuf, time::Duration};

/// What the agent is to do, with what, and until when.
#[derive(Debug, Clone, Default, Args)]
#[command(args = ignored())]
pub(super) struct AgentOptions {
    /// What the agent is to do
    #[arg(short, long, value_name = "TEXT", conflicts_with = "saved_prompt")]
    pub(super) prompt: Option<String>,
    /// A saved prompt, as `oz prompt list` names it
    #[arg(long, value_name = "ID")]
    pub(super) saved_prompt: Option<String>,
    /// A skill: a name, `repo:name`, `owner/repo:name`, or the path of its file in place of the name
    #[arg(long, value_name = "SPEC", value_parser = skill)]
    pub(super) skill: Option<String>,
    /// The model, such as `claude-sonnet-4-5` or `ollama/qwen3-coder`
    #[arg(long, value_name = "ID")]
    pub(super) model: Option<String>,
    /// Go on with this model while the chosen one is away; repeatable
    #[arg(long = "fallback-model", value_name = "ID")]
    pub(super) fallback_models: Vec<String>,
    /// Configuration file (YAML or JSON)
    #[arg(short, long, value_name = "PATH", env = env::AGENT_CONFIG_FILE, hide_env_values = true)]
    pub(super) file: Option<PathBuf>,
    /// Label of the run
    #[arg(short, long)]
    pub(super) name: Option<String>,
    /// Which agent works: oz, claude, codex, gemini, opencode or command
    #[arg(long, value_name = "HARNESS", value_parser = harness)]
    pub(super) harness: Option<HarnessType>,
    /// Clone this repository into the workspace; repeatable
    #[arg(long = "repo", value_name = "URL[@REF]")]
    pub(super) repos: Vec<String>,
    /// Run this command before the agent starts; repeatable
    #[arg(long = "setup-command", value_name = "COMMAND")]
    pub(super) setup_commands: Vec<String>,
    /// Stop after this many model calls
    #[arg(long, value_name = "N")]
    pub(super) max_turns: Option<u32>,
    /// Stop after this many tokens
    #[arg(long, value_name = "N")]
    pub(super) max_tokens: Option<u64>,
    /// Stop at this cost in US dollars
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub(super) max_cost: Option<f64>,
    /// Stop after this time, such as 30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) max_time: Option<Duration>,
    /// An MCP server: the id or name of a shared one, a file or JSON; repeatable
    #[arg(long, value_name = "SPEC")]
    pub(super) mcp: Vec<String>,
    /// The environment to prepare
    #[arg(short, long, value_name = "ID")]
    pub(super) environment: Option<String>,
    /// The conversation to continue
    #[arg(long, value_name = "ID", hide = true)]
    pub(super) conversation: Option<String>,
    /// Let the agent use a screen
    #[arg(long, hide = true, conflicts_with = "no_computer_use")]
    pub(super) computer_use: bool,
    /// Don't let the agent use a screen
    #[arg(long, hide = true)]
    pub(super) no_computer_use: bool,
}

/// What callers pass about snapshots of the workspace, which this version never takes.
fn ignored() -> [Arg; 3] {
    let time = |name| Arg::new(name).long(name).value_parser(duration).hide(true);
    [
        Arg::new("no-snapshot").long("no-snapshot").action(ArgAction::SetTrue).hide(true),
        time("snapshot-upload-timeout"),
        time("snapshot-script-timeout"),
    ]
}

/// A skill without spaces around its parts, none of which may be empty.
fn skill(text: &str) -> Result<String, String> {
    let (place, name) = text.split_once(':').map_or((None, text), |(place, name)| (Some(place), name));
    let mut parts: Vec<&str> = place.map(|place| place.splitn(2, '/').collect()).unwrap_or_default();
    parts.push(name);
    if parts.iter().any(|part| part.trim().is_empty()) {
        return Err("expected a skill such as owner/repo:name".to_owned());
    }
    let trimmed: Vec<&str> = parts.iter().map(|part| part.trim()).collect();
    Ok(match trimmed[..] {
        [owner, repo, name] => format!("{owner}/{repo}:{name}"),
        [repo, name] => format!("{repo}:{name}"),
        _ => name.trim().to_owned(),
    })
}

fn harness(text: &str) -> Result<HarnessType, String> {
    let kind = HarnessType::from(text);
    if kind.is_known() { Ok(kind) } else { Err(format!("expected one of {}", HarnessType::KNOWN.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_skill_is_there() {
        for (text, expected) in [
            ("review", "review"),
            (" path/to/SKILL.md ", "path/to/SKILL.md"),
            ("app: review", "app:review"),
            ("me / app :review", "me/app:review"),
            ("a/b/c:x:y", "a/b/c:x:y"),
        ] {
            assert_eq!(skill(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", " ", ":x", "app:", "/app:x", "me/:x"] {
            assert!(skill(text).is_err(), "{text}");
        }
    }
}
