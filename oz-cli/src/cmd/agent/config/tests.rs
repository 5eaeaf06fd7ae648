use super::*;
use oz_core::config::SourceRepo;
use serde_json::json;
use std::fs;

fn with_file(name: &str, text: &str, options: AgentOptions) -> Result<Task, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    task(&AgentOptions { file: Some(path), ..options }).map_err(|e| e.to_string())
}

#[test]
fn flags_win_over_the_file() {
    let yaml = "name: file\nmodel_id: m\nfallback_model_ids: [a]\nhost: h\nprompt: p\nlimits: { max_turns: 3, max_tokens: 5 }\nsource_repos: [{ url: /a }]\n";
    let flags = AgentOptions {
        name: Some("flag".into()),
        max_turns: Some(7),
        fallback_models: vec!["b".into(), "c/d".into()],
        repos: vec!["/b".into()],
        ..AgentOptions::default()
    };
    let Task { prompt, config } = with_file("a.yaml", yaml, flags).unwrap();
    let expected = AgentConfig {
        name: Some("flag".into()),
        model_id: Some("m".into()),
        fallback_model_ids: vec!["b".into(), "c/d".into()],
        worker_host: Some("h".into()),
        source_repos: vec![SourceRepo { url: "/b".into(), checkout_ref: None }],
        limits: Some(Limits { max_turns: Some(7), max_tokens: Some(5), ..Limits::default() }),
        ..AgentConfig::default()
    };
    assert_eq!((prompt.as_str(), config), ("p", expected));
}

#[test]
fn files_of_every_kind_are_read_and_mistakes_are_located() {
    let prompt = || AgentOptions { prompt: Some("p".into()), ..AgentOptions::default() };
    for (name, text) in
        [("a.json", r#"{"name":"n"}"#), ("a.yml", "name: n"), ("a", r#"{"name":"n"}"#), ("b", "name: n")]
    {
        assert_eq!(with_file(name, text, prompt()).unwrap().config.name.as_deref(), Some("n"), "{name}");
    }
    for (name, text, expected) in [
        ("a.yaml", "runner_id: r", "runner_id in the configuration file is not supported"),
        ("a.yaml", "harness: { type: command }", "harness.command.start"),
        ("a.yaml", "source_repos: [{ url: --upload-pack=x }]", "config.source_repos[0].url"),
    ] {
        let error = with_file(name, text, prompt()).unwrap_err();
        assert!(error.contains(expected) && error.lines().count() == 1, "{text}: {error}");
    }
    let error = with_file("a.yaml", "name: n", AgentOptions::default()).unwrap_err();
    assert!(error.contains("neither a prompt nor a skill"), "{error}");
}

#[test]
fn a_skill_is_enough_and_the_flag_wins() {
    let skill = |flag: Option<&str>, file: &str| {
        let options = AgentOptions { skill: flag.map(str::to_owned), ..AgentOptions::default() };
        let Task { prompt, config } = with_file("a.yaml", file, options).unwrap();
        (prompt, config.skill_spec, config.skills)
    };
    let only = |name: &str| (String::new(), Some(name.to_owned()), Vec::new());
    assert_eq!(skill(Some("flag"), "name: n"), only("flag"));
    assert_eq!(skill(None, "skill_spec: file"), only("file"));
    assert_eq!(skill(Some("flag"), "skills: [a, b]"), only("flag"));
    assert_eq!(skill(None, "skills: [a, b]").2, ["a", "b"]);
    assert_eq!(skill(Some("flag"), "environment_id: e\nprompt: p").0, "p");
}

#[test]
fn what_can_not_be_done_is_refused() {
    let options = AgentOptions { prompt: Some("p".into()), ..AgentOptions::default() };
    let options = AgentOptions { conversation: Some("c".into()), ..options };
    let error = task(&options).unwrap_err().to_string();
    assert_eq!(error, "Error: --conversation is not supported by this version of oz");
}

fn for_cloud(file: &str, options: AgentOptions) -> Result<(Option<String>, AgentConfig), String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.yaml");
    fs::write(&path, file).unwrap();
    cloud_task(&AgentOptions { file: Some(path), ..options }).map_err(|e| e.to_string())
}

#[test]
fn a_worker_may_be_able_to_do_more() {
    let file = "environment_id: e\nrunner_id: r\nskill_spec: s\nmcp_servers: { a: { command: x }, b: { command: y } }";
    let options = AgentOptions {
        environment: Some("f".into()),
        mcp: vec!["b".into()],
        harness: Some(HarnessType::Claude),
        model: Some("opus".into()),
        ..AgentOptions::default()
    };
    let (prompt, config) = for_cloud(file, options).unwrap();
    assert_eq!(prompt, None);
    assert_eq!(
        serde_json::to_value(config).unwrap(),
        json!({ "environment_id": "f", "runner_id": "r", "skill_spec": "s",
            "mcp_servers": { "a": { "command": "x" }, "b": { "warp_id": "b" } },
            "harness": { "type": "claude", "model_id": "opus" } })
    );
}

#[test]
fn the_same_harness_keeps_what_the_file_says_of_it() {
    let file = "prompt: p\nharness: { type: codex, model_id: m, reasoning_level: high }";
    let harness = |kind: HarnessType| {
        let options = AgentOptions { harness: Some(kind), ..AgentOptions::default() };
        serde_json::to_value(for_cloud(file, options).unwrap().1.harness).unwrap()
    };
    let same = json!({ "type": "codex", "model_id": "m", "reasoning_level": "high" });
    assert_eq!(harness(HarnessType::Codex), same);
    assert_eq!(harness(HarnessType::Oz), json!({ "type": "oz" }));
}

#[test]
fn a_run_on_a_worker_needs_something_to_do() {
    let with = |options: AgentOptions| for_cloud("name: n", options).map(|(prompt, _)| prompt);
    let error = with(AgentOptions::default()).unwrap_err();
    assert!(error.contains("neither a prompt nor a skill"), "{error}");
    for options in [
        AgentOptions { skill: Some("s".into()), ..AgentOptions::default() },
        AgentOptions { conversation: Some("c".into()), ..AgentOptions::default() },
    ] {
        assert_eq!(with(options), Ok(None));
    }
}
