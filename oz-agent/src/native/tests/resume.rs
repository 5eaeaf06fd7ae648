//! Taking up an earlier conversation.

use super::*;

const SCRIPT: &str = r##"
scripts:
  - match: first
    turns:
      - tool_calls: [{ name: update_tasks, input: { tasks: [{ title: a, state: pending }] } }, { name: write_plan, input: { title: P, text: plan } }]
      - text: That is half of it.
      - { expect: and the rest, text: That is all. }
  - match: anew
    turns: [{ text: fresh }]
"##;

fn session(events: &[HarnessEvent]) -> String {
    let session = events.iter().find_map(|event| match event {
        HarnessEvent::Session { format, session_id } => {
            assert_eq!(format, "oz");
            Some(session_id.clone())
        }
        _ => None,
    });
    session.unwrap()
}

fn resumed(events: &[HarnessEvent]) -> Option<(bool, String)> {
    events.iter().find_map(|event| match event {
        HarnessEvent::Stage { name, ok, detail, .. } if name == "session_resume" => {
            Some((*ok, detail.clone().unwrap()))
        }
        _ => None,
    })
}

#[tokio::test]
async fn a_conversation_goes_on_where_it_ended() {
    let room = Room::new(SCRIPT);
    assert_eq!(room.harness.save().await, None);
    let first = room.run("first").await;
    assert_eq!(end(&first).1, "That is half of it.");
    let saved = room.harness.save().await.unwrap();
    assert_eq!((saved.format.as_str(), &saved.session_id), ("oz", &session(&first)));
    assert_eq!(String::from_utf8_lossy(&saved.content).lines().count(), 5);

    let again = room.another();
    let task = HarnessTask { saved: Some(saved), ..room.task("and the rest") };
    let second: Vec<_> = Arc::clone(&again).start(task).await.unwrap().collect().await;
    assert_eq!(end(&second), (AgentState::Succeeded, "That is all.".into(), None));
    assert_eq!(session(&second), session(&first));
    assert_eq!(resumed(&second), Some((true, "the conversation goes on after 4 messages".into())));
    assert!(second.iter().any(|e| matches!(e, HarnessEvent::Tasks { tasks } if tasks[0].title == "a")));
    let text = String::from_utf8(again.save().await.unwrap().content).unwrap();
    assert_eq!(text.lines().count(), 7);
    assert!(text.lines().next().unwrap().contains(r#""title":"P""#));
}

#[tokio::test]
async fn what_is_saved_in_the_middle_of_a_call_can_be_taken_up() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: run_command, input: { command: "touch started; sleep 60" } }]
      - { expect: (?s)session ended before.*go on, text: went on }
"#;
    let room = Room::new(script);
    let events = room.start("x").await;
    until("it does not start", || room.path("started").exists()).await;
    let saved = room.harness.save().await;
    drop(events);
    let task = HarnessTask { saved, ..room.task("go on") };
    let events: Vec<_> = room.another().start(task).await.unwrap().collect().await;
    assert_eq!(end(&events).1, "went on");
}

#[tokio::test]
async fn another_model_gets_the_conversation_in_a_shape_that_it_takes() {
    let room = Room::new(SCRIPT);
    room.run("first").await;
    let mut saved = room.harness.save().await.unwrap();
    let text = String::from_utf8(saved.content).unwrap();
    assert!(text.contains(r#""model":"scripted""#) && text.contains(r#""call_1_0""#), "{text}");
    saved.content = text.replace(r#""model":"scripted""#, r#""model":"other""#).into_bytes();
    let again = room.another();
    let task = HarnessTask { saved: Some(saved), ..room.task("and the rest") };
    let events: Vec<_> = Arc::clone(&again).start(task).await.unwrap().collect().await;
    assert_eq!(end(&events).1, "That is all.");
    let text = String::from_utf8(again.save().await.unwrap().content).unwrap();
    assert!(text.contains(r#""call00001""#) && !text.contains(r#""call_1_0""#), "{text}");
}

#[tokio::test]
async fn what_can_t_be_taken_up_is_told_and_the_run_goes_on_afresh() {
    let room = Room::new(SCRIPT);
    let saved = SavedSession { format: "oz".into(), session_id: "old".into(), content: b"{}".to_vec() };
    let retold = Some("begin anew".to_owned());
    let events = room.run_task(HarnessTask { saved: Some(saved), retold, ..room.task("and the rest") }).await;
    assert_eq!(end(&events).1, "fresh");
    assert_ne!(session(&events), "old");
    let (ok, detail) = resumed(&events).unwrap();
    assert!(!ok && detail.contains("line 1: missing field"), "{detail}");
}
