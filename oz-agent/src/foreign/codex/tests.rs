//! What Codex 0.169 printed, and what is made of it.

use super::{reader::CodexReader, *};
use crate::foreign::{End, Told};
use oz_core::{
    ErrorCode,
    config::{McpServerConfig, McpTransport},
    harness::HarnessEvent,
    permission::{PermissionLevel, Permissions},
    usage::Usage,
};

const RECORDED: &str = include_str!("../fixtures/codex.jsonl");

fn read(text: &str, earlier: Usage) -> (Vec<Told>, CodexReader) {
    let mut reader = CodexReader::new("gpt-5".into(), String::new(), earlier);
    let told = text.lines().flat_map(|line| reader.line(line)).collect();
    (told, reader)
}

#[test]
fn a_whole_conversation() {
    let (told, mut reader) = read(RECORDED, Usage::default());
    let word = |told: &Told| match told {
        Told::Session(id) => format!("session {id}"),
        Told::Turn => "turn".into(),
        Told::Rest => "rest".into(),
        Told::Event(HarnessEvent::Text { text }) => format!("text {text}"),
        Told::Event(HarnessEvent::Reasoning { text }) => format!("reasoning {text}"),
        Told::Event(HarnessEvent::Action { id, name, category, .. }) => format!("{id} {category} {name}"),
        Told::Event(HarnessEvent::ActionResult { action_id, state, output, .. }) => {
            let code = output.get("exit_code").map(|code| format!(" {code}")).unwrap_or_default();
            format!("{action_id} {state}{code}")
        }
        Told::Event(HarnessEvent::Usage { usage, .. }) => {
            format!("usage {} {}", usage.input_tokens, usage.output_tokens)
        }
        other => panic!("{other:?}"),
    };
    let expected = [
        "session 01a1fe8d-2754-7af1-adf7-538b71d9b3cf",
        "turn",
        "reasoning Let me think.",
        "text I will look first.",
        "item_3 command run_command",
        // An action that is told again tells the engine nothing new.
        "item_3 command run_command",
        "item_3 completed 0",
        "turn",
        "item_4 files edit_files",
        "item_4 files edit_files",
        "item_4 completed",
        "turn",
        "item_5 command run_command",
        "item_5 command run_command",
        "item_5 failed 3",
        "turn",
        "text Done: new.txt.",
        "usage 1000 150",
        "rest",
    ];
    let seen: Vec<String> = told.iter().map(word).collect();
    assert_eq!(seen, expected);
    assert_eq!(reader.end(0, ""), End::Done(Some("Done: new.txt.".into())));
}

#[test]
fn a_conversation_that_is_taken_up_counts_only_what_is_new() {
    let line = r#"{"type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":1000,"cached_input_tokens":600,"output_tokens":150}}}}"#;
    let earlier = rollout::used(format!("{{}}\n{line}\nnonsense\n").as_bytes());
    assert_eq!((earlier.input_tokens, earlier.cache_read_tokens, earlier.output_tokens), (400, 600, 150));
    let turn = r#"{"type":"turn.completed","usage":{"input_tokens":1050,"cached_input_tokens":600,"output_tokens":155}}"#;
    let (told, _) = read(turn, earlier);
    let Told::Event(HarnessEvent::Usage { usage, .. }) = &told[0] else { panic!("{told:?}") };
    assert_eq!((usage.input_tokens, usage.cache_read_tokens, usage.output_tokens), (50, 0, 5));
}

#[test]
fn failures_have_their_codes() {
    let error = |text: &str| format!(r#"{{"type":"error","message":"{text}"}}"#);
    let refused =
        error("Reconnecting... 1/5 (unexpected status 401 Unauthorized: Incorrect API key provided.)");
    let (told, _) = read(&format!("{refused}\n{refused}"), Usage::default());
    assert!(matches!(&told[..], [Told::Hopeless(ErrorCode::AuthenticationRequired, _)]), "{told:?}");
    let waiting = error("Reconnecting... waiting for network (Connection failed: error sending request)");
    let (told, _) = read(&[&waiting[..]; 5].join("\n"), Usage::default());
    assert!(matches!(&told[..], [Told::Hopeless(ErrorCode::ResourceUnavailable, _)]), "{told:?}");
    let failed =
        r#"{"type":"turn.failed","error":{"message":"Missing environment variable: `OPENAI_API_KEY`."}}"#;
    let End::Failed(code, _) = read(failed, Usage::default()).1.end(1, "") else { panic!() };
    assert_eq!(code, ErrorCode::AuthenticationRequired);
    let end = read("", Usage::default()).1.end(1, "no rollout found for thread id x");
    assert!(matches!(&end, End::Failed(_, text) if text.contains("no rollout found")), "{end:?}");
}

#[test]
fn other_items() {
    let items = [
        r#"{"type":"item.completed","item":{"id":"1","type":"mcp_tool_call","server":"s","tool":"t","arguments":{"a":1},"result":{"content":[{"type":"text","text":"hi"}]},"error":null,"status":"completed"}}"#,
        r#"{"type":"item.completed","item":{"id":"2","type":"todo_list","items":[{"text":"a","completed":true}]}}"#,
        r#"{"type":"item.completed","item":{"id":"3","type":"web_search","query":"q"}}"#,
        r#"{"type":"item.completed","item":{"id":"4","type":"error","message":"a warning"}}"#,
        r#"{"type":"item.completed","item":null}"#,
        "rubbish",
    ];
    let (told, _) = read(&items[..1].join("\n"), Usage::default());
    let [
        Told::Turn,
        Told::Event(HarnessEvent::Action { name, .. }),
        Told::Event(HarnessEvent::ActionResult { output, .. }),
    ] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!((name.as_str(), &output["output"]), ("s/t", &serde_json::json!("hi")));
    assert!(read(&items[1..].join("\n"), Usage::default()).0.len() >= 4);
}

fn config(task: &HarnessTask) -> String {
    let launch = Codex.launch(task).unwrap();
    String::from_utf8(launch.files[&PathBuf::from(".codex/config.toml")].clone()).unwrap()
}

#[test]
fn it_is_configured_as_the_task_says() {
    let server = McpServerConfig {
        command: Some("server".into()),
        allowed_tools: vec!["echo".into()],
        ..McpServerConfig::default()
    };
    let task = HarnessTask {
        home: "/h".into(),
        workspace: "/w".into(),
        reasoning_level: Some("high".into()),
        base_prompt: Some("Say \"moo\"\nand \u{7f}.".into()),
        mcp_servers: [("a.b".to_owned(), server.clone())].into(),
        env: [("HOME".to_owned(), "/user".to_owned())].into(),
        auth: [
            ("CODEX_API_KEY".to_owned(), "secret".to_owned()),
            ("OPENAI_BASE_URL".to_owned(), "http://x/v1".to_owned()),
        ]
        .into(),
        ..HarnessTask::default()
    };
    let text = config(&task);
    for line in [
        "sandbox_mode = \"danger-full-access\"",
        "model_reasoning_effort = \"high\"",
        "developer_instructions = \"Say \\\"moo\\\"\\nand \\u007f.\"",
        "base_url = \"http://x/v1\"",
        "env_key = \"CODEX_API_KEY\"",
        "[\"mcp_servers\".\"a.b\"]",
        "enabled_tools = [\"echo\"]",
        "set = { \"HOME\" = \"/user\" }",
        "web_search = \"disabled\"",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("secret"));
    let strict = Permissions {
        apply_code_diffs: Some(PermissionLevel::Never),
        execute_commands: Some(PermissionLevel::AlwaysAsk),
        call_mcp_servers: Some(PermissionLevel::Never),
        ..Permissions::default()
    };
    let text = config(&HarnessTask { permissions: strict, ..task.clone() });
    assert!(
        text.contains("read-only") && text.contains("shell_tool = false") && !text.contains("mcp_servers")
    );
    let sse = McpServerConfig {
        command: None,
        url: Some("http://x?key=of-the-url".into()),
        headers: [("X".to_owned(), "of-the-header".to_owned())].into(),
        transport: Some(McpTransport::Sse),
        ..server
    };
    let task = HarnessTask { oz: "/bin/oz".into(), mcp_servers: [("s".to_owned(), sse)].into(), ..task };
    let text = config(&task);
    for line in ["command = \"/bin/oz\"", "args = [\"mcp-relay\"]", "enabled_tools = [\"echo\"]"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let env = text.lines().find(|line| line.starts_with("env = ")).unwrap();
    assert!(env.contains("of-the-url") && env.contains("of-the-header"), "only there: {text}");
    assert_eq!(text.matches("of-the-").count(), 2, "{text}");
}

#[test]
fn conversations_lie_where_it_looks_for_them() {
    let saved = |content: &str| SavedSession {
        format: "codex".into(),
        session_id: "s-1".into(),
        content: content.as_bytes().to_vec(),
    };
    let known =
        saved("{\"type\":\"session_meta\",\"payload\":{\"timestamp\":\"2026-11-21T14:40:26.016Z\"}}\n{}\n");
    let place = rollout::place(&known);
    assert_eq!(place, PathBuf::from(".codex/sessions/2026/11/21/rollout-2026-11-21T14-40-26-s-1.jsonl"));
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(&place);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, &known.content).unwrap();
    assert_eq!(rollout::find(&home.path().join(".codex"), "s-1"), Some(known.content));
    assert_eq!(rollout::find(&home.path().join(".codex"), "s-2"), None);
    assert!(rollout::place(&saved("odd")).starts_with(".codex/sessions/2025/01/01"));
}
