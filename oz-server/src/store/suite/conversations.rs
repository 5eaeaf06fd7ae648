//! What is said: follow-ups, messages, conversations and their forks.

use super::{Bed, text};
use crate::{
    ctx::now,
    store::{
        accounts::Caller,
        executions::{Report, Reported},
        runs::NewRun,
    },
};
use oz_core::{
    ConversationId, RunId, RunState,
    api::{ListMessages, SendMessage, SubmitFollowup, UpdateRun},
    event::EventType,
    run::StatusMessage,
};

fn follow_up(run_id: RunId, message: &str) -> SubmitFollowup {
    SubmitFollowup { run_id, message: Some(message.into()), mode: None, interrupt: None }
}

fn done(summary: &str) -> UpdateRun {
    UpdateRun {
        task_state: Some(RunState::Succeeded),
        status_message: Some(StatusMessage::info(summary)),
        usage: None,
    }
}

fn message(from: RunId, to: Vec<RunId>) -> SendMessage {
    SendMessage { to, subject: "s".into(), body: "b".into(), sender_run_id: from }
}

async fn child(bed: &Bed, parent: i64) -> (i64, RunId) {
    let run_id = RunId::mint(now());
    let new = NewRun {
        prompt: "child".into(),
        parent: Some(parent),
        ..NewRun::by(bed.member.clone(), run_id, ConversationId::mint(now()))
    };
    (bed.store.create_run(new, now()).await.unwrap(), run_id)
}

on_both! {
    async fn a_follow_up_waits_for_the_end_of_the_work_and_then_makes_it_go_on(bed: Bed) {
        let who = bed.started("first").await;
        bed.store.follow_up(bed.caller(), follow_up(who.run_id, "second"), now()).await.unwrap();
        assert_eq!(bed.store.get_run(who.run_no).await.unwrap().state, RunState::InProgress);
        let state = bed.store.update_run(who.clone(), done("did the first"), now()).await.unwrap();
        assert_eq!(state, RunState::Queued, "there is more to do");
        let again = bed.offer(who.run_no).await;
        assert_eq!(bed.report(&again, Report::Claimed).await, Reported::Now(RunState::Claimed));
        let prompt = bed.store.get_own_run(who.run_no).await.unwrap().prompt;
        assert_eq!(prompt, "please first\n\nThen you were asked:\nsecond");
        bed.store.update_run(again.clone(), UpdateRun::started(), now()).await.unwrap();
        assert_eq!(bed.store.update_run(again, done("both"), now()).await.unwrap(), RunState::Succeeded);
        assert_eq!(bed.store.get_run(who.run_no).await.unwrap().prompt, "please first");
    }

    async fn a_follow_up_to_an_ended_run_tells_what_came_of_it(bed: Bed) {
        let who = bed.started("first").await;
        bed.store.update_run(who.clone(), done("did it"), now()).await.unwrap();
        bed.store.follow_up(bed.caller(), follow_up(who.run_id, "more"), now()).await.unwrap();
        assert_eq!(bed.store.get_run(who.run_no).await.unwrap().state, RunState::Queued);
        let next = bed.offer(who.run_no).await;
        let run = bed.store.get_own_run(who.run_no).await.unwrap();
        bed.report(&next, Report::Declined).await;
        assert!(run.prompt.ends_with("You ended with:\ndid it\n\nThen you were asked:\nmore"), "{}", run.prompt);
        bed.store.cancel_run(who.run_no, "no".into(), now()).await.unwrap();
        bed.store.follow_up(bed.caller(), follow_up(who.run_id, "after all"), now()).await.unwrap();
        assert_eq!(bed.store.get_run(who.run_no).await.unwrap().state, RunState::Queued);
    }

    async fn messages_reach_each_recipient_once_and_ended_runs_take_none(bed: Bed) {
        let who = bed.started("parent").await;
        let (a_no, a) = child(&bed, who.run_no).await;
        let (b_no, b) = child(&bed, who.run_no).await;
        let own = Caller::Run(who.clone());
        let ids = bed.store.send_message(own.clone(), message(who.run_id, vec![a, b]), now()).await.unwrap();
        let list = |run_id, unread| ListMessages { run_id, unread, since: None, limit: None };
        let inbox = bed.store.messages(bed.caller(), list(a, None)).await.unwrap();
        assert_eq!((inbox.len(), inbox[0].message_id.as_str()), (1, ids[0].as_str()));
        assert!(inbox[0].read_at.is_none() && inbox[0].delivered_at.is_none());
        bed.store.message_delivered(bed.caller(), ids[0].clone(), now()).await.unwrap();
        let first = bed.store.read_message(bed.caller(), ids[0].clone(), now()).await.unwrap();
        bed.store.message_delivered(bed.caller(), ids[0].clone(), now()).await.unwrap();
        let second = bed.store.read_message(bed.caller(), ids[0].clone(), now()).await.unwrap();
        assert_eq!(first.header, second.header, "the first time stands");
        assert!(bed.store.messages(bed.caller(), list(a, Some(true))).await.unwrap().is_empty());
        assert!(bed.store.read_message(own.clone(), ids[1].clone(), now()).await.is_err(), "not its own mail");
        let events = bed.store.read_events(vec![(a_no, a), (b_no, b)], 0, 100).await.unwrap();
        let mail: Vec<_> = events.iter().filter(|e| e.event_type == EventType::NewMessage).collect();
        assert_eq!(mail.iter().map(|e| e.ref_id.clone().unwrap()).collect::<Vec<_>>(), ids);
        bed.store.cancel_run(b_no, "no".into(), now()).await.unwrap();
        let refused = bed.store.send_message(own.clone(), message(who.run_id, vec![a, b]), now()).await;
        assert_eq!(oz_core::Error::from(refused.unwrap_err()).http_status(), 422);
        assert_eq!(bed.store.messages(bed.caller(), list(a, None)).await.unwrap().len(), 1, "all or none");
        let (_, stranger) = bed.create("another family").await;
        assert!(bed.store.send_message(own, message(who.run_id, vec![stranger]), now()).await.is_err());
    }

    async fn runs_start_runs_only_so_deep_and_hand_their_labels_down(bed: Bed) {
        let (mut run_no, _) = bed
            .create_with("root", Default::default(), [("team".to_owned(), "blue".to_owned())].into())
            .await;
        let mut depth = 0;
        loop {
            let new = NewRun {
                parent: Some(run_no),
                ..NewRun::by(bed.member.clone(), RunId::mint(now()), ConversationId::mint(now()))
            };
            match bed.store.create_run(new, now()).await {
                Ok(child) => run_no = child,
                Err(e) => {
                    assert!(e.to_string().starts_with("parent_run_id: "), "{e}");
                    break;
                }
            }
            depth += 1;
            assert_eq!(bed.store.get_run(run_no).await.unwrap().metadata["team"], "blue");
        }
        assert_eq!(depth, 4);
    }

    async fn a_child_gets_no_more_than_its_parent_has(bed: Bed) {
        let config = |value: serde_json::Value| -> oz_core::config::AgentConfig { serde_json::from_value(value).unwrap() };
        let careful = config(serde_json::json!({
            "sandbox": { "memory_mb": 512, "egress_allowlist": ["*.b", "c:80"] }, "limits": { "max_turns": 9 },
            "permissions": { "execute_commands": "always_ask", "command_allowlist": ["npm ci"] },
        }));
        let (parent, _) = bed.create_with("first", careful.clone(), std::collections::BTreeMap::new()).await;
        let (silent, _) = child(&bed, parent).await;
        let got = bed.store.get_run(silent).await.unwrap().agent_config.unwrap();
        assert_eq!((got.sandbox, got.limits), (careful.sandbox.clone(), careful.limits.clone()));
        assert_eq!(got.permissions, careful.permissions);
        let greedy = |more: serde_json::Value| NewRun {
            prompt: "child".into(),
            parent: Some(parent),
            config: config(more),
            ..NewRun::by(bed.member.clone(), RunId::mint(now()), ConversationId::mint(now()))
        };
        let wants = serde_json::json!({
            "sandbox": { "memory_mb": 4096, "cpus": 0.5, "egress_allowlist": ["a.b", "c", "d"] },
            "permissions": { "execute_commands": "always_allow", "run_until_completion": true },
        });
        let run_no = bed.store.create_run(greedy(wants), now()).await.unwrap();
        let got = bed.store.get_run(run_no).await.unwrap().agent_config.unwrap();
        let expected = serde_json::json!({ "memory_mb": 512, "cpus": 0.5, "egress_allowlist": ["a.b", "c:80"] });
        assert_eq!(serde_json::to_value(got.sandbox).unwrap(), expected);
        let mut bounds = careful.permissions.unwrap();
        // Who is not told that it may use the web may not.
        bounds.call_web_tools = Some(oz_core::permission::PermissionLevel::Never);
        assert_eq!(got.permissions, Some(bounds));
        let sneaky = greedy(serde_json::json!({ "setup_commands": ["curl x"] }));
        let error = bed.store.create_run(sneaky, now()).await.unwrap_err();
        assert!(error.to_string().starts_with("config.setup_commands[0]: the parent of this run may not"), "{error}");
    }

    async fn a_fork_begins_as_a_copy_and_goes_its_own_way(bed: Bed) {
        let who = bed.started("talk").await;
        bed.store.append_transcript(who.clone(), vec![text(1, "before")], now()).await.unwrap();
        let run = bed.store.get_run(who.run_no).await.unwrap();
        let conversation = run.conversation_id.unwrap();
        let fork =
            bed.store.fork_conversation(bed.member.clone(), conversation, None, None, now()).await.unwrap();
        bed.store.append_transcript(who.clone(), vec![text(2, "after")], now()).await.unwrap();
        let mut said = Vec::new();
        for conversation in [conversation, fork] {
            let whole = bed.store.conversation(bed.caller(), conversation).await.unwrap();
            said.push(serde_json::to_string(&whole.steps).unwrap());
        }
        let (original, copy) = (&said[0], &said[1]);
        assert!(original.contains("before") && original.contains("after"));
        assert!(copy.contains("before") && !copy.contains("after"));
        let new = NewRun {
            prompt: "go on".into(),
            continues: true,
            ..NewRun::by(bed.member.clone(), RunId::mint(now()), conversation)
        };
        let next = bed.store.create_run(new, now()).await.unwrap();
        let prompt = bed.store.get_own_run(next).await.unwrap().prompt;
        assert!(prompt.contains("you were asked:\nplease talk") && prompt.ends_with("go on"), "{prompt}");
    }
}
