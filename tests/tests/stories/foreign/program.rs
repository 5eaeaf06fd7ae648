//! What every program of others has to do, whichever it is: the stories that they share.

use super::*;
use oz_core::{ErrorCode, api::SubmitFollowup};
use serde_json::{Value, json};
use std::fs;

/// A program as the stories know it.
pub(super) struct Program {
    pub(super) kind: HarnessType,
    pub(super) model: Option<&'static str>,
    /// The variables of its key and of the address of its service.
    pub(super) key: &'static str,
    pub(super) address: &'static str,
    /// What its addresses end with.
    pub(super) path: &'static str,
    /// Whether a conversation that is taken up gets another name.
    pub(super) renames: bool,
    /// The format of its conversations.
    pub(super) format: &'static str,
    /// Its tool for commands, and what else that wants to be told.
    pub(super) shell: fn(&str) -> (String, Value),
    /// Under which name the transcript tells of it.
    pub(super) shown: &'static str,
    /// How the model calls a tool of an MCP server.
    pub(super) tool: fn(&str, &str) -> String,
    /// The file of rules that it reads by itself says this.
    pub(super) rules: &'static str,
    /// How to get it.
    pub(super) install: &'static str,
}

impl Program {
    fn variables(&self, key: &str, model: &FakeModel) -> Vec<(String, String)> {
        let address = format!("{}{}", model.url(), self.path);
        vec![(self.key.to_owned(), key.to_owned()), (self.address.to_owned(), address)]
    }

    /// A world for it, and its model service, which plays these conversations.
    pub(super) async fn with(&self, key: &str, conversations: Vec<(&str, Vec<Turn>)>) -> (World, FakeModel) {
        let model = FakeModel::for_foreign(KEY, fake_model::Script::conversations(conversations)).await;
        (world(self.variables(key, &model)), model)
    }

    pub(super) fn config(&self, world: &World) -> AgentConfig {
        config(world, self.kind.clone(), self.model)
    }

    fn call(&self, command: &str) -> Turn {
        Turn { calls: vec![(self.shell)(command)], ..Turn::default() }
    }
}

/// Stories of a program as tests of this module.
macro_rules! stories {
    ($program:expr; $($story:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $story() {
            super::program::$story(&$program).await;
        })*
    };
}
pub(super) use stories;

/// Mends the repository with these answers: a look, the fix and a word.
pub(super) async fn mends(
    program: &Program,
    look: Turn,
    more: Vec<(String, Value)>,
) -> (Run, Vec<HarnessEvent>, FakeModel) {
    let text = "I will look.".to_owned();
    let calls = more.into_iter().chain([(program.shell)(FIX)]).collect();
    let turns = [
        Turn { text, calls: vec![(program.shell)(LOOK)], ..look },
        Turn { calls, ..Turn::default() },
        Turn::text("The greeting is right."),
    ];
    let turns = turns.map(|turn| Turn { tokens: (100, 20), ..turn }).to_vec();
    let (world, model) = program.with(KEY, vec![("fix the greeting", turns)]).await;
    let run_id = world.dispatch("please fix the greeting", program.config(&world)).await;
    let run = world.wait_within(run_id, LIMIT).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{}", run.status_message, world.read_log("server"));
    assert_eq!(run.status_message.as_ref().unwrap().message, "The greeting is right.");
    assert!(fixed(&world), "the test must pass after");
    let events = events(&world, run_id).await;
    let said = serde_json::to_string(&events).unwrap();
    assert!(said.contains("wrong") && said.contains("keys=\\n"), "commands must see no key: {said}");
    let home = said.rsplit("home=").next().and_then(|rest| rest.split(['\\', '"']).next()).unwrap();
    assert!(home.starts_with('/') && !home.contains("oz-run-"), "commands have the home of the task: {home}");
    assert!(!said.contains(KEY), "{said}");
    let used = run.request_usage.as_ref().unwrap();
    assert_eq!(used.total_tokens, Some(360), "every call counts once");
    let asked = model.requests().iter().find(|request| !request.aside).unwrap().body.to_string();
    for text in ["You are the greeter's own helper.", program.rules] {
        assert!(asked.contains(text), "{text}");
    }
    assert_eq!(sessions(&events, program).len(), 1);
    (run, events, model)
}

/// The names of its conversations that the transcript tells.
fn sessions(events: &[HarnessEvent], program: &Program) -> Vec<String> {
    let named = events.iter().filter_map(|event| match event {
        HarnessEvent::Session { format, session_id } => {
            assert_eq!(format, program.format);
            Some(session_id.clone())
        }
        _ => None,
    });
    named.collect()
}

/// Its commands sleep; it is cancelled, and all is gone in two seconds.
pub(super) async fn it_is_cancelled_with_all_that_it_started(program: &Program) {
    let turns = vec![program.call("setsid sleep 7531 & sleep 7531")];
    let (world, _model) = program.with(KEY, vec![("sleep long", turns)]).await;
    let run_id = world.dispatch("sleep long", program.config(&world)).await;
    let begun = Instant::now();
    while !processes::of_agents(&world.workspaces()).iter().any(|p| p.command.contains("sleep 7531")) {
        assert!(begun.elapsed() < LIMIT, "the command does not start\n{}", world.read_log("server"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let asked = Instant::now();
    let _ = world.oz(&["run", "cancel", &run_id.to_string()]).success();
    world.no_agents(Duration::from_secs(2).saturating_sub(asked.elapsed()));
    assert_eq!(world.run(run_id).await.state, RunState::Cancelled);
}

pub(super) async fn a_wrong_key_is_said_soon(program: &Program) {
    let turns = vec![Turn::text("never")];
    let (world, mut model) = program.with("sk-of-somebody-else-0123", vec![("fix", turns)]).await;
    model.allow_violations();
    let run_id = world.dispatch("please fix the greeting", program.config(&world)).await;
    let run = world.wait_within(run_id, LIMIT).await;
    let status = run.status_message.unwrap();
    let code = Some(ErrorCode::AuthenticationRequired);
    assert_eq!((run.state, status.error_code), (RunState::Failed, code), "{}", status.message);
}

pub(super) async fn who_has_it_not_is_told_how_to_get_it(program: &Program) {
    let bare = [("PATH", "/usr/bin:/bin"), (program.key, KEY)];
    let env = bare.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let world = World::start(Options { env, ..Options::default() });
    let run = world.wait(world.dispatch("do it", program.config(&world)).await).await;
    let status = run.status_message.unwrap();
    let code = Some(ErrorCode::EnvironmentSetupFailed);
    assert_eq!((run.state, status.error_code), (RunState::Failed, code), "{}", status.message);
    assert!(status.message.contains(program.install), "{}", status.message);
}

/// The conversations of a run that is asked twice.
fn twice(program: &Program) -> Vec<(&'static str, Vec<Turn>)> {
    vec![
        ("what was the number", vec![Turn::text("It was 4711.")]),
        ("remember the number", vec![program.call("echo noted"), Turn::text("Noted: 4711.")]),
    ]
}

/// Asks the same run twice, with something in between. Answers with the second run, its events and the raw transcript.
async fn asked_twice(
    program: &Program,
    world: &World,
    between: impl FnOnce(),
) -> (Vec<HarnessEvent>, String) {
    let run_id = world.dispatch("remember the number 4711", program.config(world)).await;
    let first = world.wait_within(run_id, LIMIT).await;
    assert_eq!(first.state, RunState::Succeeded, "{:?}", first.status_message);
    between();
    let message = Some("what was the number?".into());
    world.client().send(&SubmitFollowup { interrupt: None, run_id, message, mode: None }).await.unwrap();
    let before = first.execution.unwrap().execution_id;
    let again = |run: &Run| run.execution.as_ref().is_some_and(|e| e.execution_id != before);
    let second = world.until_within(run_id, |run| run.state.is_over() && again(run), LIMIT).await;
    assert_eq!(second.state, RunState::Succeeded, "{:?}", second.status_message);
    assert_eq!(second.status_message.unwrap().message, "It was 4711.");
    let raw = world.oz(&["run", "transcript", &run_id.to_string(), "--raw"]).success();
    (events(world, run_id).await, raw)
}

pub(super) async fn a_follow_up_goes_on_in_its_conversation(program: &Program) {
    let (world, model) = program.with(KEY, twice(program)).await;
    let (events, raw) = asked_twice(program, &world, || ()).await;
    let names = if program.renames { 2 } else { 1 };
    assert_eq!(sessions(&events, program).len(), names, "it is the same conversation");
    let prompts = events.iter().filter_map(|event| match event {
        HarnessEvent::Prompt { text } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(prompts.collect::<Vec<_>>(), ["remember the number 4711", "what was the number?"]);
    let requests = model.requests();
    let last = requests.iter().rfind(|request| !request.aside).unwrap();
    let said = last.said.join("\n");
    for text in ["remember the number 4711", "what was the number?"] {
        assert_eq!(said.matches(text).count(), 1, "{text}: {said}");
    }
    let body = last.body.to_string();
    assert!(
        body.contains("Noted: 4711.") && body.contains("echo noted"),
        "the model knows what it said: {body}"
    );
    for text in ["remember the number 4711", "Noted: 4711.", "what was the number?", "It was 4711."] {
        assert!(raw.contains(text), "{text}: {raw}");
    }
    assert_eq!(paired(&events), [program.shown]);
}

/// What a program kept is broken: it is told of the conversation instead.
pub(super) async fn a_lost_conversation_is_told_to_it(program: &Program) {
    let (world, model) = program.with(KEY, twice(program)).await;
    let (events, raw) = asked_twice(program, &world, || break_sessions(&world)).await;
    let lost = events.iter().find_map(|event| match event {
        HarnessEvent::Stage { name, ok: false, detail, .. } if name == "session_resume" => detail.clone(),
        _ => None,
    });
    assert!(lost.is_some_and(|why| why.contains("can't be taken up")), "{events:?}");
    assert_eq!(sessions(&events, program).len(), 2, "it is another conversation");
    let requests = model.requests();
    let said = requests.iter().rfind(|request| !request.aside).unwrap().said.join("\n");
    for text in ["remember the number 4711", "Noted: 4711.", "what was the number?"] {
        assert_eq!(said.matches(text).count(), 1, "{text}: {said}");
    }
    assert!(raw.contains("It was 4711."), "{raw}");
}

/// Writes nonsense over every conversation that the control plane keeps.
fn break_sessions(world: &World) {
    let mut waiting = vec![world.path().join("data")];
    let mut broken = 0;
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else if fs::read(&path)
                .is_ok_and(|content| String::from_utf8_lossy(&content).contains("Noted: 4711."))
                && path.components().any(|part| part.as_os_str() == "blobs")
            {
                // Of the same size, or the control plane would not give it out.
                fs::write(&path, "x".repeat(fs::metadata(&path).unwrap().len() as usize)).unwrap();
                broken += 1;
            }
        }
    }
    assert!(broken > 0, "nothing was kept");
}

/// Servers over every transport, one that does not start and one of which little may be used.
pub(super) async fn it_uses_servers_over_every_transport(program: &Program) {
    let tool = |server: &str, tool: &str, arguments: Value| ((program.tool)(server, tool), arguments);
    let calls = vec![
        tool("local", "echo", json!({ "message": "over stdio" })),
        tool("web", "echo", json!({ "message": "over http" })),
        tool("older", "echo", json!({ "message": "over sse" })),
        tool("found", "echo", json!({ "message": "found out" })),
        tool("some", "echo", json!({ "message": "allowed" })),
    ];
    let refused = vec![
        tool("some", "get-sum", json!({ "a": 19, "b": 23 })),
        tool("some", "get-env", json!({})),
        tool("local", "get-env", json!({})),
    ];
    let turns = vec![
        Turn { calls, ..Turn::default() },
        Turn { calls: refused, ..Turn::default() },
        Turn::text("All used."),
    ];
    let (world, model) = program.with(KEY, vec![("use everything", turns)]).await;
    let (_web, web) = mcp::serve(&world, "streamableHttp");
    let (_older, older) = mcp::serve(&world, "sse");
    let local = json!({ "command": "node", "args": [mcp::everything(), "stdio"] });
    let with = |more: Value| {
        let mut server = local.clone();
        server.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server
    };
    let servers = json!({
        "local": with(json!({ "denied_tools": ["get-env"], "env": { "OF_SERVER": "seen-only-by-it" } })),
        "web": { "url": format!("http://127.0.0.1:{web}/mcp") },
        "older": { "url": format!("http://127.0.0.1:{older}/sse"), "transport": "sse" },
        "found": { "url": format!("http://127.0.0.1:{older}/sse") },
        "some": with(json!({ "allowed_tools": ["echo", "get-sum"], "denied_tools": ["get-sum"] })),
        "broken": { "command": "node", "args": ["-e", "console.error('no licence'); process.exit(1)"] },
    });
    let config =
        AgentConfig { mcp_servers: serde_json::from_value(servers).unwrap(), ..program.config(&world) };
    let run_id = world.dispatch("use everything", config).await;
    let run = world.wait_within(run_id, LIMIT).await;
    let log = world.read_log("server");
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{log}", run.status_message);
    assert_eq!(run.status_message.unwrap().message, "All used.");
    let events = events(&world, run_id).await;
    assert!(paired(&events).len() >= 5);
    let results: Vec<String> = events
        .iter()
        .filter(|event| matches!(event, HarnessEvent::ActionResult { .. }))
        .map(|event| serde_json::to_string(event).unwrap())
        .collect();
    let body = model.requests().last().unwrap().body.to_string();
    for text in ["over stdio", "over http", "over sse", "found out", "allowed"] {
        let text = format!("Echo: {text}");
        let shown = results.iter().filter(|result| result.contains(&text) && result.contains("completed"));
        assert_eq!((shown.count(), body.matches(&text).count()), (1, 1), "{text}: {results:?} {body}");
    }
    for text in ["19 and 23 is 42", "seen-only-by-it"] {
        assert!(
            !body.contains(text) && !results.iter().any(|result| result.contains(text)),
            "{text}: {body}"
        );
    }
    let left_out = events.iter().any(|event| match event {
        HarnessEvent::Stage { ok: false, detail: Some(why), .. } => {
            why.contains("'broken' is left out") && why.contains("no licence")
        }
        _ => false,
    });
    assert!(left_out, "{events:?}");
}
