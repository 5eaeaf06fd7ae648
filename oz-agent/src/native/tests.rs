mod calls;
mod compaction;
mod fallback;
mod gate;
mod humans;
mod modes;
mod notes;
mod resume;
mod service;
mod steering;
mod subagents;
mod watching;

use super::*;
use oz_core::{
    config::Limits,
    harness::{ActionState, AgentState},
    permission::Permissions,
};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

struct Room {
    dir: tempfile::TempDir,
    harness: Arc<NativeHarness>,
    limits: Limits,
    permissions: Permissions,
}

impl Room {
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("script.yaml");
        fs::write(path, script).unwrap();
        fs::create_dir(dir.path().join("w")).unwrap();
        let mut room = Self {
            dir,
            harness: Arc::new(NativeHarness::new(|_| None)),
            limits: Limits::default(),
            permissions: Permissions::default(),
        };
        room.harness = room.another();
        room
    }

    /// Another harness in the same room.
    fn another(&self) -> Arc<NativeHarness> {
        let path = self.dir.path().join("script.yaml").to_string_lossy().into_owned();
        Arc::new(NativeHarness::new(move |name| (name == "OZ_SCRIPTED_MODEL").then(|| path.clone())))
    }

    fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("w").join(name)
    }

    fn task(&self, prompt: &str) -> HarnessTask {
        HarnessTask {
            prompt: prompt.into(),
            workspace: self.dir.path().join("w"),
            limits: self.limits.clone(),
            permissions: self.permissions.clone(),
            env: std::env::vars().collect(),
            ..HarnessTask::default()
        }
    }

    async fn start(&self, prompt: &str) -> BoxStream<'static, HarnessEvent> {
        Arc::clone(&self.harness).start(self.task(prompt)).await.unwrap()
    }

    async fn run(&self, prompt: &str) -> Vec<HarnessEvent> {
        self.run_task(self.task(prompt)).await
    }

    async fn run_task(&self, task: HarnessTask) -> Vec<HarnessEvent> {
        let events: Vec<_> = Arc::clone(&self.harness).start(task).await.unwrap().collect().await;
        let finals =
            events.iter().filter(|e| matches!(e, HarnessEvent::State { state, .. } if state.is_final()));
        assert_eq!(finals.count(), 1, "{events:#?}");
        assert!(matches!(events.last(), Some(HarnessEvent::State { .. })));
        events
    }
}

fn end(events: &[HarnessEvent]) -> (AgentState, String, Option<ErrorCode>) {
    match events.last() {
        Some(HarnessEvent::State { state, message, code }) => {
            (state.clone(), message.clone().unwrap_or_default(), code.clone())
        }
        other => panic!("{other:?}"),
    }
}

/// Every action with the state of its result, in the order of the actions.
fn actions(events: &[HarnessEvent]) -> Vec<(String, ActionState)> {
    let mut actions: Vec<(String, String, Option<ActionState>)> = Vec::new();
    for event in events {
        match event {
            HarnessEvent::Action { id, name, .. } => actions.push((id.clone(), name.clone(), None)),
            HarnessEvent::ActionResult { action_id, name, state, .. } => {
                let open = actions.iter_mut().find(|(id, _, result)| id == action_id && result.is_none());
                let (_, of, result) = open.expect("a result follows its action");
                assert_eq!(of, name);
                *result = Some(state.clone());
            }
            _ => {}
        }
    }
    actions.into_iter().map(|(_, name, state)| (name, state.expect("an action has a result"))).collect()
}

/// The outputs of a tool's calls.
fn outputs(events: &[HarnessEvent], tool: &str) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let output = |event: &HarnessEvent| match event {
        HarnessEvent::ActionResult { name, output, .. } if name == tool => Some(output.clone()),
        _ => None,
    };
    events.iter().filter_map(output).collect()
}

#[tokio::test]
async fn it_works_turn_by_turn_until_it_finishes() {
    let room = Room::new(
        r#"
scripts:
  - match: greet
    turns:
      - { reasoning: hm, text: I write., tool_calls: [{ name: write_file, input: { path: a, content: "hello\n" } }], usage: { input_tokens: 5, output_tokens: 2 } }
      - { tool_calls: [{ name: run_command, input: { command: "cat a; exit 1" } }, { name: nonsense, input: {} }, { name: read_files, arguments: "{\"files\": [" }] }
      - expect: (?s)exit_code.*1.hello.*there is no tool 'nonsense'.*not a JSON object
        tool_calls: [{ name: report_artifact, input: { artifact_type: PULL_REQUEST, data: { url: "https://h/1", branch: b } } },
                     { name: finish, input: { summary: All done. } }, { name: run_command, input: { command: "touch never" } }]
"#,
    );
    let events = room.run("greet").await;
    assert_eq!(end(&events), (AgentState::Succeeded, "All done.".into(), None));
    let (done, failed) = (ActionState::Completed, ActionState::Failed);
    let expected = [
        ("write_file", done.clone()),
        ("run_command", done.clone()),
        ("nonsense", failed.clone()),
        ("read_files", failed),
        ("report_artifact", done.clone()),
        ("finish", done),
    ];
    assert_eq!(actions(&events), expected.map(|(name, state)| (name.to_owned(), state)));
    let kinds: Vec<_> = events.iter().map(|e| serde_json::to_value(e).unwrap()["type"].clone()).collect();
    let first = ["session", "state", "delta", "reasoning", "text", "usage", "action", "action_result"];
    assert_eq!(kinds[..8], first);
    assert!(kinds.iter().any(|k| k == "artifact"));
    let HarnessEvent::Usage { usage, model } = &events[5] else { panic!("no usage") };
    assert_eq!((model.as_str(), usage.total_tokens(), usage.cost_usd), ("scripted", 7, Some(0.0)));
    assert!(!room.path("never").exists(), "nothing happens after the end");
}

#[tokio::test]
async fn a_turn_without_calls_ends_the_work_and_giving_up_is_a_failure() {
    let script = "scripts: [{ match: talk, turns: [{ text: That is all. }] }, { match: hard, turns: [{ tool_calls: [{ name: finish, input: { success: false, summary: Too hard. } }] }] }]";
    assert_eq!(
        end(&Room::new(script).run("talk").await),
        (AgentState::Succeeded, "That is all.".into(), None)
    );
    assert_eq!(end(&Room::new(script).run("hard").await), (AgentState::Failed, "Too hard.".into(), None));
}

#[tokio::test(start_paused = true)]
async fn a_failing_model_is_asked_again_and_given_up_in_the_end() {
    let script = |times: u32, kind: &str| {
        format!(
            "scripts: [{{ match: x, turns: [{{ text: ok, fail: {{ kind: {kind}, message: busy, times: {times} }} }}] }}]"
        )
    };
    let started = tokio::time::Instant::now();
    let events = Room::new(&script(5, "unavailable")).run("x").await;
    assert_eq!(end(&events), (AgentState::Succeeded, "ok".into(), None));
    let texts = events.iter().filter(|e| matches!(e, HarnessEvent::Text { .. })).count();
    assert_eq!(texts, 1);
    assert!(started.elapsed() >= Duration::from_secs(15), "{:?}", started.elapsed());
    let events = Room::new(&script(6, "network")).run("x").await;
    assert_eq!(end(&events), (AgentState::Failed, "busy".into(), Some(ErrorCode::ResourceUnavailable)));
    let events = Room::new(&script(1, "authentication")).run("x").await;
    assert_eq!(end(&events).2, Some(ErrorCode::AuthenticationRequired));
}

#[tokio::test]
async fn limits_end_the_work_and_say_which() {
    let turn = "{ tool_calls: [{ name: run_command, input: { command: sleep 0.1 } }], usage: { input_tokens: 60, cost_usd: 0.3 } }";
    let script = format!("scripts: [{{ match: x, turns: [{}] }}]", [turn; 9].join(", "));
    let limits = Limits::default;
    for (limits, word, calls) in [
        (Limits { max_turns: Some(3), ..limits() }, "max_turns", 3),
        (Limits { max_tokens: Some(100), ..limits() }, "max_tokens", 2),
        (Limits { max_cost_usd: Some(0.5), ..limits() }, "max_cost_usd", 2),
    ] {
        let events = Room::new(&script).limits(limits).run("x").await;
        let (state, message, code) = end(&events);
        assert_eq!((state, code), (AgentState::Failed, Some(ErrorCode::BudgetExceeded)));
        assert!(message.contains(word), "{message}");
        assert_eq!(actions(&events).len(), calls, "{word}");
    }
    let script = "scripts: [{ match: x, turns: [{ tool_calls: [{ name: run_command, input: { command: sleep 60 } }] }] }]";
    let events = Room::new(script).limits(Limits { max_seconds: Some(1), ..limits() }).run("x").await;
    assert!(end(&events).1.contains("max_seconds"));
    assert_eq!(actions(&events), [("run_command".to_owned(), ActionState::Failed)]);
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_shortened_and_goes_on() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: run_command, input: { command: "seq 2000" } }]
      - { expect: left out to save room, text: short enough, fail: { kind: context_too_long, times: 1 } }
  - match: hopeless
    turns: [{ fail: { kind: context_too_long, message: far too long } }]
"#;
    assert_eq!(end(&Room::new(script).run("x").await).1, "short enough");
    let (state, message, code) = end(&Room::new(script).run("hopeless").await);
    assert_eq!((state, code), (AgentState::Failed, Some(ErrorCode::InvalidRequest)));
    assert!(message.starts_with("far too long; nothing more can be left out"), "{message}");
}

fn naming(directory: &Path) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|e| fs::read_link(e.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(directory)))
        .count()
}

async fn until(what: &str, check: impl Fn() -> bool) {
    let started = Instant::now();
    while !check() {
        assert!(started.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const SLEEP: &str = "scripts: [{ match: x, turns: [{ tool_calls: [{ name: run_command, input: { command: \"(setsid sleep 60 &); touch started; sleep 60\" } }] }] }]";

#[tokio::test]
async fn cancelling_kills_what_runs_and_says_so() {
    let room = Room::new(SLEEP);
    let events = room.start("x").await;
    until("it does not start", || room.path("started").exists()).await;
    let asked = Instant::now();
    room.harness.cancel().await;
    let events: Vec<_> = events.collect().await;
    assert_eq!(end(&events).0, AgentState::Cancelled);
    assert_eq!(actions(&events), [("run_command".to_owned(), ActionState::Failed)]);
    assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
    until("a process is left", || naming(room.dir.path()) == 0).await;
}

#[tokio::test]
async fn dropping_the_stream_stops_the_agent_with_all_its_processes() {
    let room = Room::new(SLEEP);
    let events = room.start("x").await;
    until("it does not start", || room.path("started").exists()).await;
    drop(events);
    until("a process is left", || naming(room.dir.path()) == 0).await;
}

#[tokio::test]
async fn what_runs_in_the_background_ends_with_the_agent() {
    let background = "sleep 60 & echo up";
    let script = format!(
        "scripts: [{{ match: x, turns: [{{ tool_calls: [{{ name: run_command, input: {{ command: '{background}' }} }}] }}, {{ expect: up, text: bye }}] }}]"
    );
    let room = Room::new(&script);
    assert_eq!(end(&room.run("x").await).1, "bye");
    until("a process is left", || naming(room.dir.path()) == 0).await;
}

#[tokio::test]
async fn a_message_is_read_between_two_steps_and_keeps_the_agent_at_work() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: run_command, input: { command: "touch started; while ! test -e go; do sleep 0.01; done" } }]
      - { expect: and be quick, tool_calls: [{ name: finish, input: { summary: quick } }] }
"#;
    let room = Room::new(script);
    assert!(room.harness.send("too early".into()).await.is_err());
    let events = room.start("x").await;
    until("it does not start", || room.path("started").exists()).await;
    room.harness.send("and be quick".into()).await.unwrap();
    fs::write(room.path("go"), "").unwrap();
    let events: Vec<_> = events.collect().await;
    assert_eq!(end(&events).1, "quick");
    assert!(events.contains(&HarnessEvent::Prompt { text: "and be quick".into() }));
    assert!(room.harness.send("too late".into()).await.is_err());
}

#[tokio::test]
async fn what_can_t_start_is_an_error_and_a_harness_starts_once() {
    let room = Room::new("scripts: []");
    let (state, message, code) = end(&room.run("do something else").await);
    assert_eq!((state, code), (AgentState::Failed, Some(ErrorCode::InvalidRequest)));
    assert!(message.contains("do something else"), "{message}");
    let task =
        HarnessTask { prompt: "x".into(), workspace: room.dir.path().join("gone"), ..HarnessTask::default() };
    let error = Arc::clone(&room.harness).start(task.clone()).await.err().unwrap();
    assert_eq!(error.code, ErrorCode::EnvironmentSetupFailed);
    let again = Arc::clone(&room.harness).start(HarnessTask { workspace: room.path(""), ..task }).await;
    assert_eq!(again.err().unwrap().code, ErrorCode::Conflict);
}
