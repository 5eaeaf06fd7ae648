//! What agents ask of humans, from the question to what follows from the answer.

use super::{Bed, text};
use crate::{
    ctx::now,
    store::{
        accounts::{Caller, Workload},
        executions::{Report, Reported},
    },
};
use oz_core::{
    Error, Open, RunState,
    api::{AnswerRunRequest, ListRunRequests, NewEntry, RunRequest, SubmitFollowup, UpdateRun},
    event::EventType,
    harness::HarnessEvent,
    request::{Answer, Decision, Request, RequestKind},
};
use uuid::Uuid;

fn asked(kind: RequestKind, title: &str) -> Request {
    Request {
        request_id: Uuid::now_v7(),
        kind,
        title: title.into(),
        reason: None,
        detail: serde_json::Map::new(),
        options: Vec::new(),
    }
}

fn question(title: &str) -> Request {
    asked(RequestKind::Question, title)
}

fn answer(who: &Workload, request: &Request, decision: Decision, said: &str) -> AnswerRunRequest {
    let answer = Answer { decision, text: Some(said.into()) };
    AnswerRunRequest { run_id: who.run_id, request_id: request.request_id, answer }
}

impl Bed {
    async fn ask(&self, who: &Workload, request: &Request) -> RunRequest {
        self.store.raise_request(who.clone(), request.clone(), now()).await.unwrap()
    }
    async fn reply(&self, who: &Workload, request: &Request, said: &str) -> Result<RunRequest, Error> {
        let given = answer(who, request, Decision::Answer, said);
        Ok(self.store.answer_request(self.caller(), given, now()).await?)
    }
    async fn state(&self, who: &Workload) -> RunState {
        self.store.get_run(who.run_no).await.unwrap().state
    }
    async fn prompt(&self, who: &Workload) -> String {
        self.store.get_own_run(who.run_no).await.unwrap().prompt
    }
    /// The answer as a later agent is told of it, if it is.
    async fn next(&self, who: &Workload) -> (Workload, String) {
        let next = self.offer(who.run_no).await;
        self.report(&next, Report::Claimed).await;
        self.store.update_run(next.clone(), UpdateRun::started(), now()).await.unwrap();
        let prompt = self.prompt(&next).await;
        (next, prompt)
    }
}

on_both! {
    async fn an_agent_waits_for_its_answer_and_goes_on_with_it(bed: Bed) {
        let who = bed.started("ask").await;
        let (first, second) = (question("Which one?\nA or B"), question("And then?"));
        let raised = bed.ask(&who, &first).await;
        assert_eq!(bed.ask(&who, &first).await, raised, "the same id twice is one request");
        bed.ask(&who, &second).await;
        let run = bed.store.get_run(who.run_no).await.unwrap();
        assert_eq!((run.state, run.requests.len(), run.is_sandbox_running), (RunState::Blocked, 2, true));
        assert_eq!(run.status_message.unwrap().message, "Which one?…");
        assert_eq!(bed.store.own_request(who.clone(), first.request_id).await.unwrap().answer, None);
        let replied = bed.reply(&who, &first, "A").await.unwrap();
        assert_eq!(replied.answered_by.unwrap().uid, bed.member.principal.uid);
        assert_eq!(bed.state(&who).await, RunState::Blocked, "something is open still");
        let late = bed.reply(&who, &first, "B").await.unwrap_err();
        let name = bed.member.principal.display_name.clone().unwrap();
        assert!(late.http_status() == 409 && late.detail.contains(&format!("answered by {name}")), "{late:?}");
        let open = ListRunRequests { run_id: who.run_id, open: Some(true) };
        assert_eq!(bed.store.list_requests(bed.caller(), open).await.unwrap()[0].request, second);
        bed.reply(&who, &second, "stop").await.unwrap();
        let run = bed.store.get_run(who.run_no).await.unwrap();
        assert_eq!((run.state, run.requests.len(), run.status_message), (RunState::InProgress, 0, None));
        let got = bed.store.own_request(who.clone(), first.request_id).await.unwrap().answer.unwrap();
        assert_eq!(got.text.as_deref(), Some("A"));
        use EventType as E;
        assert_eq!(
            bed.events(&who).await,
            [E::RunQueued, E::RunClaimed, E::RunInProgress, E::RunBlocked, E::RunInProgress]
        );
        bed.store.update_run(who.clone(), super::done_with("done"), now()).await.unwrap();
        assert_eq!(bed.reply(&who, &second, "x").await.unwrap_err().http_status(), 409);
    }

    async fn only_what_fits_is_an_answer(bed: Bed) {
        let who = bed.started("ask").await;
        let approval = asked(RequestKind::Approval, "rm -rf /tmp/x");
        bed.ask(&who, &approval).await;
        let give = |decision| bed.store.answer_request(bed.caller(), answer(&who, &approval, decision, "t"), now());
        assert!(give(Decision::Answer).await.unwrap_err().to_string().contains("approve, approve_always or deny"));
        let mut stranger = bed.member.clone();
        stranger.team_id = "other".into();
        let given = answer(&who, &approval, Decision::Approve, "t");
        for caller in [Caller::Key(stranger), Caller::Run(who.clone())] {
            let refused = bed.store.answer_request(caller, given.clone(), now()).await;
            assert_eq!(Error::from(refused.unwrap_err()).http_status(), 404);
        }
        let unknown = answer(&who, &question("x"), Decision::Answer, "t");
        let refused = bed.store.answer_request(bed.caller(), unknown, now()).await.unwrap_err();
        assert_eq!(Error::from(refused).http_status(), 404);
        assert!(give(Decision::Approve).await.is_ok());
    }

    async fn an_answer_to_an_agent_that_has_left_makes_the_run_go_on(bed: Bed) {
        for leave in 0..4 {
            let who = bed.started("ask").await;
            let (one, two) = (question("Which one?"), asked(RequestKind::Approval, "push it"));
            bed.ask(&who, &one).await;
            bed.ask(&who, &two).await;
            bed.reply(&who, &one, "the second").await.unwrap();
            match leave {
                0 => drop(bed.store.shut_down(who.clone(), None, now()).await.unwrap()),
                1 => assert_eq!(bed.report(&who, Report::Completed).await, Reported::Now(RunState::Blocked)),
                2 => assert_eq!(bed.report(&who, Report::Lost("fire".into())).await, Reported::Now(RunState::Blocked)),
                _ => {
                    bed.store.shut_down(who.clone(), None, now()).await.unwrap();
                    let failed = Report::Failed {
                        code: oz_core::ErrorCode::InternalError,
                        message: "exit".into(),
                        exit_code: Some(1),
                    };
                    assert_eq!(bed.report(&who, failed).await, Reported::Superseded);
                }
            }
            let run = bed.store.get_run(who.run_no).await.unwrap();
            assert_eq!((run.state, run.is_sandbox_running, run.requests.len()), (RunState::Blocked, false, 1));
            assert!(bed.store.append_transcript(who.clone(), vec![text(1, "zombie")], now()).await.is_err());
            assert!(!bed.store.is_live(who.execution_id).await.unwrap());
            assert!(bed.store.live().await.unwrap().iter().all(|l| l.run_no != who.run_no));
            let more = SubmitFollowup { run_id: who.run_id, message: Some("m".into()), mode: None, interrupt: None };
            assert!(bed.store.follow_up(bed.caller(), more, now()).await.is_err(), "it waits for an answer");
            let given = answer(&who, &two, Decision::Deny, "not on Fridays");
            bed.store.answer_request(bed.caller(), given, now()).await.unwrap();
            assert_eq!(bed.state(&who).await, RunState::Queued);
            let (next, prompt) = bed.next(&who).await;
            assert!(prompt.contains("Which one?\n\nThe answer:\nthe second"), "{prompt}");
            assert!(prompt.contains("push it") && prompt.ends_with("not on Fridays"), "{prompt}");
            bed.store.update_run(next, super::done_with("done"), now()).await.unwrap();
            assert_eq!(bed.state(&who).await, RunState::Succeeded, "an answer is told once");
        }
    }

    async fn an_answer_is_not_lost_with_the_agent_that_did_not_get_it(bed: Bed) {
        for (told, lost) in [(false, true), (false, false), (true, true)] {
            let who = bed.started("ask").await;
            let request = question("Which one?");
            bed.ask(&who, &request).await;
            bed.reply(&who, &request, "the second").await.unwrap();
            if told {
                let answer = Answer { decision: Decision::Answer, text: None };
                let event = HarnessEvent::Answered { request_id: request.request_id, answer };
                let entry = NewEntry { number: 1, occurred_at: now(), event: Open::Known(event) };
                bed.store.append_transcript(who.clone(), vec![entry], now()).await.unwrap();
            }
            let state = if lost {
                bed.report(&who, Report::Lost("fire".into())).await
            } else {
                Reported::Now(bed.store.shut_down(who.clone(), None, now()).await.unwrap())
            };
            assert_eq!(state, Reported::Now(RunState::Queued));
            let (_, prompt) = bed.next(&who).await;
            assert_eq!(prompt.contains("the second"), !told, "{prompt}");
        }
    }

    async fn a_blocked_run_can_be_cancelled_and_what_it_asked_is_closed(bed: Bed) {
        let who = bed.started("ask").await;
        let request = question("Which one?");
        bed.ask(&who, &request).await;
        let live = bed.store.live().await.unwrap();
        assert!(live.iter().any(|l| l.run_no == who.run_no), "its agent lives");
        bed.store.cancel_run(who.run_no, "no".into(), now()).await.unwrap();
        assert_eq!(bed.state(&who).await, RunState::Cancelled);
        assert_eq!(bed.reply(&who, &request, "x").await.unwrap_err().http_status(), 409);
        let open = ListRunRequests { run_id: who.run_id, open: Some(true) };
        assert!(bed.store.list_requests(bed.caller(), open).await.unwrap().is_empty());
        // An agent that goes on by itself needs no answer any more.
        let who = bed.started("ask").await;
        bed.ask(&who, &request).await;
        bed.store.update_run(who.clone(), UpdateRun::started(), now()).await.unwrap();
        bed.ask(&who, &question("Another?")).await;
        assert_eq!(bed.store.get_run(who.run_no).await.unwrap().requests.len(), 1);
    }
}
