use super::*;
use crate::foreign::{End, Told};
use oz_core::{
    ErrorCode,
    config::McpServerConfig,
    harness::{HarnessEvent, Rule},
    permission::{PermissionLevel, Permissions},
};
use serde_json::{Value, json};

/// What opencode 1.18 told of a run.
const RECORDED: &str = include_str!("recorded.jsonl");
/// What it told when its key was wrong.
const REFUSED: &str = include_str!("refused.jsonl");

fn read(text: &str) -> (Vec<Told>, Box<dyn Reader>) {
    let task = HarnessTask { model_id: Some("anthropic/m".into()), ..HarnessTask::default() };
    let mut reader = Opencode.reader(&task);
    (text.lines().flat_map(|line| reader.line(line)).collect(), reader)
}

#[test]
fn a_recorded_run_is_understood() {
    let (told, mut reader) = read(RECORDED);
    assert_eq!(told[0], Told::Session("ses_e0170a485ffetUXcfZ5XsnGgfs".into()));
    assert_eq!(told.iter().filter(|told| **told == Told::Turn).count(), 3);
    let events: Vec<&HarnessEvent> = told
        .iter()
        .filter_map(|told| if let Told::Event(event) = told { Some(event) } else { None })
        .collect();
    let mut seen = Vec::new();
    let mut used = 0;
    for event in &events {
        match event {
            HarnessEvent::Text { text } | HarnessEvent::Reasoning { text } => seen.push(text.clone()),
            HarnessEvent::Action { name, category, .. } => seen.push(format!("{name} {category}")),
            HarnessEvent::ActionResult { state, .. } => seen.push(state.to_string()),
            HarnessEvent::Tasks { tasks } => seen.push(format!("{} {}", tasks[0].title, tasks[0].state)),
            HarnessEvent::Usage { usage, model } => {
                assert_eq!(model, "anthropic/m");
                used += usage.total_tokens();
            }
            other => panic!("{other:?}"),
        }
    }
    let expected = "Think.|Writing.|write files|completed|todowrite documents|completed|A in_progress|read files|failed|\
                    all_echo integration|completed|grep search|failed|bash command|completed|All done.";
    assert_eq!(seen.join("|"), expected);
    assert_eq!(used, 105 + 125 + 133);
    let exit_code = events.iter().find_map(|event| match event {
        HarnessEvent::ActionResult { output, .. } => output.get("exit_code"),
        _ => None,
    });
    assert_eq!(exit_code, Some(&json!(3)));
    assert_eq!(reader.end(0, ""), End::Done(Some("All done.".into())));
}

#[test]
fn failures_have_their_codes() {
    let (_, mut reader) = read(REFUSED);
    let End::Failed(code, message) = reader.end(1, "") else { panic!("it failed") };
    assert_eq!(code, ErrorCode::AuthenticationRequired);
    assert!(message.contains("invalid x-api-key"), "{message}");
    let End::Failed(code, _) = read("").1.end(NOT_FOUND, "sh: 1: exec: opencode: not found") else {
        panic!()
    };
    assert_eq!(code, ErrorCode::EnvironmentSetupFailed);
    let End::Failed(code, message) = read("").1.end(1, "first\nlast\n") else { panic!() };
    assert_eq!((code, message.as_str()), (ErrorCode::InternalError, "opencode ended with 1: last"));
}

#[test]
fn it_is_told_what_the_run_has() {
    let local = McpServerConfig {
        command: Some("server".into()),
        args: vec!["stdio".into()],
        allowed_tools: vec!["echo".into()],
        ..McpServerConfig::default()
    };
    let task = HarnessTask {
        prompt: "do it".into(),
        home: "/h".into(),
        workspace: "/w".into(),
        model_id: Some("gpt-5".into()),
        base_prompt: Some("Be kind.".into()),
        auth: [("ANTHROPIC_API_KEY", "k"), ("ANTHROPIC_BASE_URL", "http://a/")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        permissions: Permissions { apply_code_diffs: Some(PermissionLevel::Never), ..Permissions::default() },
        rules: ["/w/AGENTS.md", "/w/WARP.md"]
            .map(|path| Rule { path: path.into(), text: "Rule.".into() })
            .into(),
        mcp_servers: BTreeMap::from([("all".to_owned(), local)]),
        ..HarnessTask::default()
    };
    let launch = Opencode.launch(&task).unwrap();
    assert_eq!(launch.words[7..], ["--model", "openai/gpt-5"]);
    assert_eq!(launch.env["OPENCODE_CONFIG"], "/h/.oz/opencode.json");
    let config: Value = serde_json::from_slice(&launch.files[&PathBuf::from(CONFIG)]).unwrap();
    assert_eq!(
        config["provider"]["anthropic"]["options"],
        json!({ "apiKey": "k", "baseURL": "http://a/v1" })
    );
    assert_eq!(launch.env["ANTHROPIC_API_KEY"], "");
    assert_eq!(config["provider"]["openai"]["models"], json!({ "gpt-5": {} }));
    assert_eq!(config["instructions"], json!(["/h/.oz/instructions.md"]));
    assert_eq!(config["permission"]["edit"], "deny");
    assert_eq!(launch.files[&PathBuf::from(INSTRUCTIONS)], b"Be kind.\n\nRules of /w/WARP.md:\n\nRule.");
    assert_eq!(config["mcp"]["all"]["command"], json!(["server", "stdio"]));
    let rules = &config["permission"];
    assert_eq!((&rules["all_*"], &rules["all_echo"]), (&json!("deny"), &json!("allow")));
    let saved =
        SavedSession { format: "opencode".into(), session_id: "ses_1".into(), content: b"{}".to_vec() };
    let launch = Opencode.launch(&HarnessTask { saved: Some(saved), ..task }).unwrap();
    assert_eq!(launch.words[..5], ["sh", "-c", TAKE_UP, "/h/.oz/conversation.json", "run"]);
    assert_eq!(launch.words[launch.words.len() - 2..], ["--session", "ses_1"]);
    assert_eq!(launch.files[&PathBuf::from(RESTORED)], b"{}");
}
