//! What goes on between a working agent and its team: questions and answers, follow-ups, and saved conversations.

use super::{
    super::{admission::Record, drive::Manners, session::Session},
    plane::{Plane, TOKEN},
    *,
};
use async_trait::async_trait;
use futures_util::{StreamExt as _, stream, stream::BoxStream};
use oz_core::{
    Error,
    harness::{AgentState, Harness, HarnessTask, SavedSession},
    request::{Answer, Decision, Request, RequestKind},
};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

const SECRET: &str = "hunter-2-canary";

/// An agent that asks, if it is to, and else works until it is told to end. It reads what it is sent unless it is deaf.
struct Asker {
    asks: bool,
    deaf: bool,
    events: Mutex<Option<UnboundedSender<HarnessEvent>>>,
    interrupts: Mutex<u32>,
}

impl Asker {
    fn new(asks: bool, deaf: bool) -> Arc<Self> {
        Arc::new(Self { asks, deaf, events: Mutex::default(), interrupts: Mutex::default() })
    }

    fn say(&self, event: HarnessEvent) {
        if let Some(events) = &*self.events.lock().unwrap() {
            let _ = events.send(event);
        }
    }

    fn end(&self, state: AgentState, message: &str) {
        self.say(HarnessEvent::State { state, message: Some(message.into()), code: None });
        *self.events.lock().unwrap() = None;
    }
}

#[async_trait]
impl Harness for Asker {
    fn name(&self) -> &str {
        "oz"
    }
    async fn start(self: Arc<Self>, _: HarnessTask) -> Result<BoxStream<'static, HarnessEvent>, Error> {
        let (events, mut received) = mpsc::unbounded_channel();
        *self.events.lock().unwrap() = Some(events);
        if self.asks {
            let request = Request {
                request_id: Uuid::from_u128(7),
                kind: RequestKind::Question,
                title: format!("Which one, {SECRET}?"),
                reason: None,
                detail: serde_json::Map::new(),
                options: Vec::new(),
            };
            self.say(HarnessEvent::Request { request });
        }
        Ok(stream::poll_fn(move |context| received.poll_recv(context)).boxed())
    }
    async fn send(&self, text: String) -> Result<(), Error> {
        if self.deaf {
            return Err(Error::unsupported("deaf"));
        }
        self.say(HarnessEvent::Prompt { text: text.clone() });
        if text == "end" {
            self.end(AgentState::Succeeded, "ended");
        }
        Ok(())
    }
    async fn answer(&self, request_id: Uuid, answer: Answer) -> Result<(), Error> {
        self.say(HarnessEvent::Answered { request_id, answer: answer.clone() });
        self.end(AgentState::Succeeded, &format!("{}: {}", answer.decision, answer.text.unwrap_or_default()));
        Ok(())
    }
    async fn interrupt(&self) -> Result<(), Error> {
        *self.interrupts.lock().unwrap() += 1;
        Ok(())
    }
    async fn save(&self) -> Option<SavedSession> {
        let content = format!("said {SECRET}").into_bytes();
        Some(SavedSession { format: "oz".into(), session_id: "s1".into(), content })
    }
    async fn cancel(&self) {
        self.end(AgentState::Cancelled, "stopped");
    }
}

/// Drives an agent on a plane, or without one.
async fn work(
    harness: Arc<Asker>,
    plane: Option<&Plane>,
    assigned: bool,
    idle: Duration,
    steer: Option<mpsc::UnboundedReceiver<Steer>>,
) -> (DriverResult, Vec<HarnessEvent>) {
    let mut events = Vec::new();
    let mut observer = |event| {
        if let DriverEvent::Event { event } = event {
            events.push(event);
        }
    };
    let record =
        plane.map(|plane| Record { run_id: Plane::run_id(), client: plane.client(), assigned, token: None });
    let patience = Duration::from_secs(10);
    let redactor = Redactor::new([SECRET, TOKEN]);
    let cancel = CancellationToken::new();
    let mut session = Session::new(&mut observer, record, redactor, Duration::from_millis(50), &cancel);
    let make = || -> Arc<dyn Harness> { harness.clone() };
    let manners = Manners { patience, idle, steer, refusals: None };
    let end = session.drive(&make, HarnessTask::default(), manners).await;
    let finished = session.finish(end, patience).await;
    (finished, events)
}

const LONG: Duration = Duration::from_secs(60);

async fn plane() -> Plane {
    Plane::start("p", AgentConfig::default()).await
}

#[tokio::test]
async fn a_question_goes_to_the_team_and_its_answer_to_the_agent() {
    let plane = plane().await;
    let answering = async {
        while plane.lock().calls("requests").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        plane.lock().answer = Some(json!({ "decision": "answer", "text": "B" }));
    };
    let ((finished, events), ()) =
        tokio::join!(work(Asker::new(true, false), Some(&plane), true, LONG, None), answering);
    assert_eq!((finished.state, finished.status.message.as_str()), (RunState::Succeeded, "answer: B"));
    let answered = events
        .iter()
        .any(|e| matches!(e, HarnessEvent::Answered { answer, .. } if answer.text.as_deref() == Some("B")));
    assert!(answered, "{events:?}");
    let state = plane.lock();
    assert_eq!(state.kinds(), ["request", "answered", "state"]);
    assert_eq!(state.calls("requests")[0]["title"], "Which one, ***?");
    assert_eq!(state.calls("harness-support/transcript").last().unwrap()["session_id"], "s1");
    assert_eq!(state.uploads.last().unwrap(), "said ***");
}

#[tokio::test]
async fn an_agent_that_nobody_answers_leaves_its_run_blocked_and_saved() {
    let plane = plane().await;
    let idle = Duration::from_millis(100);
    let (finished, _) = work(Asker::new(true, false), Some(&plane), true, idle, None).await;
    assert_eq!(finished.state, RunState::Blocked);
    {
        let state = plane.lock();
        assert_eq!(state.uploads.last().unwrap(), "said ***");
        let updates = state.calls("update-run");
        assert!(updates.iter().all(|u| u.get("task_state").is_none()), "whoever answered has the last word");
        assert!(state.calls.last().unwrap().0.ends_with("report-shutdown"));
    }
    // Nobody could go on with a run of this machine.
    let (finished, _) = work(Asker::new(true, false), Some(&plane), false, idle, None).await;
    assert_eq!(finished.state, RunState::Succeeded);
    assert!(finished.status.message.starts_with("deny: nobody answered"), "{}", finished.status.message);
}

#[tokio::test]
async fn where_nobody_is_a_question_is_denied_and_a_person_here_can_answer() {
    let (finished, _) = work(Asker::new(true, false), None, false, LONG, None).await;
    assert!(finished.status.message.starts_with("deny: nobody can be asked"), "{}", finished.status.message);
    let plane = plane().await;
    for plane in [None, Some(&plane)] {
        let (steer, steering) = mpsc::unbounded_channel();
        let answer = Answer { decision: Decision::Answer, text: Some("A".into()) };
        let request_id = Uuid::from_u128(7);
        let saying = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            steer.send(Steer::Pause).unwrap();
            steer.send(Steer::Answer { request_id: Uuid::nil(), answer: answer.clone() }).unwrap();
            steer.send(Steer::Answer { request_id, answer }).unwrap();
        };
        let asker = Asker::new(true, false);
        let ((finished, _), ()) =
            tokio::join!(work(Arc::clone(&asker), plane, false, LONG, Some(steering)), saying);
        assert_eq!(finished.status.message, "answer: A");
        assert_eq!(*asker.interrupts.lock().unwrap(), 1);
    }
    assert!(plane.lock().calls("update-run").iter().any(|u| u["task_state"] == "INPROGRESS"), "it goes on");
}

#[tokio::test]
async fn follow_ups_reach_a_working_agent_and_are_acknowledged_when_they_are_read() {
    for deaf in [false, true] {
        let plane = plane().await;
        let followup = |id: &str, message: &str, interrupt: bool| json!({ "followup_id": id, "message": message, "interrupt": interrupt });
        plane.lock().followups = vec![followup("f1", "look here", true), followup("f2", "end", false)];
        let asker = Asker::new(false, deaf);
        let ending = async {
            if deaf {
                tokio::time::sleep(Duration::from_millis(300)).await;
                asker.end(AgentState::Succeeded, "ended");
            }
        };
        let (worked, ()) = tokio::join!(work(Arc::clone(&asker), Some(&plane), true, LONG, None), ending);
        assert_eq!(worked.0.status.message, "ended");
        assert_eq!(*asker.interrupts.lock().unwrap(), u32::from(!deaf));
        let state = plane.lock();
        let mut told: Vec<String> = state
            .calls("transcript-entries")
            .iter()
            .filter_map(|call| Some(call.get("received_followups")?[0].as_str()?.to_owned()))
            .collect();
        told.sort();
        assert_eq!(told, if deaf { vec![] } else { vec!["f1".to_owned(), "f2".to_owned()] });
        assert!(state.calls.last().unwrap().0.ends_with("update-run"), "they are settled before the end");
    }
}

#[tokio::test]
async fn a_conversation_is_taken_up_only_by_a_harness_of_its_format() {
    use super::super::resume;
    let plane = plane().await;
    let url = plane.client().server_url().to_owned();
    let find = async |format: &str| {
        resume::find(&plane.client(), Plane::run_id(), format, Duration::from_secs(5)).await
    };
    assert!(find("oz").await.is_none());
    plane.lock().resolved = Some(json!({ "prompt": "all", "resumption_prompt": "more", "session": {
        "run_id": plane::RUN, "format": "codex", "session_id": "s1", "download_url": format!("{url}/blob") } }));
    assert!(find("oz").await.is_none());
    let found = find(resume::format(&HarnessType::Codex)).await.unwrap();
    assert_eq!((found.prompt.as_str(), found.own), ("more", true));
    assert_eq!((found.session.session_id.as_str(), found.session.content), ("s1", b"\"the bytes\"".to_vec()));
    assert_eq!(resume::format(&HarnessType::Claude), "claude_code");
    assert_eq!(resume::format(&HarnessType::Oz), "oz");
}

#[tokio::test]
async fn what_an_agent_can_not_take_while_it_works_is_for_the_next() {
    let (steer, steering) = mpsc::unbounded_channel();
    let asker = Asker::new(false, true);
    let saying = async {
        steer.send(Steer::Message { text: "and this".into(), interrupt: false }).unwrap();
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            asker.end(AgentState::Succeeded, "ended");
        }
    };
    let ((finished, events), ()) =
        tokio::join!(work(Arc::clone(&asker), None, false, LONG, Some(steering)), saying);
    assert_eq!(finished.status.message, "ended");
    let kinds: Vec<_> =
        events.iter().map(|e| matches!(e, HarnessEvent::Prompt { text } if text == "and this")).collect();
    assert_eq!(kinds, [false, true, false], "{events:?}");
}
