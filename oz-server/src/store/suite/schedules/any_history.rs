//! Whatever happens to clocks and servers, a time makes at most one run; and one without fail where somebody looked.

use super::{Bed, Started, cron};
use crate::store::Store;
use oz_core::{Timestamp, api::CreateSchedule, schedule::Times};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestCaseError, TestRunner},
};
use std::{collections::BTreeSet, sync::Arc};

#[derive(Debug, Clone)]
enum Step {
    /// Time goes by, or the clock is set forward, by so many milliseconds.
    Forth(i64),
    /// The clock is set back by so many milliseconds.
    Back(i64),
    /// A server ends and another one takes its place.
    Kill,
    /// Somebody pauses the schedule and lets it fire again.
    Restart,
}

/// Two servers on one database.
struct Servers {
    bed: Bed,
    second: Store,
}

impl Servers {
    /// Both look at once; their clocks differ by `skew` milliseconds.
    async fn look(&self, now: i64, skew: i64) -> Timestamp {
        let (here, there) = (time(now), time(now + skew));
        let made =
            futures_util::join!(self.bed.store.fire_schedules(here), self.second.fire_schedules(there));
        made.0.and(made.1).unwrap();
        here.max(there)
    }
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

/// Runs a history, with a look of both servers after every step. Returns what was seen, and until when.
async fn play(
    servers: &mut Servers,
    (expression, zone): (&str, &str),
    start: i64,
    skew: i64,
    steps: &[Step],
) -> Result<(BTreeSet<Timestamp>, Timestamp), TestCaseError> {
    let new = CreateSchedule { time_zone: Some(zone.to_owned()), ..cron(expression) };
    let id = servers.bed.schedule(new, time(start)).await.id;
    let (mut now, mut latest) = (start, time(start));
    for step in steps {
        match step {
            Step::Forth(millis) => now += millis,
            Step::Back(millis) => now -= millis,
            Step::Kill => servers.second = servers.bed.another_server(&Arc::default()),
            Step::Restart => {
                servers.bed.pause(&id, time(now)).await;
                servers.bed.unpause(&id, time(now)).await;
            }
        }
        latest = latest.max(servers.look(now, skew).await);
    }
    let ticks = servers.bed.ticks(&id).await;
    let runs = servers.bed.runs_of(&id).await;
    let times = Times::of(expression, zone).unwrap();
    let mut fired = BTreeSet::new();
    for tick in ticks.iter().filter(|tick| tick.outcome == Started) {
        prop_assert!(fired.insert(tick.scheduled_for), "{} fired twice", tick.scheduled_for);
        let just_before = tick.scheduled_for.checked_sub(std::time::Duration::from_millis(1)).unwrap();
        prop_assert_eq!(times.after(just_before), Some(tick.scheduled_for));
        prop_assert!(runs.iter().any(|run| Some(run.run_id) == tick.run_id));
    }
    prop_assert_eq!(fired.len(), runs.len(), "every run is of a time of its own");
    servers.bed.store.delete_schedule(servers.bed.member.clone(), id).await.unwrap();
    Ok((fired, latest))
}

fn schedules() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("* * * * *", "UTC"),
        ("* * * * *", "Europe/Berlin"),
        ("*/5 * * * *", "Asia/Kolkata"),
        ("30 2 * * *", "Europe/Berlin"),
        ("0,30 1-3 * * *", "Europe/Berlin"),
    ])
}

/// Around the night in which clocks are put back in Berlin.
fn starts() -> impl Strategy<Value = i64> {
    1_792_879_200_000_i64..1_792_900_000_000
}

/// Checks a property of histories. The runner shrinks what fails, so it drives the store from a thread of its own.
async fn check<S: Strategy<Value: Send> + Send + 'static>(
    bed: Bed,
    cases: u32,
    histories: S,
    holds: impl AsyncFn(&mut Servers, S::Value) -> Result<(), TestCaseError> + Send + 'static,
) {
    let second = bed.another_server(&Arc::default());
    let servers = tokio::sync::Mutex::new(Servers { bed, second });
    let here = tokio::runtime::Handle::current();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let run = move || {
        TestRunner::new(config).run(&histories, |history| {
            here.block_on(async { holds(&mut *servers.lock().await, history).await })
        })
    };
    tokio::task::spawn_blocking(run).await.unwrap().unwrap();
}

on_both! {
    async fn no_time_makes_two_runs(bed: Bed) {
        let step = prop_oneof![
            8 => (1_i64..120_000).prop_map(Step::Forth),
            1 => (60_000_i64..20_000_000).prop_map(Step::Forth),
            3 => (1_i64..200_000).prop_map(Step::Back),
            1 => (1_i64..20_000_000).prop_map(Step::Back),
            1 => Just(Step::Kill),
            3 => Just(Step::Restart),
        ];
        let histories =
            (schedules(), starts(), -5_000_i64..5_000, proptest::collection::vec(step, 1..30));
        check(bed, 24, histories, async |servers, (schedule, start, skew, steps)| {
            play(servers, schedule, start, skew, &steps).await.map(drop)
        })
        .await;
    }

    async fn where_somebody_looks_every_minute_every_time_makes_its_run(bed: Bed) {
        let step = prop_oneof![
            8 => (1_i64..55_000).prop_map(Step::Forth),
            1 => (1_i64..100_000).prop_map(Step::Back),
            1 => Just(Step::Kill),
        ];
        let histories = (schedules(), starts(), -5_000_i64..5_000, proptest::collection::vec(step, 1..40));
        check(bed, 24, histories, async |servers, (schedule, start, skew, steps)| {
            let (fired, latest) = play(servers, schedule, start, skew, &steps).await?;
            let times = Times::of(schedule.0, schedule.1).unwrap();
            let all = std::iter::successors(times.after(time(start)), |last| times.after(*last));
            prop_assert_eq!(fired, all.take_while(|time| *time <= latest).collect::<BTreeSet<_>>());
            Ok(())
        })
        .await;
    }
}
