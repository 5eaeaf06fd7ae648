//! The engine with programs that are shell scripts: whatever one does, its stream ends as the seam says.

use super::*;
use futures_util::StreamExt as _;
use oz_core::{
    config::Limits,
    harness::{ActionCategory, ActionState, AgentState},
    usage::Usage,
};
use serde_json::Map;
use std::{fs, time::Duration};
use tempfile::TempDir;
use tokio::time::timeout;

/// Starts a script; its lines are words of this module.
struct Script {
    text: String,
    program: &'static str,
    listens: bool,
}

fn script(text: &str) -> Script {
    Script { text: text.to_owned(), program: "sh", listens: false }
}

impl Dialect for Script {
    fn name(&self) -> &'static str {
        "script"
    }
    fn format(&self) -> &'static str {
        "script"
    }
    fn install_hint(&self, _: &HarnessTask) -> String {
        "write it".to_owned()
    }
    fn launch(&self, task: &HarnessTask) -> Result<Launch, Error> {
        Ok(Launch {
            words: [self.program, "-c", &self.text].map(str::to_owned).to_vec(),
            env: BTreeMap::from([("OWN".to_owned(), "launch".to_owned())]),
            files: BTreeMap::from([(".agent/config".into(), b"from the engine".to_vec())]),
            stdin: Some(format!("{}\n", task.prompt)),
            listens: self.listens,
            ..Launch::default()
        })
    }
    fn reader(&self, _: &HarnessTask) -> Box<dyn Reader> {
        Box::new(Words)
    }
    fn saved(&self, task: &HarnessTask, session_id: &str) -> Option<SavedSession> {
        let content = fs::read(task.home.join("conversation")).ok()?;
        Some(SavedSession { format: "script".into(), session_id: session_id.to_owned(), content })
    }
    fn message(&self, text: &str) -> Option<String> {
        self.listens.then(|| format!("{text}\n"))
    }
    fn interruption(&self) -> Option<String> {
        self.listens.then(|| "stop!\n".to_owned())
    }
}

struct Words;

impl Reader for Words {
    fn line(&mut self, line: &str) -> Vec<Told> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.to_owned();
        let name = String::from("do");
        let category = ActionCategory::Command;
        vec![match word {
            "session" => Told::Session(rest),
            "turn" => Told::Turn,
            "rest" => Told::Rest,
            "action" => Told::Event(HarnessEvent::Action { id: rest, category, name, input: Map::new() }),
            "result" => Told::Event(HarnessEvent::ActionResult {
                action_id: rest,
                category,
                name,
                state: ActionState::Completed,
                output: Map::new(),
            }),
            "usage" => Told::Event(HarnessEvent::Usage {
                model: "m".into(),
                usage: Usage { input_tokens: rest.parse().unwrap(), ..Usage::default() },
            }),
            _ => Told::Event(HarnessEvent::Text { text: line.to_owned() }),
        }]
    }
    fn end(&mut self, exit_code: i32, errors: &str) -> End {
        match exit_code {
            0 => End::Done(Some("done".into())),
            code => End::Failed(ErrorCode::InternalError, format!("exit code {code}: {errors}")),
        }
    }
}

struct Room {
    home: TempDir,
    workspace: TempDir,
}

impl Room {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), workspace: tempfile::tempdir().unwrap() }
    }

    fn task(&self) -> HarnessTask {
        HarnessTask {
            prompt: "do it".into(),
            home: self.home.path().to_owned(),
            workspace: self.workspace.path().to_owned(),
            env: BTreeMap::from([
                ("PATH".to_owned(), std::env::var("PATH").unwrap()),
                ("HOME".to_owned(), "/nobody".to_owned()),
                ("OWN".to_owned(), "task".to_owned()),
            ]),
            auth: BTreeMap::from([("MODEL_KEY".to_owned(), "very-secret-key".to_owned())]),
            redactor: oz_core::Redactor::new(["very-secret-key"]),
            ..HarnessTask::default()
        }
    }
}

async fn all(events: BoxStream<'static, HarnessEvent>) -> Vec<HarnessEvent> {
    let events: Vec<_> = timeout(Duration::from_secs(60), events.collect()).await.expect("it ends");
    let states = events.iter().filter(|event| matches!(event, HarnessEvent::State { .. })).count();
    assert_eq!(states, 2, "{events:?}");
    assert!(matches!(events[0], HarnessEvent::State { state: AgentState::Started, .. }));
    assert!(matches!(events.last(), Some(HarnessEvent::State { state, .. }) if state.is_final()));
    events
}

async fn run(script: Script, task: HarnessTask) -> Vec<HarnessEvent> {
    all(Arc::new(Foreign::new(script)).start(task).await.unwrap()).await
}

fn texts(events: &[HarnessEvent]) -> Vec<&str> {
    let text = |event: &'_ HarnessEvent| matches!(event, HarnessEvent::Text { .. });
    let texts = events.iter().filter(|event| text(event));
    texts.map(|event| if let HarnessEvent::Text { text } = event { text.as_str() } else { "" }).collect()
}

fn end(events: &[HarnessEvent]) -> (AgentState, Option<ErrorCode>, String) {
    let Some(HarnessEvent::State { state, message, code }) = events.last() else { panic!("{events:?}") };
    (state.clone(), code.clone(), message.clone().unwrap_or_default())
}

#[tokio::test]
async fn it_starts_in_the_workspace_with_a_home_of_its_own() {
    let room = Room::new();
    let text =
        r#"pwd; cat; echo "$HOME $OWN $MODEL_KEY"; cat "$HOME/.agent/config"; echo; echo "$XDG_CONFIG_HOME""#;
    let events = run(script(text), room.task()).await;
    let home = room.home.path().display();
    let workspace = room.workspace.path().canonicalize().unwrap();
    let expected = [
        workspace.display().to_string(),
        "do it".into(),
        format!("{home} launch ***"),
        "from the engine".into(),
        format!("{home}/.config"),
    ];
    assert_eq!(texts(&events), expected);
    assert_eq!(end(&events), (AgentState::Succeeded, None, "done".into()));
}

#[tokio::test]
async fn a_missing_program_is_named_with_how_to_get_it() {
    let room = Room::new();
    let missing = Script { program: "nobody-has-this", ..script("") };
    let Err(error) = Arc::new(Foreign::new(missing)).start(room.task()).await else { panic!() };
    assert_eq!(error.code, ErrorCode::EnvironmentSetupFailed);
    assert!(error.detail.contains("'nobody-has-this'") && error.detail.contains("write it"), "{error}");
}

#[tokio::test]
async fn a_failure_is_told_with_the_end_of_its_errors_and_every_action_has_a_result() {
    let room = Room::new();
    let text = "echo action 1; echo action 2; echo result 1; echo it broke: $MODEL_KEY >&2; exit 3";
    let events = run(script(text), room.task()).await;
    assert_eq!(
        end(&events),
        (AgentState::Failed, Some(ErrorCode::InternalError), "exit code 3: it broke: ***".into())
    );
    let results: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            HarnessEvent::ActionResult { action_id, state, .. } => Some((action_id.as_str(), state.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(results, [("1", ActionState::Completed), ("2", ActionState::Failed)]);
}

#[tokio::test]
async fn endless_lines_and_errors_do_not_fill_the_memory() {
    let room = Room::new();
    let text = "head -c 100000000 /dev/zero | tr '\\0' a; echo; head -c 50000000 /dev/zero >&2; echo after";
    let events = run(script(text), room.task()).await;
    let texts = texts(&events);
    assert!(texts[0].contains("bytes of one line of output were left out"), "{}", texts[0]);
    assert!(texts[1].len() < 17 << 20 && texts[2] == "after");
}

#[tokio::test]
async fn limits_end_it() {
    let room = Room::new();
    let endless = "while :; do echo turn; echo usage 10; sleep 0.01; done";
    for (limits, word) in [
        (Limits { max_turns: Some(3), ..Limits::default() }, "max_turns"),
        (Limits { max_tokens: Some(50), ..Limits::default() }, "max_tokens"),
        (Limits { max_seconds: Some(1), ..Limits::default() }, "max_seconds"),
    ] {
        let events = run(script(endless), HarnessTask { limits, ..room.task() }).await;
        let (state, code, message) = end(&events);
        assert_eq!((state, code), (AgentState::Failed, Some(ErrorCode::BudgetExceeded)), "{message}");
        assert!(message.contains(word), "{message}");
    }
}

/// Starts a program with a grandchild in another session that ignores signals, and waits until it is there.
async fn hidden(room: &Room) -> (Arc<Foreign>, BoxStream<'static, HarnessEvent>, String) {
    let text = "trap '' TERM INT HUP; echo action 1; setsid sh -c \"trap '' TERM; echo hidden $$; exec sleep 7654\" & wait; sleep 7654";
    let foreign = Arc::new(Foreign::new(script(text)));
    let mut events = Arc::clone(&foreign).start(room.task()).await.unwrap();
    let mut seen = Vec::new();
    while !matches!(seen.last(), Some(HarnessEvent::Text { .. })) {
        seen.push(timeout(Duration::from_secs(20), events.next()).await.unwrap().unwrap());
    }
    let workspace = room.workspace.path().canonicalize().unwrap().to_string_lossy().into_owned();
    assert!(processes_in(&workspace) >= 2);
    (foreign, events, workspace)
}

fn processes_in(directory: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let cwds = entries.filter_map(|entry| fs::read_link(entry.path().join("cwd")).ok());
    cwds.filter(|cwd| cwd.to_string_lossy() == directory).count()
}

#[tokio::test]
async fn cancelling_ends_all_that_it_started() {
    let room = Room::new();
    let (foreign, events, workspace) = hidden(&room).await;
    foreign.cancel().await;
    let rest: Vec<_> = timeout(Duration::from_secs(5), events.collect()).await.unwrap();
    assert!(matches!(&rest[0], HarnessEvent::ActionResult { state: ActionState::Failed, .. }), "{rest:?}");
    assert_eq!(end(&rest).0, AgentState::Cancelled);
    gone(&workspace).await;
}

#[tokio::test]
async fn dropping_the_stream_ends_all_that_it_started() {
    let room = Room::new();
    let (_foreign, events, workspace) = hidden(&room).await;
    drop(events);
    gone(&workspace).await;
}

/// Waits until no process works in a workspace: the kernel buries what was killed when it gets to it.
async fn gone(workspace: &str) {
    let gone = async {
        while processes_in(workspace) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), gone).await.unwrap();
}

#[tokio::test]
async fn what_it_leaves_in_the_background_ends_with_it() {
    let room = Room::new();
    let events = run(script("setsid sleep 7654 & echo bye"), room.task()).await;
    assert_eq!(texts(&events), ["bye"]);
    let workspace = room.workspace.path().canonicalize().unwrap().to_string_lossy().into_owned();
    assert_eq!(processes_in(&workspace), 0);
}

#[tokio::test]
async fn messages_and_interruptions_reach_it_until_it_rests() {
    let room = Room::new();
    let text = "read a; echo $a; read b; echo $b; read c; echo $c; echo rest; read d; echo $d; echo rest; read e || echo closed";
    let foreign = Arc::new(Foreign::new(Script { listens: true, ..script(text) }));
    assert_eq!(foreign.send("early".into()).await.unwrap_err().code, ErrorCode::Conflict);
    let mut events = Arc::clone(&foreign).start(room.task()).await.unwrap();
    foreign.send("more".into()).await.unwrap();
    foreign.interrupt().await.unwrap();
    let mut seen = Vec::new();
    while texts(&seen).len() < 3 {
        seen.push(timeout(Duration::from_secs(20), events.next()).await.unwrap().unwrap());
    }
    // After a mere interruption it rests, and waits for what its user has to say.
    while foreign.send("and now".into()).await.is_ok() {
        let Some(event) = timeout(Duration::from_secs(20), events.next()).await.unwrap() else { break };
        seen.push(event);
    }
    seen.extend(events.collect::<Vec<_>>().await);
    assert_eq!(texts(&seen)[..3], ["do it", "more", "stop!"]);
    assert_eq!(foreign.send("late".into()).await.unwrap_err().code, ErrorCode::Conflict);
    let deaf = Foreign::new(script(""));
    assert_eq!(deaf.send("x".into()).await.unwrap_err().code, ErrorCode::OperationNotSupported);
    assert_eq!(deaf.interrupt().await.unwrap_err().code, ErrorCode::OperationNotSupported);
}

#[tokio::test]
async fn its_conversation_is_kept_and_only_its_own_is_taken_up() {
    let room = Room::new();
    let text = "echo session abc; echo session abc; printf kept >\"$HOME/conversation\"";
    let foreign = Arc::new(Foreign::new(script(text)));
    assert_eq!(foreign.save().await, None);
    let events = all(Arc::clone(&foreign).start(room.task()).await.unwrap()).await;
    let sessions = events.iter().filter(|event| matches!(event, HarnessEvent::Session { .. }));
    assert_eq!(sessions.count(), 1);
    let saved = foreign.save().await.unwrap();
    assert_eq!((saved.session_id.as_str(), &saved.content[..]), ("abc", &b"kept"[..]));
    let other = SavedSession { format: "other".into(), ..saved };
    let task = HarnessTask { saved: Some(other), ..room.task() };
    let Err(error) = Arc::new(Foreign::new(script(""))).start(task).await else { panic!() };
    assert!(error.code == ErrorCode::Conflict && error.detail.contains("'other'"), "{error}");
}

#[tokio::test]
async fn a_conversation_that_can_t_be_taken_up_is_told_from_its_beginning() {
    let room = Room::new();
    let task = || HarnessTask {
        prompt: "and the rest".into(),
        retold: Some("the whole of it".into()),
        saved: Some(SavedSession { format: "script".into(), session_id: "old".into(), content: Vec::new() }),
        ..room.task()
    };
    let foreign = Arc::new(Foreign::new(script(
        r#"read prompt; case "$prompt" in *rest) echo lost >&2; exit 3;; esac; echo session new; echo "$prompt""#,
    )));
    let events = all(Arc::clone(&foreign).start(task()).await.unwrap()).await;
    let told = |event: &HarnessEvent| match event {
        HarnessEvent::Stage { name, ok: false, detail: Some(why), .. } => Some(format!("{name}: {why}")),
        HarnessEvent::Session { session_id, .. } => Some(session_id.clone()),
        HarnessEvent::Text { text } => Some(text.clone()),
        _ => None,
    };
    let lost = "session_resume: the earlier conversation can't be taken up: exit code 3: lost; this begins a new one";
    assert_eq!(events.iter().filter_map(told).collect::<Vec<_>>(), [lost, "new", "the whole of it"]);
    assert!(matches!(events.last(), Some(HarnessEvent::State { state: AgentState::Succeeded, .. })));

    // Who worked and failed is not started again.
    for text in ["echo session old; exit 3", "echo I try; exit 3"] {
        let events = run(script(text), task()).await;
        assert!(!events.iter().any(|event| matches!(event, HarnessEvent::Stage { .. })), "{events:?}");
    }
}

#[tokio::test]
async fn lists_that_a_program_does_not_keep_to_are_told() {
    let room = Room::new();
    let mut task = room.task();
    task.permissions.command_denylist = vec!["rm .*".to_owned()];
    let events = all(Arc::new(Foreign::new(script(""))).start(task).await.unwrap()).await;
    let told = |event: &HarnessEvent| matches!(event, HarnessEvent::Stage { name, ok: false, detail: Some(why), .. } if name == "permissions" && why.ends_with("command_denylist"));
    assert!(events.iter().any(told), "{events:?}");
}
