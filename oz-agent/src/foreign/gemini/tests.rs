use super::*;
use crate::foreign::{End, Told};
use oz_core::{
    ErrorCode,
    config::Limits,
    harness::{ActionCategory, ActionState, HarnessEvent, Rule},
    permission::{PermissionLevel, Permissions},
};
use std::fs;

/// What Gemini CLI 0.61 told of a run.
const RECORDED: &str = include_str!("recorded.jsonl");

fn read(text: &str) -> (Vec<Told>, Box<dyn Reader>) {
    let mut reader = Gemini.reader(&HarnessTask::default());
    (text.lines().flat_map(|line| reader.line(line)).collect(), reader)
}

#[test]
fn a_recorded_run_is_understood() {
    let (told, mut reader) = read(RECORDED);
    assert_eq!(told[0], Told::Session("f3ee7bc1-ea34-4dec-a669-70858f269934".into()));
    assert_eq!(told.iter().filter(|told| **told == Told::Turn).count(), 3);
    let events: Vec<&HarnessEvent> = told
        .iter()
        .filter_map(|told| if let Told::Event(event) = told { Some(event) } else { None })
        .collect();
    let texts: Vec<&str> = events
        .iter()
        .filter_map(|e| if let HarnessEvent::Text { text } = e { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!(texts, ["Writing.", "All done."]);
    let pieces: String = events
        .iter()
        .filter_map(|e| if let HarnessEvent::Delta { text } = e { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!(pieces, "Writing.All done.");
    let actions: Vec<(&str, &ActionCategory)> = events
        .iter()
        .filter_map(|e| match e {
            HarnessEvent::Action { name, category, .. } => Some((name.as_str(), category)),
            _ => None,
        })
        .collect();
    assert_eq!(
        actions,
        [
            ("write_file", &ActionCategory::Files),
            ("run_shell_command", &ActionCategory::Command),
            ("read_file", &ActionCategory::Files),
            ("mcp_all_echo", &ActionCategory::Integration),
            ("write_todos", &ActionCategory::Documents),
            ("grep_search", &ActionCategory::Search),
        ]
    );
    let results: Vec<&ActionState> = events
        .iter()
        .filter_map(|e| if let HarnessEvent::ActionResult { state, .. } = e { Some(state) } else { None })
        .collect();
    let (good, bad) = (&ActionState::Completed, &ActionState::Failed);
    assert_eq!(results, [good, good, bad, good, bad, good]);
    assert!(events.iter().any(|e| matches!(e, HarnessEvent::Tasks { tasks } if tasks[0].title == "A")));
    let used: u64 = events
        .iter()
        .map(|e| if let HarnessEvent::Usage { usage, .. } = e { usage.total_tokens() } else { 0 })
        .sum();
    assert_eq!(used, 378);
    assert_eq!(reader.end(0, ""), End::Done(Some("All done.".into())));
}

#[test]
fn failures_have_their_codes() {
    let refused = r#"{"type":"result","status":"error","error":{"type":"unknown","message":"[API Error: API key not valid. Please pass a valid API key.]"}}"#;
    for (line, exit_code, errors, code) in [
        (refused, 144, "", ErrorCode::AuthenticationRequired),
        ("", 41, "Please set an Auth method", ErrorCode::AuthenticationRequired),
        ("", 53, "Reached max session turns", ErrorCode::BudgetExceeded),
        ("", 1, "TypeError: x\n\n", ErrorCode::InternalError),
        ("", 0, "", ErrorCode::InternalError),
    ] {
        let End::Failed(found, message) = read(line).1.end(exit_code, errors) else { panic!("{errors}") };
        assert_eq!(found, code, "{message}");
    }
}

#[test]
fn it_is_told_what_the_run_has() {
    let server = McpServerConfig {
        url: Some("https://mcp.example/mcp".into()),
        denied_tools: vec!["drop".into()],
        ..McpServerConfig::default()
    };
    let task = HarnessTask {
        prompt: "do it".into(),
        home: "/h".into(),
        model_id: Some("google/gemini-3-pro".into()),
        base_prompt: Some("Be kind.".into()),
        auth: BTreeMap::from([("GEMINI_API_KEY".to_owned(), "k".to_owned())]),
        limits: Limits { max_turns: Some(7), ..Limits::default() },
        permissions: Permissions { execute_commands: Some(PermissionLevel::Never), ..Permissions::default() },
        rules: vec![Rule { path: "/w/WARP.md".into(), text: "Rule.".into() }],
        mcp_servers: BTreeMap::from([("docs".to_owned(), server)]),
        ..HarnessTask::default()
    };
    let launch = Gemini.launch(&task).unwrap();
    assert_eq!(launch.words[5..], ["--model", "gemini-3-pro"]);
    assert_eq!(launch.stdin.as_deref(), Some("do it"));
    assert_eq!(
        launch.files[&PathBuf::from(".gemini/GEMINI.md")],
        b"Be kind.\n\nRules of /w/WARP.md:\n\nRule."
    );
    let settings: Value =
        serde_json::from_slice(&launch.files[&PathBuf::from(".gemini/settings.json")]).unwrap();
    assert_eq!(settings["security"]["auth"]["selectedType"], "gemini-api-key");
    assert_eq!(settings["context"]["fileName"], json!(["AGENTS.md", "GEMINI.md"]));
    assert_eq!(settings["tools"]["exclude"], json!(["run_shell_command", "web_fetch", "google_web_search"]));
    assert_eq!(settings["model"]["maxSessionTurns"], 7);
    let shell = String::from_utf8(launch.files[&PathBuf::from(SHELL)].clone()).unwrap();
    assert!(shell.contains("unset GEMINI_API_KEY"), "{shell}");
    assert_eq!(launch.env["BASH_ENV"], format!("/h/{SHELL}"));
    assert_eq!(settings["mcpServers"]["docs"]["httpUrl"], "https://mcp.example/mcp");
    assert_eq!(settings["mcpServers"]["docs"]["excludeTools"], json!(["drop"]));
    let level = HarnessTask { reasoning_level: Some("high".into()), ..HarnessTask::default() };
    assert!(Gemini.launch(&level).unwrap_err().to_string().contains("reasoning_level"));
}

#[test]
fn a_conversation_is_found_and_made_sound() {
    let home = tempfile::tempdir().unwrap();
    let task = HarnessTask { home: home.path().to_owned(), ..HarnessTask::default() };
    let chats = home.path().join(".gemini/tmp/project/chats");
    fs::create_dir_all(&chats).unwrap();
    let result = r#"{"id":"2","type":"user","content":[{"functionResponse":{"name":"ls","response":{}}}]}"#;
    let prompt = r#"{"id":"1","type":"user","content":[{"text":"hi"}]}"#;
    let whole = format!(
        "{{\"sessionId\":\"x\"}}\n{prompt}\n{result}\n{{\"$set\":{{\"messages\":[{prompt},{result}]}}}}\n"
    );
    fs::write(chats.join("session-1-feced963.jsonl"), "{}").unwrap();
    fs::write(chats.join("session-2-feced963.jsonl"), &whole).unwrap();
    fs::write(chats.join("session-3-00000000.jsonl"), whole.repeat(2)).unwrap();
    let saved = Gemini.saved(&task, "feced963-3f46-423b-bee1-cf833ca64751").unwrap();
    assert_eq!(saved.content, whole.as_bytes());
    assert_eq!(Gemini.saved(&task, "../../etc"), None);
    let later = HarnessTask { saved: Some(saved), ..task };
    let launch = Gemini.launch(&later).unwrap();
    let sound = String::from_utf8(launch.files[&PathBuf::from(RESTORED)].clone()).unwrap();
    assert!(!sound.contains("functionResponse"), "{sound}");
    assert_eq!(sound.lines().count(), 3);
    assert_eq!(sound.matches("hi").count(), 2);
    assert_eq!(launch.words[launch.words.len() - 2], "--session-file");
}
