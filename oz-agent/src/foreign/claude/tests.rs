//! What Claude Code 2.1 printed, and what is made of it.

use super::{reader::ClaudeReader, *};
use crate::foreign::{End, Told};
use oz_core::{
    ErrorCode,
    config::{Limits, McpServerConfig, McpTransport},
    harness::{ActionState, HarnessEvent, TaskState},
    permission::{PermissionLevel, Permissions},
    usage::Usage,
};
use serde_json::Value;

const RECORDED: &str = include_str!("../fixtures/claude.jsonl");

fn read(text: &str) -> (Vec<Told>, ClaudeReader) {
    let mut reader = ClaudeReader::default();
    let told = text.lines().flat_map(|line| reader.line(line)).collect();
    (told, reader)
}

#[test]
fn a_whole_conversation() {
    let (told, mut reader) = read(RECORDED);
    let mut seen = Vec::new();
    let mut deltas = String::new();
    let mut used = Usage::default();
    for told in &told {
        let word = match told {
            Told::Session(id) => format!("session {id}"),
            Told::Turn => "turn".into(),
            Told::Rest => "rest".into(),
            Told::Hopeless(..) => "hopeless".into(),
            Told::Wish(_) | Told::Unwished(_) => panic!("{told:?}"),
            Told::Event(event) => match event {
                HarnessEvent::Delta { text } => {
                    deltas.push_str(text);
                    continue;
                }
                HarnessEvent::Usage { usage, model } => {
                    assert_eq!(model, "claude-opus-4-8");
                    used.add(usage);
                    continue;
                }
                HarnessEvent::Text { text } => format!("text {text}"),
                HarnessEvent::Reasoning { text } => format!("reasoning {text}"),
                HarnessEvent::Action { id, name, category, .. } => format!("{id} {category} {name}"),
                HarnessEvent::ActionResult { action_id, state, output, .. } => {
                    let code = output.get("exit_code").map(|code| format!(" {code}")).unwrap_or_default();
                    format!("{action_id} {state}{code}")
                }
                other => panic!("{other:?}"),
            },
        };
        seen.push(word);
    }
    let expected = [
        "session 79ebbfc0-33df-44e7-8d5f-4ba3f306ad12",
        "turn",
        "reasoning Let me think.",
        "text I will look first.",
        "toolu_1_0 command run_command",
        "toolu_1_0 completed",
        "turn",
        "toolu_2_0 files write_file",
        "toolu_2_1 command run_command",
        "toolu_2_0 completed",
        "toolu_2_1 failed 3",
        "turn",
        "text Done: new.txt.",
        "rest",
    ];
    assert_eq!(seen, expected);
    assert_eq!(deltas, "I will look first.Done: new.txt.");
    // What the calls told and what the result tells is the same, and counts once.
    let cost = used.cost_usd.take().unwrap();
    assert_eq!(used, Usage { input_tokens: 600, output_tokens: 90, ..Usage::default() });
    assert!((cost - 0.00525).abs() < 1e-9, "{cost}");
    assert_eq!(reader.end(0, ""), End::Done(Some("Done: new.txt.".into())));
}

#[test]
fn a_second_result_counts_only_what_is_new() {
    let result = |input: u64, cost: f64| {
        json!({"type": "result", "subtype": "success", "result": "r", "modelUsage":
            {"m[1m]": {"inputTokens": input, "outputTokens": 1, "costUSD": cost}}})
        .to_string()
    };
    let (told, _) = read(&format!("{}\n{}\n{}", result(10, 0.5), result(30, 0.75), result(30, 0.75)));
    let usages: Vec<_> = told
        .iter()
        .filter_map(|told| match told {
            Told::Event(HarnessEvent::Usage { usage, .. }) => Some((usage.input_tokens, usage.cost_usd)),
            _ => None,
        })
        .collect();
    assert_eq!(usages, [(10, Some(0.5)), (20, Some(0.25))]);
}

#[test]
fn failures_have_their_codes() {
    let result = |subtype: &str, error: bool, result: &str, status: Value| {
        json!({"type": "result", "subtype": subtype, "is_error": error, "result": result,
            "api_error_status": status, "errors": ["Reached maximum number of turns (1)"]})
        .to_string()
    };
    for (line, expected) in [
        (
            result("success", true, "Not logged in · Please run /login", Value::Null),
            ErrorCode::AuthenticationRequired,
        ),
        (result("success", true, "Credit balance is too low", json!(400)), ErrorCode::InsufficientCredits),
        (result("success", true, "API Error: it is full", json!(529)), ErrorCode::ResourceUnavailable),
        (result("error_max_turns", true, "", Value::Null), ErrorCode::BudgetExceeded),
        (result("error_max_budget_usd", true, "", Value::Null), ErrorCode::BudgetExceeded),
        (result("error_during_execution", true, "odd", Value::Null), ErrorCode::InternalError),
    ] {
        let End::Failed(code, message) = read(&line).1.end(1, "") else { panic!("{line}") };
        assert_eq!(code, expected, "{message}");
    }
    let End::Failed(code, message) = read("").1.end(1, "No conversation found") else { panic!() };
    assert!(code == ErrorCode::InternalError && message.contains("No conversation found"), "{message}");
    let retry = |attempt: u64| {
        json!({"type": "system", "subtype": "api_retry", "attempt": attempt, "max_retries": 10,
            "error_status": 401, "error": "authentication_failed"})
        .to_string()
    };
    assert_eq!(read(&retry(1)).0, []);
    assert!(matches!(&read(&retry(2)).0[..], [Told::Hopeless(ErrorCode::AuthenticationRequired, _)]));
}

#[test]
fn its_list_of_tasks_is_followed() {
    let call = |id: &str, name: &str, input: Value| {
        json!({"type": "assistant", "message": {"content": [{"type": "tool_use", "id": id, "name": name, "input": input}]}})
            .to_string()
    };
    let answer = |id: &str, result: Value| {
        json!({"type": "user", "tool_use_result": result,
            "message": {"content": [{"type": "tool_result", "tool_use_id": id, "content": "ok"}]}})
        .to_string()
    };
    let lines = [
        call("1", "TaskCreate", json!({"subject": "look"})),
        answer("1", json!({"task": {"id": "7"}})),
        call("2", "TaskUpdate", json!({"taskId": "7", "status": "in_progress"})),
        call("3", "TodoWrite", json!({"todos": [{"content": "a", "status": "completed"}]})),
    ];
    let (told, _) = read(&lines.join("\n"));
    let lists: Vec<_> = told
        .iter()
        .filter_map(|told| match told {
            Told::Event(HarnessEvent::Tasks { tasks }) => {
                Some((tasks[0].title.as_str(), tasks[0].state.clone()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        lists,
        [("look", TaskState::Pending), ("look", TaskState::InProgress), ("a", TaskState::Completed)]
    );
}

#[test]
fn rubbish_says_nothing() {
    for line in [
        "",
        "{",
        "null",
        "[]",
        r#"{"type":1}"#,
        r#"{"type":"user","message":{"content":"x"}}"#,
        r#"{"type":"assistant"}"#,
    ] {
        assert_eq!(read(line).0, [], "{line}");
    }
    let (told, _) = read(
        r#"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"1","is_error":true,"content":null}]}}"#,
    );
    assert!(matches!(
        &told[..],
        [Told::Event(HarnessEvent::ActionResult { state: ActionState::Failed, .. })]
    ));
}

fn task() -> HarnessTask {
    HarnessTask { home: "/h".into(), workspace: "/w".into(), prompt: "do".into(), ..HarnessTask::default() }
}

fn value<'a>(launch: &'a Launch, option: &str) -> Option<&'a str> {
    let at = launch.words.iter().position(|word| word == option)?;
    launch.words.get(at + 1).map(String::as_str)
}

fn file(launch: &Launch, path: &str) -> Value {
    serde_json::from_slice(&launch.files[Path::new(path)]).unwrap()
}

#[test]
fn it_is_started_as_the_task_says() {
    let launch = Claude.launch(&task()).unwrap();
    assert_eq!(value(&launch, "--model"), None);
    assert_eq!(value(&launch, "--permission-mode"), Some("bypassPermissions"));
    assert!(launch.listens && launch.stdin.as_deref().unwrap().ends_with("\"type\":\"user\"}\n"));
    assert_eq!(file(&launch, "settings.json")["env"]["ANTHROPIC_BASE_URL"], "https://api.anthropic.com");
    let launch = Claude
        .launch(&HarnessTask {
            model_id: Some("opus".into()),
            reasoning_level: Some("high".into()),
            limits: Limits { max_turns: Some(3), max_cost_usd: Some(0.5), ..Limits::default() },
            base_prompt: Some("Be brief.".into()),
            permissions: Permissions {
                execute_commands: Some(PermissionLevel::Never),
                ..Permissions::default()
            },
            saved: Some(SavedSession {
                format: "claude_code".into(),
                session_id: "s-1".into(),
                content: b"c".to_vec(),
            }),
            auth: [("ANTHROPIC_BASE_URL".to_owned(), "http://here".to_owned())].into(),
            ..task()
        })
        .unwrap();
    for (option, expected) in [
        ("--model", "opus"),
        ("--effort", "high"),
        ("--max-turns", "3"),
        ("--max-budget-usd", "0.5"),
        ("--append-system-prompt-file", "/h/instructions.md"),
        ("--resume", "s-1"),
    ] {
        assert_eq!(value(&launch, option), Some(expected), "{option}");
    }
    let off: Vec<&str> = value(&launch, "--disallowedTools").unwrap().split(',').collect();
    assert!(off.contains(&"Bash") && off.contains(&"WebFetch") && !off.contains(&"Read"), "{off:?}");
    assert_eq!(launch.files[Path::new(".claude/projects/-w/s-1.jsonl")], b"c");
    assert_eq!(file(&launch, "settings.json")["env"]["ANTHROPIC_BASE_URL"], "http://here");
    let error = Claude.launch(&HarnessTask { reasoning_level: Some("huge".into()), ..task() }).unwrap_err();
    assert!(error.detail.contains("'huge'") && error.detail.contains("xhigh"), "{error}");
}

#[test]
fn servers_get_their_own_environment_and_only_their_tools() {
    let program = McpServerConfig {
        command: Some("server".into()),
        args: vec!["--x".into()],
        env: [("TOKEN".to_owned(), "t".to_owned())].into(),
        working_directory: Some("sub".into()),
        allowed_tools: vec!["echo".into(), "get.it".into()],
        ..McpServerConfig::default()
    };
    let web = McpServerConfig {
        url: Some("https://mcp.example.com".into()),
        headers: [("Authorization".to_owned(), "Bearer t".to_owned())].into(),
        transport: Some(McpTransport::Sse),
        denied_tools: vec!["drop".into()],
        ..McpServerConfig::default()
    };
    let launch = Claude
        .launch(&HarnessTask {
            mcp_servers: [("local".to_owned(), program), ("web".to_owned(), web)].into(),
            auth: [("ANTHROPIC_API_KEY".to_owned(), "k".to_owned())].into(),
            env: [("HOME".to_owned(), "/user".to_owned())].into(),
            ..task()
        })
        .unwrap();
    let servers = &file(&launch, "mcp.json")["mcpServers"];
    let env = &servers["local"]["env"];
    assert_eq!(
        (&env["ANTHROPIC_API_KEY"], &env["HOME"], &env["TOKEN"]),
        (&json!(""), &json!("/user"), &json!("t"))
    );
    assert_eq!(servers["local"]["args"][2], "/w/sub");
    assert_eq!(
        (&servers["web"]["type"], &servers["web"]["headers"]["Authorization"]),
        (&json!("sse"), &json!("Bearer t"))
    );
    assert!(value(&launch, "--disallowedTools").unwrap().contains("mcp__web__drop"));
    let hook = &file(&launch, "settings.json")["hooks"]["PreToolUse"][0];
    assert_eq!(hook["matcher"], "^mcp__local__(?!(?:echo|get_it)$)");
    assert!(!launch.words.iter().any(|word| word.contains("Bearer")), "nothing secret in arguments");
}

#[test]
fn conversations_lie_where_it_looks_for_them() {
    let name = |workspace: &str| conversation(Path::new(workspace), "s").to_string_lossy().into_owned();
    assert_eq!(name("/none/my_repo.git"), ".claude/projects/-none-my-repo-git/s.jsonl");
    assert_eq!(name("/none/ä"), ".claude/projects/-none--/s.jsonl");
    let long = name(&format!("/none/{}", "a".repeat(300)));
    assert!(long.starts_with(&format!(".claude/projects/-none-{}-", "a".repeat(194))), "{long}");
}
