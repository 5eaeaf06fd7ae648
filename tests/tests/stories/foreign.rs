//! Command line agents of others, the real programs, as runs on a real repository with a fake model service.

mod claude;
mod codex;
mod command;
mod gemini;
mod opencode;
mod program;

use super::mcp;
use fake_model::{FakeModel, Turn};
use oz_core::{
    Run, RunId, RunState,
    api::ReadLog,
    config::{AgentConfig, HarnessConfig, HarnessType, SourceRepo},
    harness::HarnessEvent,
    transcript::LogItem,
};
use oz_tests::{World, processes, tools, world::Options};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The key that the fake services take.
const KEY: &str = "sk-of-the-worker-0123456789";
/// How long a program of others may take that starts for the first time on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// The programs, installed when missing.
fn programs() -> PathBuf {
    tools::node_modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("clis")).join(".bin")
}

/// A world whose worker has the programs and these variables.
fn world(mut env: Vec<(String, String)>) -> World {
    let path = format!("{}:{}", programs().display(), std::env::var("PATH").unwrap());
    env.push(("PATH".to_owned(), path));
    World::start(Options { env, ..Options::default() })
}

/// A run with this harness on a repository whose greeting is wrong.
fn config(world: &World, kind: HarnessType, model_id: Option<&str>) -> AgentConfig {
    let made = world.path().join("repos/greeter");
    let files = [
        ("greet.sh", "echo hallo\n"),
        ("test.sh", "test \"$(sh greet.sh)\" = hello || { echo wrong; exit 1; }\n"),
        ("AGENTS.md", "Rules of agents: speak quietly.\n"),
        ("CLAUDE.md", "Rules of Claude: bow first.\n"),
    ];
    let repo =
        if made.exists() { made.to_string_lossy().into_owned() } else { world.git_repo("greeter", &files) };
    AgentConfig {
        harness: Some(HarnessConfig {
            kind,
            model_id: model_id.map(str::to_owned),
            ..HarnessConfig::native()
        }),
        source_repos: vec![SourceRepo { url: repo, checkout_ref: None }],
        base_prompt: Some("You are the greeter's own helper.".into()),
        ..AgentConfig::default()
    }
}

/// The commands that put the greeting right.
const FIX: &str = "sed -i s/hallo/hello/ greet.sh && sh test.sh && git commit -qam 'Fix the greeting' && git push -q origin HEAD:oz/fix";
/// A command that tells what it sees of the agent's login and home.
const LOOK: &str = "sh test.sh; echo keys=$ANTHROPIC_API_KEY$OPENAI_API_KEY$CODEX_API_KEY; echo home=$HOME";

fn fixed(world: &World) -> bool {
    let clone = world.path().join("clone");
    let repo = world.path().join("repos/greeter");
    world.git(
        world.path(),
        &["clone", "-q", "-b", "oz/fix", &repo.to_string_lossy(), &clone.to_string_lossy()],
    );
    std::process::Command::new("sh").arg("test.sh").current_dir(clone).output().unwrap().status.success()
}

async fn events(world: &World, run_id: RunId) -> Vec<HarnessEvent> {
    let log = world.client().send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap().items;
    log.into_iter()
        .filter_map(|item| match item {
            LogItem::Entry { entry } => entry.event.known().cloned(),
            LogItem::Event { .. } => None,
        })
        .collect()
}

/// Every action has its one result, after it. Answers with their names.
fn paired(events: &[HarnessEvent]) -> Vec<String> {
    let mut open = Vec::new();
    let mut names = Vec::new();
    for event in events {
        match event {
            HarnessEvent::Action { id, name, .. } => {
                open.push(id.clone());
                names.push(name.clone());
            }
            HarnessEvent::ActionResult { action_id, .. } => {
                let at = open.iter().position(|id| id == action_id);
                open.remove(at.unwrap_or_else(|| panic!("a result without its action: {event:?}")));
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "actions without results: {open:?}");
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_key_is_told_what_to_do() {
    let world = World::start(Options::default());
    let config = AgentConfig {
        harness: Some(HarnessConfig { kind: HarnessType::Claude, ..HarnessConfig::native() }),
        ..AgentConfig::default()
    };
    let run = world.wait(world.dispatch("do it", config).await).await;
    let status = run.status_message.unwrap();
    assert_eq!(
        (run.state, status.error_code),
        (RunState::Failed, Some(oz_core::ErrorCode::AuthenticationRequired))
    );
    assert!(
        status.message.contains("claude_auth_secret_name") && status.message.contains("ANTHROPIC_API_KEY"),
        "{}",
        status.message
    );
}
