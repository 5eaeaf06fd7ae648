use super::*;
use crate::foreign::{Foreign, Told};
use futures_util::StreamExt as _;
use oz_core::{
    ErrorCode,
    harness::{AgentState, Harness as _, HarnessEvent},
};
use std::{collections::BTreeMap, path::Path, sync::Arc};

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn task(command: CommandHarness, home: &Path) -> HarnessTask {
    HarnessTask {
        prompt: "do {model} it".into(),
        workspace: home.to_owned(),
        home: home.to_owned(),
        command: Some(command),
        env: BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap())]),
        ..HarnessTask::default()
    }
}

fn shell(script: &str) -> CommandHarness {
    CommandHarness { start: words(&["sh", "-c", script, "agent", "{prompt}"]), ..CommandHarness::default() }
}

async fn run(task: HarnessTask) -> (Vec<HarnessEvent>, Option<SavedSession>) {
    let harness = Arc::new(Foreign::new(super::Command));
    let events = harness.clone().start(task).await.unwrap().collect().await;
    (events, harness.save().await)
}

fn end(events: &[HarnessEvent]) -> (AgentState, String, Option<ErrorCode>) {
    match events.last() {
        Some(HarnessEvent::State { state, message, code }) => {
            (state.clone(), message.clone().unwrap_or_default(), code.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn placeholders_are_filled_and_words_without_value_left_out() {
    let command = CommandHarness {
        start: words(&[
            "agent",
            "--model={model}",
            "--dir",
            "{workspace}",
            "--home={home}",
            "{prompt}",
            "{session}",
        ]),
        ..CommandHarness::default()
    };
    let launch = super::Command.launch(&task(command.clone(), Path::new("/h"))).unwrap();
    assert_eq!(launch.words, ["agent", "--dir", "/h", "--home=/h", "do {model} it"]);
    assert_eq!(launch.stdin, None);
    let unnamed = CommandHarness { start: words(&["agent"]), ..command };
    assert_eq!(
        super::Command.launch(&task(unnamed, Path::new("/h"))).unwrap().stdin.as_deref(),
        Some("do {model} it")
    );
}

#[test]
fn descriptions_that_can_not_work_are_refused() {
    let pattern = |session: &str, login: &str| CommandHarness {
        session_pattern: Some(session.to_owned()),
        authentication_patterns: vec![login.to_owned()],
        ..shell("")
    };
    let unknown = CommandHarness { output: Some(CommandOutput::Unknown("xml".into())), ..shell("") };
    for (command, expected) in [
        (CommandHarness::default(), "harness.command.start"),
        (pattern("(", "x"), "session_pattern"),
        (pattern("no group", "x"), "with a group"),
        (pattern("(x)", "["), "authentication_patterns"),
        (unknown, "harness.command.output"),
    ] {
        let error = super::Command.launch(&task(command, Path::new("/h"))).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let saved = SavedSession { format: "command".into(), session_id: "1".into(), content: Vec::new() };
    let again = HarnessTask { saved: Some(saved), ..task(shell(""), Path::new("/h")) };
    assert!(super::Command.launch(&again).unwrap_err().to_string().contains("harness.command.resume"));
}

#[tokio::test]
async fn a_conversation_goes_on_in_another_home() {
    let first = tempfile::tempdir().unwrap();
    let script =
        r#"mkdir -p "$HOME/.agent"; echo "$1" >> "$HOME/.agent/talk"; echo "session: s1"; echo "I did it.""#;
    let command = CommandHarness {
        resume: words(&[
            "sh",
            "-c",
            r#"echo "$1 after $(cat "$HOME/.agent/talk") in $2""#,
            "agent",
            "{prompt}",
            "{session}",
        ]),
        session_pattern: Some("^session: (.+)$".into()),
        ..shell(script)
    };
    let (events, saved) = run(task(command.clone(), first.path())).await;
    assert_eq!(end(&events), (AgentState::Succeeded, "session: s1\nI did it.".into(), None));
    let saved = saved.unwrap();
    assert_eq!(saved.session_id, "s1");
    let second = tempfile::tempdir().unwrap();
    let next = HarnessTask { prompt: "more".into(), saved: Some(saved), ..task(command, second.path()) };
    let (events, _) = run(next).await;
    assert_eq!(end(&events).1, "more after do {model} it in s1");
}

#[tokio::test]
async fn a_program_that_is_not_logged_in_fails_with_that() {
    let home = tempfile::tempdir().unwrap();
    for script in ["echo 'please run login'", "echo 'please run login' >&2; exit 3"] {
        let command = CommandHarness { authentication_patterns: vec!["run login".into()], ..shell(script) };
        let (state, message, code) = end(&run(task(command, home.path())).await.0);
        assert_eq!((state, code), (AgentState::Failed, Some(ErrorCode::AuthenticationRequired)));
        assert!(message.contains("please run login"), "{message}");
    }
    let (state, message, code) = end(&run(task(shell("echo why >&2; exit 3"), home.path())).await.0);
    assert_eq!((state, code), (AgentState::Failed, Some(ErrorCode::InternalError)));
    assert_eq!(message, "the program ended with 3: why");
    let missing = CommandHarness {
        start: words(&["no-such-agent"]),
        install_hint: Some("get it from the attic".into()),
        ..CommandHarness::default()
    };
    let Err(error) = Arc::new(Foreign::new(super::Command)).start(task(missing, home.path())).await else {
        panic!()
    };
    assert!(error.to_string().contains("get it from the attic"), "{error}");
}

#[test]
fn events_are_taken_as_they_are() {
    let mut reader = reader::Events::default();
    let lines = [
        r#"{"type":"session","format":"x","session_id":"s"}"#,
        r#"{"type":"action","id":"1","category":"command","name":"sh","input":{}}"#,
        r#"{"type":"text","text":"Hello."}"#,
        "plain words",
        r#"{"type":"state","state":"succeeded","message":"Well."}"#,
    ];
    let told: Vec<Told> = lines.iter().flat_map(|line| reader.line(line)).collect();
    assert_eq!(told[0], Told::Session("s".into()));
    assert!(matches!(&told[1], Told::Event(HarnessEvent::Action { .. })));
    assert_eq!(told[2], Told::Event(HarnessEvent::Text { text: "Hello.".into() }));
    assert_eq!(told[3], Told::Event(HarnessEvent::Text { text: "plain words".into() }));
    assert_eq!(told.len(), 4);
    assert_eq!(reader.end(0, ""), crate::foreign::End::Done(Some("Well.".into())));
}
