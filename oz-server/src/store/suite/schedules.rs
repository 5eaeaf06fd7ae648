//! Schedules, by a clock of the tests' own.

mod any_history;
mod overlap;

use super::{Bed, things::environment};
use crate::store::{Store, objects::Kind};
use oz_core::{
    Error, Run, RunId, RunState, Timestamp,
    api::{
        CreateSchedule, ListRuns, MissedRunPolicy, OverlapPolicy, RunSort, Schedule, ScheduleTick, SortOrder,
        TickOutcome, UpdateSchedule,
    },
    config::AgentConfig,
    run::RunSource,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// A time of the day on which all this happens.
fn at(text: &str) -> Timestamp {
    format!("2026-03-02T{text}Z").parse().unwrap()
}

fn cron(cron: &str) -> CreateSchedule {
    CreateSchedule {
        name: "nightly".into(),
        cron_schedule: cron.into(),
        prompt: Some("tidy up".into()),
        ..CreateSchedule::default()
    }
}

fn overlap(policy: OverlapPolicy) -> CreateSchedule {
    CreateSchedule { overlap_policy: Some(policy), ..cron("* * * * *") }
}

fn change(of: &Schedule) -> UpdateSchedule {
    UpdateSchedule {
        schedule_id: of.id.clone(),
        name: of.name.clone(),
        cron_schedule: of.cron_schedule.clone(),
        enabled: of.enabled,
        ..UpdateSchedule::default()
    }
}

impl Bed {
    async fn schedule(&self, new: CreateSchedule, now: Timestamp) -> Schedule {
        self.store.create_schedule(self.member.clone(), new, now).await.unwrap()
    }
    async fn schedule_now(&self, id: &str) -> Schedule {
        self.store.schedule(self.member.clone(), id.to_owned()).await.unwrap()
    }
    async fn update(&self, change: UpdateSchedule, now: Timestamp) -> Schedule {
        self.store.update_schedule(self.member.clone(), change, now).await.unwrap()
    }
    async fn pause(&self, id: &str, now: Timestamp) -> Schedule {
        self.store.enable_schedule(self.member.clone(), id.to_owned(), false, now).await.unwrap()
    }
    async fn unpause(&self, id: &str, now: Timestamp) -> Schedule {
        self.store.enable_schedule(self.member.clone(), id.to_owned(), true, now).await.unwrap()
    }
    async fn fire(&self, now: &str) -> usize {
        self.store.fire_schedules(at(now)).await.unwrap()
    }
    async fn run_now(&self, id: &str, now: &str) -> Result<RunId, Error> {
        self.store.run_schedule(self.member.clone(), id.to_owned(), at(now)).await.map_err(Error::from)
    }
    /// Newest first.
    async fn ticks(&self, id: &str) -> Vec<ScheduleTick> {
        self.store.schedule_history(self.member.clone(), id.to_owned(), 500).await.unwrap()
    }
    /// The same as times and what became of them.
    async fn outcomes(&self, id: &str) -> Vec<(String, TickOutcome)> {
        let short = |tick: ScheduleTick| (tick.scheduled_for.strftime("%H:%M").to_string(), tick.outcome);
        self.ticks(id).await.into_iter().map(short).collect()
    }
    /// The runs of a schedule, oldest first.
    async fn runs_of(&self, id: &str) -> Vec<Run> {
        let query = ListRuns {
            schedule_id: Some(id.to_owned()),
            sort_by: Some(RunSort::CreatedAt),
            sort_order: Some(SortOrder::Asc),
            limit: Some(500),
            ..ListRuns::default()
        };
        self.store.list_runs(self.caller(), query).await.unwrap().runs
    }
    async fn end(&self, run: &Run, now: &str) {
        let found = self.store.find_run(&self.caller(), run.run_id).await.unwrap();
        self.store.cancel_run(found.run_no, "enough".into(), at(now)).await.unwrap();
    }
    /// Another server on the same database, as far as there can be one.
    fn another_server(&self, woken: &Arc<Notify>) -> Store {
        let woken = woken.clone();
        match self.bed.database_url() {
            Some(url) => {
                let on_change = move |changes: &_| {
                    let changes: &crate::store::engine::Changes = changes;
                    if changes.schedules {
                        woken.notify_one();
                    }
                };
                Store::postgres(url, Arc::new(on_change)).unwrap()
            }
            None => self.store.clone(),
        }
    }
}

fn named(outcomes: &[(&str, TickOutcome)]) -> Vec<(String, TickOutcome)> {
    outcomes.iter().map(|(time, outcome)| ((*time).to_owned(), outcome.clone())).collect()
}

use TickOutcome::{Failed, Missed, Queued, Skipped, Started};

on_both! {
    async fn a_schedule_makes_one_run_for_a_time_however_many_look(bed: Bed) {
        let made = bed.schedule(cron("* * * * *"), at("12:00:30")).await;
        assert_eq!(made.history.next_run, Some(at("12:01:00")));
        assert_eq!(bed.store.next_schedule().await.unwrap(), Some(at("12:01:00")));
        assert_eq!(bed.fire("12:00:59").await, 0, "it is not time");
        let other = bed.another_server(&Arc::default());
        let looks = (0..10).map(|i| if i % 2 == 0 { &bed.store } else { &other });
        let fired = futures_util::future::join_all(looks.map(|store| store.fire_schedules(at("12:01:00")))).await;
        assert_eq!(fired.into_iter().map(Result::unwrap).sum::<usize>(), 1);
        let runs = bed.runs_of(&made.id).await;
        assert_eq!((runs.len(), runs[0].schedule.as_ref().unwrap().schedule_name.as_str()), (1, "nightly"));
        let tick = &bed.ticks(&made.id).await[0];
        assert_eq!((tick.run_id, tick.run_state.clone()), (Some(runs[0].run_id), Some(RunState::Queued)));
        assert_eq!((tick.scheduled_for, tick.fired_at, tick.by_hand), (at("12:01:00"), at("12:01:00"), false));
        bed.end(&runs[0], "12:01:10").await;
        assert_eq!(bed.ticks(&made.id).await[0].run_state, Some(RunState::Cancelled), "it shows where the run stands");
        let paused = bed.pause(&made.id, at("12:01:20")).await;
        assert!(!paused.enabled && paused.history.next_run.is_none() && paused.history.last_ran.is_some());
        assert_eq!(bed.fire("20:00:00").await, 0);
        bed.store.delete_schedule(bed.member.clone(), made.id.clone()).await.unwrap();
        let gone = bed.store.schedule_history(bed.member.clone(), made.id, 20).await;
        assert_eq!(Error::from(gone.unwrap_err()).http_status(), 404);
    }

    async fn a_schedule_that_can_not_make_its_run_says_why_and_goes_on(bed: Bed) {
        let place = environment(&bed, "here", false).await;
        let new = CreateSchedule {
            agent_config: Some(AgentConfig { environment_id: Some(place.uid.clone()), ..AgentConfig::default() }),
            ..cron("* * * * *")
        };
        let made = bed.schedule(new, at("12:00:00")).await;
        assert_eq!(made.environment.as_ref().unwrap().name, "here");
        bed.store.delete_object(Kind::Environment, bed.member.clone(), place.uid).await.unwrap();
        assert_eq!(bed.fire("12:01:10").await, 0);
        let after = bed.schedule_now(&made.id).await;
        assert!(after.last_spawn_error.unwrap().starts_with("config.environment_id: "));
        assert!(after.history.next_run == Some(at("12:02:00")) && after.history.last_ran.is_none());
        let tick = bed.ticks(&made.id).await.remove(0);
        assert_eq!((tick.outcome, tick.run_id), (Failed, None));
        assert!(tick.detail.unwrap().starts_with("config.environment_id: "));
        let refused = bed.run_now(&made.id, "12:01:30").await.unwrap_err();
        assert_eq!((refused.http_status(), bed.ticks(&made.id).await.len()), (400, 1));
        let healed = UpdateSchedule { agent_config: Some(AgentConfig::default()), ..change(&made) };
        bed.update(healed, at("12:01:40")).await;
        assert_eq!(bed.fire("12:02:00").await, 1);
        assert_eq!(bed.schedule_now(&made.id).await.last_spawn_error, None, "a good run clears it");
    }

    async fn a_schedule_fires_by_its_time_zone(bed: Bed) {
        let new = CreateSchedule { time_zone: Some("Europe/Berlin".into()), ..cron("0 14 * * *") };
        let made = bed.schedule(new, at("12:00:00")).await;
        assert_eq!((made.time_zone.as_str(), made.history.next_run), ("Europe/Berlin", Some(at("13:00:00"))));
        assert_eq!(bed.fire("13:00:00").await, 1);
        let summer = bed.schedule_now(&made.id).await;
        assert_eq!(summer.history.next_run, Some("2026-03-03T13:00:00Z".parse().unwrap()));
        let in_india = UpdateSchedule { time_zone: Some("Asia/Kolkata".into()), ..change(&made) };
        let moved = bed.update(in_india, at("14:00:00")).await;
        assert_eq!(moved.history.next_run, Some("2026-03-03T08:30:00Z".parse().unwrap()));
        let later = UpdateSchedule { cron_schedule: "0 23 * * *".into(), ..change(&moved) };
        let later = bed.update(later, at("14:00:00")).await;
        assert_eq!((later.time_zone.as_str(), later.history.next_run), ("Asia/Kolkata", Some(at("17:30:00"))));
        let listed = bed.store.schedules(bed.member.clone()).await.unwrap();
        assert_eq!(listed, [bed.schedule_now(&made.id).await]);
    }

    async fn a_change_of_something_else_loses_no_time(bed: Bed) {
        let made = bed.schedule(cron("* * * * *"), at("12:00:30")).await;
        let renamed = bed.update(UpdateSchedule { name: "other".into(), ..change(&made) }, at("12:01:05")).await;
        assert_eq!(renamed.history.next_run, Some(at("12:01:00")));
        assert_eq!(bed.fire("12:01:06").await, 1);
    }

    async fn missed_times_make_one_run_or_none(bed: Bed) {
        let once = bed.schedule(cron("*/10 * * * *"), at("12:00:00")).await;
        let skip = CreateSchedule { missed_run_policy: Some(MissedRunPolicy::Skip), ..cron("*/10 * * * *") };
        let skip = bed.schedule(skip, at("12:00:00")).await;
        assert_eq!(bed.fire("12:10:50").await, 2, "that is not late enough");
        assert_eq!(bed.fire("13:05:00").await, 1);
        assert_eq!(
            bed.outcomes(&once.id).await,
            named(&[("13:00", Started), ("12:20", Missed), ("12:10", Started)])
        );
        let missed = bed.ticks(&once.id).await.remove(1);
        assert_eq!(
            (missed.detail.unwrap().as_str(), missed.run_id),
            ("no server was there for this time and 3 after it, before 2026-03-02T13:00:00Z", None)
        );
        assert_eq!(bed.outcomes(&skip.id).await, named(&[("12:20", Missed), ("12:10", Started)]));
        assert_eq!(
            bed.ticks(&skip.id).await.remove(0).detail.unwrap(),
            "no server was there for this time and 4 after it, up to 2026-03-02T13:00:00Z"
        );
        assert_eq!(bed.fire("13:10:00").await, 2);
        assert_eq!(bed.fire("13:22:00").await, 1, "one alone is missed too");
        let outcomes = bed.outcomes(&once.id).await;
        assert_eq!(outcomes[..2], named(&[("13:20", Started), ("13:10", Started)]));
        assert_eq!(bed.outcomes(&skip.id).await[..2], named(&[("13:20", Missed), ("13:10", Started)]));
        assert_eq!(bed.ticks(&skip.id).await.remove(0).detail.unwrap(), "no server was there");
    }

    async fn a_year_of_minutes_is_made_up_for_at_once(bed: Bed) {
        let made = bed.schedule(cron("* * * * *"), at("12:00:00")).await;
        let next_year = "2027-03-02T12:00:30Z".parse().unwrap();
        let fired = bed.store.fire_schedules(next_year).await.unwrap();
        assert_eq!(fired, 2, "one for the year, and one for the minute that has just begun");
        let ticks = bed.ticks(&made.id).await;
        assert_eq!(ticks.len(), 3);
        assert!(ticks[2].detail.as_ref().unwrap().contains("more than 999 after it"), "{:?}", ticks[2]);
        assert_eq!(bed.schedule_now(&made.id).await.history.next_run, Some("2027-03-02T12:01:00Z".parse().unwrap()));
    }

    async fn a_clock_that_is_set_back_fires_nothing_again(bed: Bed) {
        let made = bed.schedule(cron("* * * * *"), at("12:00:00")).await;
        for minute in 1..=5 {
            assert_eq!(bed.fire(&format!("12:0{minute}:00")).await, 1);
        }
        for back in ["12:02:00", "11:00:00", "12:05:59"] {
            assert_eq!(bed.fire(back).await, 0);
        }
        // Who unpauses it in between makes it count from the clock that is wrong.
        bed.pause(&made.id, at("12:02:10")).await;
        assert_eq!(bed.unpause(&made.id, at("12:02:10")).await.history.next_run, Some(at("12:03:00")));
        assert_eq!(bed.fire("12:04:00").await, 0);
        assert_eq!(bed.fire("12:06:00").await, 1);
        assert_eq!((bed.runs_of(&made.id).await.len(), bed.ticks(&made.id).await.len()), (6, 6));
    }

    async fn somebody_fires_a_schedule_by_hand(bed: Bed) {
        let made = bed.schedule(overlap(OverlapPolicy::Skip), at("12:00:30")).await;
        bed.fire("12:01:00").await;
        bed.pause(&made.id, at("12:01:01")).await;
        let run_id = bed.run_now(&made.id, "12:01:00").await.unwrap();
        let again = bed.run_now(&made.id, "12:01:00").await.unwrap();
        let runs = bed.runs_of(&made.id).await;
        assert_eq!(runs.len(), 3, "neither the pause nor a run that is under way nor the same moment stops it");
        let by_hand = runs.iter().find(|run| run.run_id == run_id).unwrap();
        assert_eq!((&by_hand.source, by_hand.schedule.as_ref().unwrap().schedule_id.as_str()),
            (&Some(RunSource::ScheduledAgent), made.id.as_str()));
        assert_eq!(by_hand.creator, runs[0].creator, "it is made in the name of the schedule's owner");
        let ticks = bed.ticks(&made.id).await;
        assert_eq!(ticks.iter().map(|t| (t.by_hand, t.run_id.unwrap())).collect::<Vec<_>>(),
            [(true, again), (true, run_id), (false, runs[0].run_id)]);
        let after = bed.schedule_now(&made.id).await;
        assert!(!after.enabled && after.history.next_run.is_none());
        assert_eq!(bed.run_now("nothing", "12:02:00").await.unwrap_err().http_status(), 404);
    }

    async fn the_last_500_times_are_kept_and_what_waits(bed: Bed) {
        let made = bed.schedule(overlap(OverlapPolicy::Queue), at("00:00:00")).await;
        for minute in 1..=520 {
            let now = at("00:00:00") + Duration::from_secs(minute * 60);
            bed.store.fire_schedules(now).await.unwrap();
        }
        let ticks = bed.ticks(&made.id).await;
        assert_eq!((ticks.len(), ticks[499].scheduled_for), (500, at("00:21:00")));
        bed.end(&bed.runs_of(&made.id).await[0], "09:00:00").await;
        bed.fire("08:40:10").await;
        // One more than is kept, until the next time comes.
        let waited = bed.store.schedule_history(bed.member.clone(), made.id.clone(), 501).await.unwrap().remove(500);
        assert_eq!((waited.scheduled_for, waited.outcome), (at("00:02:00"), Started));
        // What is forgotten must not come again.
        bed.pause(&made.id, at("00:05:00")).await;
        assert_eq!(bed.unpause(&made.id, at("00:05:00")).await.history.next_run, Some(at("00:22:00")));
    }
}

#[test]
fn schedules_of_an_older_version_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let db = rusqlite::Connection::open(dir.path().join("oz.db")).unwrap();
    for migration in &crate::store::MIGRATIONS[..3] {
        db.execute_batch(migration).unwrap();
    }
    db.pragma_update(None, "user_version", 3).unwrap();
    db.execute_batch(
        "INSERT INTO teams (team_id, name, created_at) VALUES ('t', 't', 0);
         INSERT INTO users (user_id, kind, display_name, created_at) VALUES ('u', 'user', 'u', 0);
         INSERT INTO memberships (team_id, user_id, role) VALUES ('t', 'u', 'admin');
         INSERT INTO schedules (schedule_id, team_id, personal, owner_id, name, cron, enabled, prompt, metadata, next_run,
           updated_by, created_at, updated_at) VALUES ('s', 't', 0, 'u', 's', '* * * * *', 1, 'x', '{}', 60000000, 'u', 0, 0);",
    )
    .unwrap();
    drop(db);
    let store = Store::sqlite(dir.path(), Arc::new(|_| {})).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let fired = runtime.block_on(store.fire_schedules(Timestamp::from_second(61).unwrap())).unwrap();
    assert_eq!(fired, 1);
    drop(store);
    let db = rusqlite::Connection::open(dir.path().join("oz.db")).unwrap();
    let row = "SELECT time_zone, overlap, missed, waiting FROM schedules";
    let row = db.query_row(row, [], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, Option<i64>>(3)?,
        ))
    });
    assert_eq!(row.unwrap(), ("UTC".into(), "allow".into(), "run_once".into(), None));
}
