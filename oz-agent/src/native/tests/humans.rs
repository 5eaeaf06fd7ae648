//! Questions to a human.

use super::*;
use oz_core::{
    permission::Permissions,
    request::{Decision, Request, RequestKind},
};

const ASK: &str = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: ask_user, input: { question: "Which one?", options: [left, right] } }]
      - { expect: "EXPECTED", text: thanks }
"#;

async fn question(events: &mut BoxStream<'static, HarnessEvent>) -> Request {
    loop {
        match events.next().await.expect("a question") {
            HarnessEvent::Request { request } => return request,
            HarnessEvent::State { state, message, .. } if state.is_final() => panic!("{state:?} {message:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_question_waits_for_its_answer_and_takes_no_turn() {
    for (decision, text, expected) in [
        (Decision::Answer, Some("left"), "The user answers: left"),
        (Decision::Approve, None, "The user approves"),
        (Decision::Deny, Some("nobody is there"), "There is no answer: nobody is there"),
        (Decision::Deny, None, "did not answer"),
    ] {
        let room = Room::new(&ASK.replace("EXPECTED", expected));
        let room = room.limits(Limits { max_turns: Some(2), ..Limits::default() });
        let mut events = room.start("x").await;
        let request = question(&mut events).await;
        assert_eq!((request.kind, request.title.as_str()), (RequestKind::Question, "Which one?"));
        assert_eq!(request.options, ["left", "right"]);
        let (id, answer) = (request.request_id, Answer { decision, text: text.map(str::to_owned) });
        let unknown = room.harness.answer(Uuid::new_v4(), answer.clone()).await.unwrap_err();
        assert_eq!(unknown.code, ErrorCode::Conflict);
        room.harness.answer(id, answer.clone()).await.unwrap();
        assert!(room.harness.answer(id, answer.clone()).await.is_err(), "it is answered once");
        let rest: Vec<_> = events.collect().await;
        assert_eq!(rest[0], HarnessEvent::Answered { request_id: id, answer });
        assert_eq!(end(&rest).1, "thanks");
    }
}

#[tokio::test]
async fn who_is_interrupted_or_cancelled_takes_the_question_back() {
    for interrupted in [true, false] {
        let room = Room::new(&ASK.replace("EXPECTED", "interrupted by the user"));
        let mut events = room.start("x").await;
        let id = question(&mut events).await.request_id;
        if interrupted {
            room.harness.interrupt().await.unwrap();
        } else {
            room.harness.cancel().await;
        }
        let rest: Vec<_> = events.collect().await;
        let answered = rest.iter().find_map(|event| match event {
            HarnessEvent::Answered { request_id, answer } => Some((*request_id, answer.decision.clone())),
            _ => None,
        });
        assert_eq!(answered, Some((id, Decision::Deny)));
        let expected = if interrupted { AgentState::Succeeded } else { AgentState::Cancelled };
        assert_eq!(end(&rest).0, expected);
        let late = Answer { decision: Decision::Answer, text: None };
        assert!(room.harness.answer(id, late).await.is_err());
    }
}

#[tokio::test]
async fn a_question_ends_with_the_time_of_the_run() {
    let room = Room::new(ASK).limits(Limits { max_seconds: Some(1), ..Limits::default() });
    let events = room.run("x").await;
    assert!(end(&events).1.contains("max_seconds"));
    assert!(events.iter().any(|event| matches!(event, HarnessEvent::Answered { .. })));
}

#[tokio::test]
async fn who_may_not_ask_has_no_tool_for_it() {
    let room = Room::new(&ASK.replace("EXPECTED", "there is no tool 'ask_user'"));
    let permissions = Permissions { ask_questions: Some(PermissionLevel::Never), ..Permissions::default() };
    let events = room.run_task(HarnessTask { permissions, ..room.task("x") }).await;
    assert_eq!(end(&events).1, "thanks");
}
