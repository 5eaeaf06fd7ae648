//! The conformance suite of the store: what every engine must do, function by function.

use super::{
    Store,
    accounts::{Caller, Member, Workload},
    executions::{MAX_ATTEMPTS, NewOffer, Report, Reported},
    runs::NewRun,
};
use crate::{
    auth,
    ctx::{Ctx, now},
    testing,
};
use oz_core::{
    ConversationId, ErrorCode, ExecutionId, Open, RunId, RunState,
    api::{ListRuns, NewEntry, RunSort, SortOrder, UpdateRun},
    artifact::{Artifact, ArtifactType},
    config::AgentConfig,
    event::EventType,
    harness::HarnessEvent,
    run::{RunSource, StatusMessage},
    transcript::LogItem,
};
use std::collections::BTreeMap;

const KEY: &str = "wk-1.abababababababababababababababababababababababababababababababab";

struct Bed {
    store: Store,
    member: Member,
    ctx: Ctx,
    bed: testing::Bed,
}

async fn bed((ctx, bed): (Ctx, testing::Bed)) -> Bed {
    let Some(Caller::Key(member)) = ctx.store.caller(&auth::digest(KEY), now()).await.unwrap() else {
        panic!("no member")
    };
    Bed { store: ctx.store.clone(), member, ctx, bed }
}

/// Runs each test on both engines.
macro_rules! on_both {
    ($(async fn $name:ident($bed:ident: Bed) $body:block)*) => {
        $(async fn $name($bed: Bed) $body)*
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::store::suite::bed(crate::testing::ctx().await).await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let Some(ctx) = crate::testing::ctx_on_postgres().await else { return };
                super::$name(crate::store::suite::bed(ctx).await).await;
            })*
        }
    };
}

mod conversations;
mod credentials;
mod full;
mod memory;
mod objects;
mod queues;
mod requests;
mod schedules;
mod secrets;
mod steering;
mod team;
mod things;
mod usage;

impl Bed {
    fn caller(&self) -> Caller {
        Caller::Key(self.member.clone())
    }
    async fn create(&self, title: &str) -> (i64, RunId) {
        self.create_with(title, AgentConfig::default(), BTreeMap::new()).await
    }
    async fn create_with(
        &self,
        title: &str,
        config: AgentConfig,
        metadata: BTreeMap<String, String>,
    ) -> (i64, RunId) {
        let run_id = RunId::mint(now());
        let new = NewRun {
            title: Some(title.into()),
            prompt: format!("please {title}"),
            config,
            metadata,
            source: RunSource::Cli,
            ..NewRun::by(self.member.clone(), run_id, ConversationId::mint(now()))
        };
        (self.store.create_run(new, now()).await.unwrap(), run_id)
    }
    async fn offer(&self, run_no: i64) -> Workload {
        let (execution_id, token) = (ExecutionId::mint(now()), auth::new_key());
        let token_hash = auth::digest(&token);
        let new = NewOffer { run_no, execution_id, token_hash: token_hash.clone(), worker_id: "w".into() };
        assert_eq!(self.store.offer(vec![new], now()).await.unwrap().len(), 1);
        self.workload(&token_hash).await
    }
    async fn workload(&self, token_hash: &str) -> Workload {
        match self.store.caller(token_hash, now()).await.unwrap() {
            Some(Caller::Run(workload)) => workload,
            other => panic!("not a run: {other:?}"),
        }
    }
    async fn report(&self, who: &Workload, report: Report) -> Reported {
        self.store.report(who.run_no, who.execution_id, report, now()).await.unwrap()
    }
    async fn started(&self, title: &str) -> Workload {
        let (run_no, _) = self.create(title).await;
        let who = self.offer(run_no).await;
        assert_eq!(self.report(&who, Report::Claimed).await, Reported::Now(RunState::Claimed));
        self.store.update_run(who.clone(), UpdateRun::started(), now()).await.unwrap();
        who
    }
    async fn events(&self, who: &Workload) -> Vec<EventType> {
        let runs = vec![(who.run_no, who.run_id)];
        self.store.read_events(runs, 0, 100).await.unwrap().into_iter().map(|e| e.event_type).collect()
    }
}

fn done_with(summary: &str) -> UpdateRun {
    UpdateRun {
        task_state: Some(RunState::Succeeded),
        status_message: Some(StatusMessage::info(summary)),
        usage: None,
    }
}

fn text(number: i64, text: &str) -> NewEntry {
    let event = Open::Known(HarnessEvent::Text { text: text.into() });
    NewEntry { number, occurred_at: now(), event }
}

on_both! {
async fn a_run_goes_from_queue_to_success_and_tells_of_it(bed: Bed) {
    let who = bed.started("work").await;
    let artifact = Artifact::PullRequest { url: "https://x/1".into(), branch: "b".into() };
    let uid = bed.store.add_artifact(who.clone(), artifact.clone(), now()).await.unwrap();
    assert_eq!(
        bed.store.add_artifact(who.clone(), artifact, now()).await.unwrap(),
        uid,
        "the same artifact is one"
    );
    bed.store.append_transcript(who.clone(), vec![text(1, "a"), text(2, "b")], now()).await.unwrap();
    let done = UpdateRun {
        task_state: Some(RunState::Succeeded),
        status_message: Some(StatusMessage::info("did it")),
        usage: Some(oz_core::usage::Usage { input_tokens: 3, cost_usd: Some(0.5), ..Default::default() }),
    };
    assert_eq!(bed.store.update_run(who.clone(), done, now()).await.unwrap(), RunState::Succeeded);
    let run = bed.store.get_run(who.run_no).await.unwrap();
    assert_eq!((run.state, run.artifacts.len(), run.is_sandbox_running), (RunState::Succeeded, 1, false));
    assert_eq!(run.status_message, Some(StatusMessage::info("did it")));
    let usage = run.request_usage.unwrap();
    assert_eq!((usage.total_tokens, usage.inference_cost_usd), (Some(3), Some(0.5)));
    assert!(run.run_time.is_some() && run.started_at.is_some() && run.execution.unwrap().ended_at.is_some());
    use EventType as E;
    assert_eq!(bed.events(&who).await, [E::RunQueued, E::RunClaimed, E::RunInProgress, E::RunSucceeded]);
    let late = bed.store.append_transcript(who.clone(), vec![text(3, "late")], now()).await.unwrap_err();
    assert!(late.to_string().contains("already SUCCEEDED"), "{late}");
    assert_eq!(bed.report(&who, Report::Completed).await, Reported::Superseded);
}

async fn repeated_entries_are_stored_once_and_indexes_have_no_gaps(bed: Bed) {
    let who = bed.started("talk").await;
    for batch in
        [vec![text(1, "a"), text(2, "b")], vec![text(1, "a"), text(2, "b"), text(3, "c")], vec![text(3, "c")]]
    {
        bed.store.append_transcript(who.clone(), batch, now()).await.unwrap();
    }
    let read = bed.store.read_log(who.run_no, who.run_id, 0, 100).await.unwrap();
    let indexes: Vec<i64> = read.items.iter().map(LogItem::index).collect();
    assert_eq!(indexes, [1, 2, 3, 4, 5, 6]);
    let middle = read.items[3].sequence();
    let rest = bed.store.read_log(who.run_no, who.run_id, middle, 100).await.unwrap();
    assert_eq!(rest.items, read.items[4..]);
    assert_eq!(bed.store.read_transcript(who.run_no, who.run_id, 0, 100).await.unwrap().len(), 3);
}

async fn a_declined_offer_leaves_no_trace(bed: Bed) {
    let (run_no, _) = bed.create("wait").await;
    for _ in 0..3 {
        let who = bed.offer(run_no).await;
        assert_eq!(bed.report(&who, Report::Declined).await, Reported::Now(RunState::Queued));
        assert_eq!(bed.report(&who, Report::Claimed).await, Reported::Superseded, "a late claim is refused");
    }
    let who = bed.offer(run_no).await;
    assert_eq!(bed.events(&who).await, [EventType::RunQueued]);
    assert_eq!(bed.store.get_run(run_no).await.unwrap().execution.unwrap().attempt, 1);
}

async fn a_lost_run_is_tried_again_and_its_old_agent_is_fenced(bed: Bed) {
    let (run_no, _) = bed.create("crash").await;
    for attempt in 1..=MAX_ATTEMPTS {
        let who = bed.offer(run_no).await;
        bed.report(&who, Report::Claimed).await;
        bed.store.update_run(who.clone(), UpdateRun::started(), now()).await.unwrap();
        let reported = bed.report(&who, Report::Lost("the host burned".into())).await;
        let last = attempt == MAX_ATTEMPTS;
        assert_eq!(reported, Reported::Now(if last { RunState::Error } else { RunState::Queued }));
        let refused = bed.store.append_transcript(who.clone(), vec![text(1, "zombie")], now()).await;
        assert!(refused.is_err(), "a superseded agent must not write");
        assert_eq!(bed.report(&who, Report::Completed).await, Reported::Superseded);
    }
    let status = bed.store.get_run(run_no).await.unwrap().status_message.unwrap();
    assert_eq!(status.error_code, Some(ErrorCode::ResourceUnavailable));
    assert!(status.message.contains("the host burned"), "{}", status.message);
}

async fn cancel_works_in_every_state_that_allows_it(bed: Bed) {
    let (queued, _) = bed.create("queued").await;
    assert_eq!(bed.store.cancel_run(queued, "no".into(), now()).await.unwrap(), None);
    let (pending, _) = bed.create("pending").await;
    bed.offer(pending).await;
    let error = oz_core::Error::from(bed.store.cancel_run(pending, "no".into(), now()).await.unwrap_err());
    assert_eq!(error.http_status(), 409);
    let who = bed.started("working").await;
    assert_eq!(bed.store.cancel_run(who.run_no, "no".into(), now()).await.unwrap(), Some(who.execution_id));
    let error = oz_core::Error::from(bed.store.cancel_run(who.run_no, "no".into(), now()).await.unwrap_err());
    assert_eq!(error.http_status(), 400);
    assert!(bed.store.update_run(who, UpdateRun::started(), now()).await.is_err());
}

async fn a_failing_write_does_not_harm_the_others_of_its_batch(bed: Bed) {
    let who = bed.started("busy").await;
    let (ended, _) = bed.create("ended").await;
    bed.store.cancel_run(ended, "no".into(), now()).await.unwrap();
    let writes = (1..=100).map(|i| {
        let (store, who) = (bed.store.clone(), who.clone());
        async move {
            let good = store.append_transcript(who, vec![text(i, "x")], now());
            let bad = store.cancel_run(ended, "again".into(), now());
            futures_util::join!(good, bad)
        }
    });
    for (good, bad) in futures_util::future::join_all(writes).await {
        assert!(good.is_ok() && bad.is_err());
    }
    assert_eq!(bed.store.read_transcript(who.run_no, who.run_id, 0, 1000).await.unwrap().len(), 100);
}

async fn lists_filter_sort_and_page_without_loss(bed: Bed) {
    for i in 0..25 {
        let config = AgentConfig {
            name: Some(if i % 2 == 0 { "even" } else { "odd" }.into()),
            skill_spec: (i % 5 == 0).then(|| format!("a/b:{i}")),
            ..AgentConfig::default()
        };
        let metadata = BTreeMap::from([("automation_id".to_owned(), (i % 3).to_string())]);
        bed.create_with(&format!("title {:02}", i % 7), config, metadata).await;
    }
    let list = |query: ListRuns| bed.store.list_runs(bed.caller(), query);
    for sort_by in [RunSort::UpdatedAt, RunSort::CreatedAt, RunSort::Title, RunSort::Agent] {
        for order in [SortOrder::Asc, SortOrder::Desc] {
            let base =
                ListRuns { sort_by: Some(sort_by.clone()), sort_order: Some(order), ..Default::default() };
            let whole = list(ListRuns { limit: Some(500), ..base.clone() }).await.unwrap().runs;
            assert_eq!(whole.len(), 25);
            let mut paged = Vec::new();
            let mut cursor = None;
            loop {
                let page = list(ListRuns { limit: Some(4), cursor, ..base.clone() }).await.unwrap();
                paged.extend(page.runs);
                cursor = page.page_info.next_cursor;
                assert_eq!(cursor.is_some(), page.page_info.has_next_page);
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(paged, whole, "{sort_by:?}");
        }
    }
    let count = |query: ListRuns| list(ListRuns { limit: Some(500), ..query });
    assert_eq!(
        count(ListRuns { name: Some("even".into()), ..Default::default() }).await.unwrap().runs.len(),
        13
    );
    let (past, future) = ("2020-01-01T00:00:00Z".parse().unwrap(), "2100-01-01T00:00:00Z".parse().unwrap());
    for sort_by in [RunSort::UpdatedAt, RunSort::CreatedAt, RunSort::Title] {
        let between = ListRuns {
            created_after: Some(past),
            created_before: Some(future),
            updated_after: Some(past),
            sort_by: Some(sort_by),
            ..Default::default()
        };
        assert_eq!(count(between.clone()).await.unwrap().runs.len(), 25);
        let never = ListRuns { created_before: Some(past), ..between };
        assert_eq!(count(never).await.unwrap().runs.len(), 0);
    }
    assert_eq!(
        count(ListRuns { q: Some("TITLE 03".into()), ..Default::default() }).await.unwrap().runs.len(),
        4
    );
    assert_eq!(count(ListRuns { q: Some("100%".into()), ..Default::default() }).await.unwrap().runs.len(), 0);
    assert_eq!(
        count(ListRuns { automation_id: Some("1".into()), ..Default::default() }).await.unwrap().runs.len(),
        8
    );
    let metadata = BTreeMap::from([("automation_id".to_owned(), "1".to_owned())]);
    assert_eq!(count(ListRuns { metadata, ..Default::default() }).await.unwrap().runs.len(), 8);
    assert_eq!(
        count(ListRuns { state: vec![RunState::Succeeded], ..Default::default() }).await.unwrap().runs.len(),
        0
    );
    assert_eq!(
        count(ListRuns { environment_id: Some("empty-environment".into()), ..Default::default() })
            .await
            .unwrap()
            .runs
            .len(),
        25
    );
    assert_eq!(
        count(ListRuns { artifact_type: Some(ArtifactType::Plan), ..Default::default() })
            .await
            .unwrap()
            .runs
            .len(),
        0
    );
    let page = list(ListRuns { limit: Some(1), ..Default::default() }).await.unwrap();
    let other =
        ListRuns { cursor: page.page_info.next_cursor, sort_by: Some(RunSort::Title), ..Default::default() };
    let error = oz_core::Error::from(list(other).await.unwrap_err());
    assert!(error.detail.contains("keep the sort"), "{}", error.detail);
}

async fn nobody_sees_what_is_not_theirs(bed: Bed) {
    let (_, run_id) = bed.create("secret").await;
    let mut stranger = bed.member.clone();
    stranger.team_id = "other".into();
    assert!(bed.store.find_run(&Caller::Key(stranger.clone()), run_id).await.is_err());
    assert!(bed.store.list_runs(Caller::Key(stranger), ListRuns::default()).await.unwrap().runs.is_empty());
    let who = bed.started("mine").await;
    assert!(bed.store.find_run(&Caller::Run(who.clone()), who.run_id).await.is_ok());
    assert!(bed.store.find_run(&Caller::Run(who), run_id).await.is_err(), "a run's token opens only that run");
}
}

#[tokio::test]
async fn a_store_of_every_older_version_is_brought_to_this_one() {
    for version in 0..super::MIGRATIONS.len() {
        let dir = tempfile::tempdir().unwrap();
        let db = rusqlite::Connection::open(dir.path().join("oz.db")).unwrap();
        for sql in &super::MIGRATIONS[..version] {
            db.execute_batch(sql).unwrap();
        }
        db.pragma_update(None, "user_version", i64::try_from(version).unwrap()).unwrap();
        if version > 0 {
            db.execute_batch(
                "INSERT INTO teams (team_id, name, created_at) VALUES ('t', 'T', 1);
                 INSERT INTO users (user_id, kind, display_name, created_at) VALUES ('u', 'user', 'U', 1);
                 INSERT INTO runs (run_id, team_id, creator_id, executor_id, title, state, source, location, host,
                   conversation_id, created_at, updated_at, queued_at)
                 VALUES ('0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e', 't', 'u', 'u', 'old', 'QUEUED', 'API', 'REMOTE', '',
                   '0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8f', 1, 1, 1);
                 INSERT INTO run_inputs (run_no, prompt, config, metadata) VALUES (1, 'p', '{}', '{}');",
            )
            .unwrap();
        }
        drop(db);
        let store = Store::sqlite(dir.path(), std::sync::Arc::new(|_| {})).unwrap();
        assert!(store.vault_keys().await.unwrap().is_empty());
        if version > 0 {
            let run = store.get_run(1).await.unwrap();
            assert_eq!((run.title.as_str(), run.secrets), ("old", None), "from version {version}");
        }
    }
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    Store::sqlite(dir.path(), std::sync::Arc::new(|_| {})).unwrap();
    let db = rusqlite::Connection::open(dir.path().join("oz.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = Store::sqlite(dir.path(), std::sync::Arc::new(|_| {})).err().unwrap().to_string();
    assert!(error.contains("newer version of oz (schema 99"), "{error}");
}
