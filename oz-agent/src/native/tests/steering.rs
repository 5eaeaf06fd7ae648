//! Interrupting an agent.

use super::*;

#[tokio::test]
async fn an_interrupted_call_says_so_and_the_message_is_read_next() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: run_command, input: { command: "touch started; sleep 60" } }, { name: run_command, input: { command: "touch never" } }]
      - { expect: (?s)interrupted by the user.*was not done.*the other way, text: other }
"#;
    let room = Room::new(script);
    assert!(room.harness.interrupt().await.is_err(), "nothing is there to interrupt");
    let events = room.start("x").await;
    until("it does not start", || room.path("started").exists()).await;
    room.harness.send("the other way".into()).await.unwrap();
    room.harness.interrupt().await.unwrap();
    let events: Vec<_> = events.collect().await;
    assert_eq!(end(&events), (AgentState::Succeeded, "other".into(), None));
    assert_eq!(actions(&events), [("run_command".to_owned(), ActionState::Failed)]);
    assert!(
        outputs(&events, "run_command")[0]["error"].as_str().unwrap().contains("interrupted by the user")
    );
    assert!(events.contains(&HarnessEvent::Prompt { text: "the other way".into() }));
    assert!(!room.path("never").exists());
    until("a process is left", || naming(room.dir.path()) == 0).await;
    assert!(room.harness.interrupt().await.is_err(), "nothing is left to interrupt");
}

#[tokio::test]
async fn half_an_answer_is_kept_when_it_has_text() {
    let (asked, mut requests) = mpsc::unbounded_channel();
    let service = service::serve(move |n, request| {
        let _ = asked.send(request.clone());
        match n {
            0 => service::Said::half("I was about to"),
            1 => service::Said::half(""),
            _ => service::Said::text("done"),
        }
    })
    .await;
    let room = Room::new("scripts: []");
    let harness = service.harness(&[]);
    let mut events = Arc::clone(&harness).start(room.task("x")).await.unwrap();
    while !matches!(events.next().await, Some(HarnessEvent::Delta { .. })) {}
    harness.send("stop that".into()).await.unwrap();
    harness.interrupt().await.unwrap();
    requests.recv().await.unwrap();
    let second = requests.recv().await.unwrap();
    harness.interrupt().await.unwrap();
    let third = requests.recv().await.unwrap();
    let events: Vec<_> = events.collect().await;
    assert_eq!(end(&events).1, "done");
    assert!(events.contains(&HarnessEvent::Text { text: "I was about to".into() }));
    let said = |request: &serde_json::Value| -> Vec<String> {
        let messages = request["messages"].as_array().unwrap();
        messages[1..].iter().map(|m| m["content"].as_str().unwrap().to_owned()).collect()
    };
    let mark = "[The user interrupted you here.]";
    assert_eq!(said(&second), ["x", "I was about to", mark, "stop that"]);
    assert_eq!(said(&third), ["x", "I was about to", mark, "stop that", mark]);
}

#[tokio::test]
async fn a_paused_agent_waits_for_a_word() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: run_command, input: { command: "touch started; sleep 60" } }]
      - { expect: (?s)interrupted by the user.*the other way, text: other }
"#;
    let room = Room::new(script);
    assert!(room.harness.pause().await.is_err(), "nothing is there to pause");
    let mut events = room.start("x").await;
    until("it does not start", || room.path("started").exists()).await;
    room.harness.pause().await.unwrap();
    while !matches!(events.next().await, Some(HarnessEvent::ActionResult { .. })) {}
    let silent = tokio::time::timeout(std::time::Duration::from_millis(300), events.next()).await;
    assert!(silent.is_err(), "{silent:?}");
    room.harness.send("the other way".into()).await.unwrap();
    let events: Vec<_> = events.collect().await;
    assert_eq!(end(&events), (AgentState::Succeeded, "other".into(), None));
}

#[tokio::test]
async fn an_agent_that_is_talked_with_rests_until_it_is_dismissed() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: run_command, input: { command: "sleep 61 & echo $! > job", background: true } }]
      - { text: one }
      - { expect: more, text: two }
"#;
    let room = Room::new(script);
    let mut task = room.task("x");
    task.talks = true;
    let mut events = Arc::clone(&room.harness).start(task).await.unwrap();
    let mut rests = async |text: &str| loop {
        match events.next().await {
            Some(HarnessEvent::State { state: AgentState::Resting, message, .. }) => {
                return assert_eq!(message.as_deref(), Some(text));
            }
            Some(event) => {
                assert!(!matches!(event, HarnessEvent::State { ref state, .. } if state.is_final()));
            }
            None => panic!("it ended"),
        }
    };
    rests("one").await;
    room.harness.send("more".into()).await.unwrap();
    rests("two").await;
    assert!(naming(room.dir.path()) > 0, "what it left in the background goes on");
    room.harness.dismiss().await;
    let events: Vec<_> = events.collect().await;
    assert_eq!(end(&events), (AgentState::Succeeded, "two".into(), None));
    until("a process is left", || naming(room.dir.path()) == 0).await;
}
