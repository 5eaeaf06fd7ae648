use super::*;
use crate::{
    cli::{Cli, Command},
    cmd::agent::AgentCommand,
};
use clap::Parser as _;
use serde_json::{Value, json};

const ID: &str = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e";

fn sent(args: &[&str]) -> Result<Value, String> {
    let cli = Cli::try_parse_from([&["oz", "agent", "run-cloud"], args].concat()).unwrap();
    let Some(Command::Agent(AgentCommand::RunCloud(args))) = cli.command else { panic!("{args:?}") };
    let request = request(*args).map_err(|e| e.to_string())?;
    Ok(serde_json::to_value(request).unwrap())
}

#[test]
fn flags_are_sent() {
    let args = [
        ["--prompt", "/plan do it"],
        ["--environment", "e"],
        ["--skill", "me/app: fix"],
        ["--mcp", "linear"],
        ["--mcp", r#"{"a": {"url": "http://x"}}"#],
        ["--conversation", ID],
        ["--parent-run-id", ID],
        ["--agent", "a1"],
        ["--title", "t"],
        ["--runner", "r"],
    ]
    .concat();
    assert_eq!(
        sent(&args).unwrap(),
        json!({ "prompt": "do it", "mode": "plan", "title": "t", "skill": "me/app:fix", "conversation_id": ID,
            "parent_run_id": ID, "agent_identity_uid": "a1",
            "config": { "environment_id": "e", "runner_id": "r",
                "mcp_servers": { "linear": { "warp_id": "linear" }, "a": { "url": "http://x" } } } })
    );
    assert_eq!(
        sent(&["--skill", "s", "--no-environment", "--personal"]).unwrap(),
        json!({ "mode": "normal", "skill": "s", "team": false, "config": { "environment_id": "" } })
    );
    let given = ["--secret", "A", "--secret", "B", "--env", "K=a=b", "--git-credential", "github.com=T:bot"];
    assert_eq!(
        sent(&[&["-p", "x"], &given[..]].concat()).unwrap()["config"],
        json!({ "secrets": [{ "name": "A" }, { "name": "B" }], "environment_variables": { "K": "a=b" },
            "git_credentials": [{ "host": "github.com", "secret": "T", "username": "bot" }] })
    );
    assert_eq!(sent(&["-p", "x", "--no-secrets"]).unwrap()["config"], json!({ "secrets": [] }));
    let error = sent(&["-p", "x", "--conversation", "short"]).unwrap_err();
    assert!(error.contains("conversation_id") && error.contains("short"), "{error}");
}

#[test]
fn a_harness_gets_its_own_secret_only() {
    let config = |args: &[&str]| sent(&[&["-p", "x"], args].concat()).map(|sent| sent["config"].clone());
    assert_eq!(
        config(&["--harness", "claude-code", "--claude-auth-secret", "S", "--model", "opus"]).unwrap(),
        json!({ "harness": { "type": "claude", "model_id": "opus" },
            "harness_auth_secrets": { "claude_auth_secret_name": "S" } })
    );
    for (args, expected) in [
        (&["--claude-auth-secret", "S"][..], "Error: --claude-auth-secret needs --harness claude"),
        (
            &["--harness", "claude", "--codex-auth-secret", "S"],
            "Error: --codex-auth-secret needs --harness codex",
        ),
    ] {
        assert_eq!(config(args).unwrap_err(), expected);
    }
}

#[test]
fn the_prompt_may_choose_the_mode() {
    assert_eq!(RunMode::called("/plan a b"), Some(("a b", RunMode::Plan)));
    assert_eq!(RunMode::called("/orchestrate a"), Some(("a", RunMode::Orchestrate)));
    assert_eq!(RunMode::called("/planning"), None);
}
