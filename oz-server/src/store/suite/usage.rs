//! What runs used, and what happens when they may use no more.

use super::{Bed, text};
use crate::{
    auth,
    ctx::now,
    store::{
        accounts::{Caller, Workload},
        executions::{NewOffer, Report, Reported},
        objects::{Kind, NewObject, Object},
        runs::NewRun,
    },
};
use oz_core::{
    ConversationId, Error, ErrorCode, ExecutionId, Open, RunId, RunState, Timestamp,
    api::{GetUsage, NewEntry, SubmitFollowup, UpdateBudget, UpdateRun, UsageGroup, UsageReport},
    config::{AgentConfig, Limits},
    environment::EnvironmentConfig,
    event::EventType,
    harness::HarnessEvent,
    run::ScheduleRef,
    usage::Usage,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn used(tokens: u64, cost_usd: impl Into<Option<f64>>) -> Usage {
    Usage { input_tokens: tokens, output_tokens: 1, cost_usd: cost_usd.into(), ..Usage::default() }
}

fn call(number: i64, model: &str, usage: Usage) -> NewEntry {
    let event = Open::Known(HarnessEvent::Usage { model: model.into(), usage });
    NewEntry { number, occurred_at: now(), event }
}

fn total(usage: Usage) -> UpdateRun {
    UpdateRun { usage: Some(usage), ..UpdateRun::default() }
}

/// The rows of a report as text: key, name, runs, calls, tokens read, cost.
fn rows(report: &UsageReport) -> Vec<String> {
    let row = |r: &oz_core::api::UsageRow| {
        let name = r.name.as_deref().unwrap_or("-");
        let cost = r.usage.cost_usd.map_or("?".to_owned(), |usd| usd.to_string());
        format!("{} {name} {} {} {} {cost}", r.key, r.runs, r.calls, r.usage.input_tokens)
    };
    report.rows.iter().map(row).collect()
}

impl Bed {
    async fn usage(&self, by: UsageGroup) -> UsageReport {
        let request = GetUsage { group_by: Some(by), ..GetUsage::default() };
        self.store.usage(self.caller(), request, now()).await.unwrap()
    }

    async fn limit(&self, monthly: Option<f64>, per_run: Option<f64>, now: Timestamp) {
        let change = UpdateBudget { monthly_limit_usd: monthly, run_limit_usd: per_run };
        self.store.set_budget(self.member.team_id.0.clone(), change, now).await.unwrap();
    }

    async fn spent(&self, now: Timestamp) -> f64 {
        self.store.budget(self.member.team_id.0.clone(), now).await.unwrap().spent_this_month_usd
    }

    async fn try_create(&self, config: AgentConfig, now: Timestamp) -> Result<i64, Error> {
        let new = NewRun {
            prompt: "spend".into(),
            config,
            ..NewRun::by(self.member.clone(), RunId::mint(now), ConversationId::mint(now))
        };
        Ok(self.store.create_run(new, now).await?)
    }

    /// Offers a run; `None` when it is not offered.
    async fn try_offer(&self, run_no: i64, now: Timestamp) -> Option<Workload> {
        let (execution_id, token_hash) = (ExecutionId::mint(now), auth::digest(&auth::new_key()));
        let new = NewOffer { run_no, execution_id, token_hash: token_hash.clone(), worker_id: "w".into() };
        if self.store.offer(vec![new], now).await.unwrap().is_empty() {
            return None;
        }
        Some(self.workload(&token_hash).await)
    }

    async fn work(&self, run_no: i64, now: Timestamp) -> Workload {
        let who = self.try_offer(run_no, now).await.unwrap();
        assert_eq!(self.report(&who, Report::Claimed).await, Reported::Now(RunState::Claimed));
        self.store.update_run(who.clone(), UpdateRun::started(), now).await.unwrap();
        who
    }

    async fn spend(&self, who: &Workload, number: i64, usd: f64, now: Timestamp) -> RunState {
        let entries = vec![call(number, "m", used(10, usd))];
        self.store.append_transcript(who.clone(), entries, now).await.unwrap()
    }

    /// The state of a run, the code of its end and its message.
    async fn ended(&self, run_no: i64) -> (RunState, Option<ErrorCode>, String) {
        let run = self.store.get_run(run_no).await.unwrap();
        let status = run.status_message.unwrap();
        (run.state, status.error_code, status.message)
    }
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
}

on_both! {
    async fn a_call_counts_once_however_often_it_is_told(bed: Bed) {
        let who = bed.started("work").await;
        let append = |entries| bed.store.append_transcript(who.clone(), entries, now());
        append(vec![call(1, "a", used(10, 0.1)), text(2, "x"), call(3, "b", used(5, None))]).await.unwrap();
        append(vec![call(1, "a", used(10, 0.1)), call(3, "b", used(5, None)), call(4, "a", used(10, 0.2))])
            .await
            .unwrap();
        append(vec![call(4, "a", used(10, 0.2))]).await.unwrap();
        assert_eq!(rows(&bed.usage(UsageGroup::Model).await), ["a - 1 2 20 0.3", "b - 1 1 5 ?"]);
        // The total says what the entries said already, and again, and then more.
        for _ in 0..2 {
            bed.store.update_run(who.clone(), total(used(25, 0.3)), now()).await.unwrap();
            assert_eq!(bed.spent(now()).await, 0.3);
        }
        bed.store.update_run(who.clone(), total(used(30, 0.5)), now()).await.unwrap();
        assert_eq!(rows(&bed.usage(UsageGroup::Model).await), ["a - 1 2 20 0.3", " - 1 0 5 0.2", "b - 1 1 5 ?"]);
        // An entry that comes late is a part of the total.
        append(vec![call(5, "a", used(5, 0.2))]).await.unwrap();
        append(vec![call(6, "a", used(1, 0.1))]).await.unwrap();
        let report = bed.usage(UsageGroup::Run).await;
        assert_eq!(rows(&report), [format!("{} work 1 5 31 0.6", who.run_id)]);
        assert_eq!((report.total.runs, report.total.calls, report.total.usage.cost_usd), (1, 5, Some(0.6)));
        assert_eq!(bed.spent(now()).await, 0.6);
        let record = bed.store.get_run(who.run_no).await.unwrap().request_usage.unwrap();
        let cents = record.inference_cost.unwrap();
        assert!((cents - 60.0).abs() < 1e-9, "a credit is a cent: {cents}");
        assert_eq!(record.total_tokens, Some(31 + 5));
    }

    async fn another_execution_counts_anew_and_small_calls_add_up(bed: Bed) {
        let (run_no, _) = bed.create("small").await;
        for _ in 0..2 {
            let who = bed.work(run_no, now()).await;
            // A tenth of what is stored at least: only their sum can be seen.
            let calls = (1..=100).map(|n| call(n, "m", used(1, 0.000_000_1))).collect();
            bed.store.append_transcript(who.clone(), calls, now()).await.unwrap();
            bed.report(&who, Report::Lost("gone".into())).await;
        }
        assert_eq!(bed.spent(now()).await, 0.000_02);
        assert_eq!(rows(&bed.usage(UsageGroup::Model).await), ["m - 1 200 200 0.00002"]);
    }

    async fn what_an_agent_makes_up_does_not_upset_the_sums(bed: Bed) {
        let who = bed.started("lies").await;
        let calls = [used(u64::MAX, f64::NAN), used(1, -5.0), used(1, f64::INFINITY), used(1, 1e300)];
        let model = format!("\u{0}{}", "x".repeat(100_000));
        let calls = calls.into_iter().zip(1..).map(|(usage, n)| call(n, &model, usage)).collect();
        bed.store.append_transcript(who, calls, now()).await.unwrap();
        let report = bed.usage(UsageGroup::Model).await;
        assert_eq!((report.rows.len(), report.rows[0].key.len()), (1, 200));
        assert_eq!((report.total.calls, report.total.usage.cost_usd), (4, Some(1e9)));
    }

    async fn usage_is_added_up_by_whatever_is_asked_for(bed: Bed) {
        let config = EnvironmentConfig { name: "plain".into(), ..EnvironmentConfig::default() };
        let new = NewObject::new(Kind::Environment, config.name.clone(), &config, None).unwrap();
        let environment: Object<EnvironmentConfig> =
            bed.store.create_object(bed.member.clone(), new, now()).await.unwrap();
        let schedule =
            ScheduleRef { schedule_id: "s".into(), schedule_name: "nightly".into(), cron_schedule: "@daily".into() };
        let other = super::team::join(&bed, "other@example.com").await;
        let run = |title: &str, new: NewRun| NewRun { title: Some(title.into()), prompt: "x".into(), ..new };
        let by = |member| NewRun::by(member, RunId::mint(now()), ConversationId::mint(now()));
        let in_environment =
            AgentConfig { environment_id: Some(environment.uid.clone()), ..AgentConfig::default() };
        let runs = [
            run("first", NewRun { config: in_environment.clone(), ..by(bed.member.clone()) }),
            run("second", NewRun { config: in_environment, schedule: Some(schedule), ..by(bed.member.clone()) }),
            run("theirs", by(other.clone())),
            run("secret", NewRun { personal: true, ..by(other.clone()) }),
        ];
        for (new, usd) in runs.into_iter().zip([1.0, 2.0, 4.0, 8.0]) {
            let run_no = bed.store.create_run(new, now()).await.unwrap();
            let who = bed.work(run_no, now()).await;
            bed.spend(&who, 1, usd, now()).await;
        }
        let keyless = |report: &UsageReport| -> Vec<String> {
            rows(report).iter().map(|row| row.split_once(' ').unwrap().1.to_owned()).collect()
        };
        let report = bed.usage(UsageGroup::Run).await;
        assert_eq!(keyless(&report), ["theirs 1 1 10 4", "second 1 1 10 2", "first 1 1 10 1"]);
        assert_eq!((report.total.runs, report.total.usage.cost_usd), (3, Some(7.0)));
        let report = bed.usage(UsageGroup::Environment).await;
        assert_eq!(rows(&report), [" - 1 1 10 4".into(), format!("{} plain 2 2 20 3", environment.uid)]);
        let report = bed.usage(UsageGroup::Schedule).await;
        assert_eq!(rows(&report), [" - 2 2 20 5", "s nightly 1 1 10 2"]);
        let report = bed.usage(UsageGroup::Creator).await;
        let admin = &bed.member.principal;
        let theirs = format!("{} other 1 1 10 4", other.principal.uid);
        assert_eq!(rows(&report), [theirs, format!("{} Admin 2 2 20 3", admin.uid)]);
        let whole = bed.store.usage(Caller::Key(other), GetUsage::default(), now()).await.unwrap();
        assert_eq!((whole.total.runs, whole.total.usage.cost_usd), (4, Some(15.0)), "its own secret too");
        let first = GetUsage { group_by: Some(UsageGroup::Run), limit: Some(1), ..GetUsage::default() };
        let report = bed.store.usage(bed.caller(), first, now()).await.unwrap();
        assert_eq!((report.rows.len(), report.total.runs), (1, 3), "the total holds what is not listed");
        assert_eq!(bed.spent(now()).await, 15.0, "the budget holds for everybody's runs");
        let mut stranger = bed.member.clone();
        stranger.team_id = "other".into();
        let nothing = bed.store.usage(Caller::Key(stranger), GetUsage::default(), now()).await.unwrap();
        assert_eq!((nothing.total.runs, nothing.rows.len()), (0, 0));
    }

    async fn a_month_begins_at_midnight(bed: Bed) {
        let (may, june) = (at("2026-05-31T23:59:59.9Z"), at("2026-06-01T00:00:00Z"));
        let who = bed.started("long").await;
        bed.spend(&who, 1, 1.0, at("2026-05-02T00:00:00Z")).await;
        bed.spend(&who, 2, 2.0, may).await;
        bed.spend(&who, 3, 4.0, june).await;
        assert_eq!((bed.spent(may).await, bed.spent(june).await), (3.0, 4.0));
        assert_eq!(bed.spent(at("2026-07-01T00:00:00Z")).await, 0.0);
        let budget = bed.store.budget(bed.member.team_id.0.clone(), may).await.unwrap();
        assert_eq!(budget.month_began_at, at("2026-05-01T00:00:00Z"));
        let days = |since: Option<&str>, until: &str| {
            let (since, until) = (since.map(at), Some(at(until)));
            let request = GetUsage { group_by: Some(UsageGroup::Day), since, until, limit: None };
            bed.store.usage(bed.caller(), request, june)
        };
        let all = days(Some("2026-01-01T00:00:00Z"), "2026-06-30T00:00:00Z").await.unwrap();
        assert_eq!(rows(&all), ["2026-05-02 - 1 1 10 1", "2026-05-31 - 1 1 10 2", "2026-06-01 - 1 1 10 4"]);
        assert_eq!((all.total.runs, all.total.usage.cost_usd), (1, Some(7.0)));
        let month = days(None, "2026-06-01T00:00:00.000001Z").await.unwrap();
        assert_eq!((month.since, rows(&month).len()), (june, 1));
        let before = days(Some("2026-05-01T00:00:00Z"), "2026-06-01T00:00:00Z").await.unwrap();
        assert_eq!(before.total.usage.cost_usd, Some(3.0), "until midnight is without the next day");
    }

    async fn a_run_ends_when_it_reaches_its_limit(bed: Bed) {
        bed.limit(None, Some(0.5), now()).await;
        let limits = |usd: f64| AgentConfig {
            limits: Some(Limits { max_cost_usd: Some(usd), max_turns: Some(9), ..Limits::default() }),
            ..AgentConfig::default()
        };
        for (config, stored) in [(AgentConfig::default(), 0.5), (limits(2.0), 0.5), (limits(0.2), 0.2)] {
            let run_no = bed.try_create(config.clone(), now()).await.unwrap();
            let run = bed.store.get_run(run_no).await.unwrap();
            let kept = run.agent_config.unwrap().limits.unwrap();
            assert_eq!(kept.max_cost_usd, Some(stored), "its agent knows");
            assert_eq!(kept.max_turns, config.limits.and_then(|l| l.max_turns));
            let who = bed.work(run_no, now()).await;
            assert_eq!(bed.spend(&who, 1, stored / 2.0, now()).await, RunState::InProgress);
            bed.store.follow_up(bed.caller(), SubmitFollowup { run_id: who.run_id, message: Some("more".into()), mode: None, interrupt: None }, now()).await.unwrap();
            assert_eq!(bed.spend(&who, 2, stored, now()).await, RunState::Failed);
            let (state, code, message) = bed.ended(run_no).await;
            assert_eq!((state, code), (RunState::Failed, Some(ErrorCode::BudgetExceeded)));
            contains(&message, &[&format!("limit of ${stored:.2}"), &format!("cost ${:.2}", stored * 1.5)]);
            let late = bed.store.append_transcript(who.clone(), vec![text(3, "x")], now()).await;
            assert!(late.unwrap_err().to_string().contains("already FAILED"));
            let events = bed.events(&who).await;
            assert_eq!(events.last(), Some(&EventType::RunFailed), "a follow-up that waited does not wake it");
            // Who asks for more gets no more than it may cost.
            bed.store.follow_up(bed.caller(), SubmitFollowup { run_id: who.run_id, message: Some("more".into()), mode: None, interrupt: None }, now()).await.unwrap();
            assert!(bed.try_offer(run_no, now()).await.is_none());
            assert_eq!(bed.ended(run_no).await.1, Some(ErrorCode::BudgetExceeded));
        }
    }

    async fn what_a_run_costs_counts_over_all_its_attempts_and_however_it_is_told(bed: Bed) {
        let (run_no, _) = bed.create("again").await;
        let who = bed.work(run_no, now()).await;
        bed.spend(&who, 1, 0.3, now()).await;
        bed.report(&who, Report::Lost("gone".into())).await;
        let who = bed.work(run_no, now()).await;
        // A limit that comes later holds for running ones too.
        bed.limit(None, Some(0.5), now()).await;
        let done = UpdateRun { task_state: Some(RunState::Succeeded), ..total(used(1, 0.2)) };
        assert_eq!(bed.store.update_run(who, done, now()).await.unwrap(), RunState::Failed);
        assert_eq!(bed.ended(run_no).await.1, Some(ErrorCode::BudgetExceeded));
    }

    async fn nothing_starts_or_goes_on_when_the_month_is_spent(bed: Bed) {
        let (may, june) = (at("2026-05-10T12:00:00Z"), at("2026-06-01T00:00:00Z"));
        bed.limit(Some(1.0), None, may).await;
        let mut runs = Vec::new();
        for _ in 0..4 {
            runs.push(bed.try_create(AgentConfig::default(), may).await.unwrap());
        }
        let (first, second, free) =
            (bed.work(runs[0], may).await, bed.work(runs[1], may).await, bed.work(runs[2], may).await);
        assert_eq!(bed.spend(&first, 1, 0.4, may).await, RunState::InProgress);
        assert_eq!(bed.spend(&second, 1, 0.7, may).await, RunState::Failed, "the one that reaches it");
        let parts = ["$1.00", "$1.10", "2026-05-01", "oz budget set --monthly", "2026-06-01"];
        let (_, code, message) = bed.ended(runs[1]).await;
        assert_eq!(code, Some(ErrorCode::InsufficientCredits));
        contains(&message, &parts);
        assert_eq!(bed.store.get_run(runs[0]).await.unwrap().state, RunState::InProgress, "it has not used more");
        assert_eq!(bed.spend(&first, 2, 0.1, may).await, RunState::Failed);
        assert_eq!(bed.ended(runs[0]).await.1, Some(ErrorCode::InsufficientCredits));
        let done = UpdateRun { task_state: Some(RunState::Succeeded), ..total(Usage::default()) };
        assert_eq!(bed.store.update_run(free, done, may).await.unwrap(), RunState::Succeeded, "it used nothing");
        assert!(bed.try_offer(runs[3], may).await.is_none(), "a queued one does not start");
        assert_eq!(bed.ended(runs[3]).await.1, Some(ErrorCode::InsufficientCredits));
        let refused = bed.try_create(AgentConfig::default(), may).await.unwrap_err();
        assert_eq!((refused.http_status(), &refused.code), (403, &ErrorCode::InsufficientCredits));
        contains(&refused.detail, &["$1.00", "$1.20", "oz budget set --monthly", "2026-06-01"]);
        bed.limit(Some(2.0), None, may).await;
        let run_no = bed.try_create(AgentConfig::default(), may).await.unwrap();
        let who = bed.work(run_no, may).await;
        assert_eq!(bed.spend(&who, 1, 0.7, may).await, RunState::InProgress, "a raised limit works again");
        assert_eq!(bed.spend(&who, 2, 0.1, may).await, RunState::Failed);
        assert!(bed.try_create(AgentConfig::default(), may).await.is_err());
        let run_no = bed.try_create(AgentConfig::default(), june).await.unwrap();
        let who = bed.work(run_no, june).await;
        assert_eq!(bed.spend(&who, 1, 0.7, june).await, RunState::InProgress, "and so does the next month");
    }

    async fn a_limit_of_nothing_lets_nothing_start(bed: Bed) {
        let queued = bed.try_create(AgentConfig::default(), now()).await.unwrap();
        bed.limit(None, Some(0.0), now()).await;
        let refused = bed.try_create(AgentConfig::default(), now()).await.unwrap_err();
        assert_eq!((refused.http_status(), &refused.code), (403, &ErrorCode::BudgetExceeded));
        contains(&refused.detail, &["$0.00", "oz budget set --per-run"]);
        assert!(bed.try_offer(queued, now()).await.is_none());
        bed.limit(Some(0.0), None, now()).await;
        let refused = bed.try_create(AgentConfig::default(), now()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InsufficientCredits);
        bed.limit(None, None, now()).await;
        bed.try_create(AgentConfig::default(), now()).await.unwrap();
    }
}
