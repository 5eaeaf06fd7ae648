//! What reaches a working agent, and what the next one goes on with.

use super::{Bed, done_with};
use crate::{
    ctx::now,
    store::{
        accounts::{Workload, short_id},
        executions::Report,
        files::NewFile,
        runs::NewRun,
    },
};
use oz_core::{
    ConversationId, RunId, RunState,
    api::{SubmitFollowup, UpdateRun},
};

impl Bed {
    async fn more(&self, who: &Workload, message: &str) {
        let request = SubmitFollowup {
            run_id: who.run_id,
            message: Some(message.into()),
            mode: None,
            interrupt: Some(true),
        };
        self.store.follow_up(self.caller(), request, now()).await.unwrap();
    }
    async fn again(&self, run_no: i64) -> (Workload, String) {
        let who = self.offer(run_no).await;
        self.report(&who, Report::Claimed).await;
        self.store.update_run(who.clone(), UpdateRun::started(), now()).await.unwrap();
        (who, self.store.get_own_run(run_no).await.unwrap().prompt)
    }
    async fn conversation(&self, who: &Workload) -> ConversationId {
        self.store.get_run(who.run_no).await.unwrap().conversation_id.unwrap()
    }
    /// Saves a conversation. Answers with its file and those that it replaces.
    async fn save(&self, who: &Workload, session: &str) -> (String, Vec<String>) {
        let conversation = self.conversation(who).await;
        let file = NewFile::expected("s", "application/octet-stream");
        let named = ("oz".to_owned(), Some(session.to_owned()));
        let file = self.store.expect_session(who.clone(), conversation, file, named, now()).await.unwrap();
        let replaced = self.store.file_arrived(file.file_id.clone(), 1, now()).await.unwrap();
        (file.file_id, replaced)
    }
    async fn resumed(&self, run_no: i64) -> (String, String) {
        let found = self.store.resumption(run_no).await.unwrap().unwrap();
        (found.saved.session_id, found.prompt)
    }
}

on_both! {
    async fn a_working_agent_gets_each_follow_up_until_it_says_so(bed: Bed) {
        let who = bed.started("first").await;
        bed.more(&who, "one").await;
        bed.more(&who, "two").await;
        let waiting = bed.store.waiting_followups(who.run_no).await.unwrap();
        assert_eq!(waiting.iter().map(|f| (f.message.as_str(), f.interrupt)).collect::<Vec<_>>(), [("one", true), ("two", true)]);
        let got = vec![waiting[0].followup_id.clone(), "unknown".to_owned()];
        for _ in 0..2 {
            bed.store.followups_received(who.clone(), got.clone(), now()).await.unwrap();
            assert_eq!(bed.store.waiting_followups(who.run_no).await.unwrap(), waiting[1..]);
        }
        let state = bed.store.update_run(who.clone(), done_with("one"), now()).await.unwrap();
        assert_eq!(state, RunState::Queued, "the second waits for the next execution");
        assert!(bed.store.followups_received(who.clone(), got, now()).await.is_err(), "that agent is gone");
        let (next, prompt) = bed.again(who.run_no).await;
        assert!(prompt.ends_with("Then you were asked:\ntwo"), "{prompt}");
        bed.more(&next, "three").await;
        let prompt = bed.store.get_own_run(who.run_no).await.unwrap().prompt;
        assert!(!prompt.contains("three"), "what the agent is yet to get is not in its prompt: {prompt}");
        let rest = bed.store.waiting_followups(who.run_no).await.unwrap();
        bed.store.followups_received(next.clone(), vec![rest[0].followup_id.clone()], now()).await.unwrap();
        assert_eq!(bed.store.update_run(next, done_with("all"), now()).await.unwrap(), RunState::Succeeded);
    }

    async fn a_conversation_goes_on_with_what_is_new(bed: Bed) {
        let who = bed.started("first").await;
        assert!(bed.store.resumption(who.run_no).await.unwrap().is_none());
        bed.save(&who, "a").await;
        bed.report(&who, Report::Lost("fire".into())).await;
        let (who, _) = bed.again(who.run_no).await;
        assert!(bed.resumed(who.run_no).await.1.starts_with("You were interrupted."));
        bed.more(&who, "told").await;
        let waiting = bed.store.waiting_followups(who.run_no).await.unwrap();
        bed.store.followups_received(who.clone(), vec![waiting[0].followup_id.clone()], now()).await.unwrap();
        assert_eq!(bed.resumed(who.run_no).await, ("a".into(), "told".into()), "nobody saved that it was told");
        let (_, replaced) = bed.save(&who, "b").await;
        assert_eq!(replaced.len(), 1);
        bed.store.update_run(who.clone(), done_with("did it"), now()).await.unwrap();
        bed.more(&who, "second").await;
        let (who, full) = bed.again(who.run_no).await;
        assert_eq!(bed.resumed(who.run_no).await, ("b".into(), "second".into()));
        assert!(full.contains("You ended with:\ndid it"), "others get it all: {full}");
        // Another run goes on, and a fork keeps what was there.
        let conversation = bed.conversation(&who).await;
        let saved = bed.store.raw_transcript(who.run_no).await.unwrap().unwrap().file_id;
        let fork = bed
            .store
            .fork_conversation(bed.member.clone(), conversation, None, Some((saved, short_id())), now())
            .await
            .unwrap();
        let (latest, _) = bed.save(&who, "c").await;
        for (conversation, session) in [(conversation, "c"), (fork, "b")] {
            let new = NewRun {
                prompt: "go on".into(),
                continues: true,
                ..NewRun::by(bed.member.clone(), RunId::mint(now()), conversation)
            };
            let run_no = bed.store.create_run(new, now()).await.unwrap();
            assert_eq!(bed.resumed(run_no).await, (session.into(), "go on".into()));
        }
        assert_eq!(bed.store.raw_transcript(who.run_no).await.unwrap().unwrap().file_id, latest);
        assert_eq!(bed.resumed(who.run_no).await.0, "c", "an earlier run keeps to its own");
    }
}
