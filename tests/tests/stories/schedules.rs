//! Schedules, by clocks that the tests set: a whole day in a minute, on two servers of which one dies again and again;
//! runs that wait for each other; and times at which no server was there.

mod a_day;

use oz_client::Client;
use oz_core::{
    RunState, Timestamp,
    api::{
        CreateSchedule, GetSchedule, ListScheduleHistory, MissedRunPolicy, OverlapPolicy, PauseSchedule,
        RunSchedule, Schedule, ScheduleTick, TickOutcome, UpdateSchedule,
    },
    config::AgentConfig,
};
use oz_tests::{World, world::Options};
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// A time of the day on which all this happens.
fn at(text: &str) -> Timestamp {
    format!("2026-05-04T{text}Z").parse().unwrap()
}

/// A schedule on the worker `w1`.
fn cron(cron: &str) -> CreateSchedule {
    CreateSchedule {
        name: cron.into(),
        cron_schedule: cron.into(),
        prompt: Some("hold".into()),
        agent_config: Some(AgentConfig { worker_host: Some("w1".into()), ..AgentConfig::default() }),
        ..CreateSchedule::default()
    }
}

/// Changes nothing, but wakes the schedulers, so that they see that their clocks were set.
async fn nudge(client: &Client, schedule: &Schedule) -> Result<Schedule, oz_client::Error> {
    let change = UpdateSchedule {
        schedule_id: schedule.id.clone(),
        name: schedule.name.clone(),
        cron_schedule: schedule.cron_schedule.clone(),
        enabled: schedule.enabled,
        ..UpdateSchedule::default()
    };
    client.send(&change).await
}

async fn history(client: &Client, schedule: &Schedule, limit: i64) -> Vec<ScheduleTick> {
    let request = ListScheduleHistory { schedule_id: schedule.id.clone(), limit: Some(limit) };
    client.send(&request).await.unwrap().ticks
}

/// Waits until the history of a schedule, newest first, is this.
async fn becomes(world: &World, schedule: &Schedule, wanted: &[(&str, TickOutcome)]) -> Vec<ScheduleTick> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let ticks = history(&world.client(), schedule, 500).await;
        let got: Vec<_> = ticks.iter().map(|t| (t.scheduled_for, t.outcome.clone())).collect();
        let wanted: Vec<_> = wanted.iter().map(|(time, outcome)| (at(time), outcome.clone())).collect();
        if got == wanted {
            return ticks;
        }
        assert!(
            Instant::now() < deadline,
            "{got:?} does not become {wanted:?}\n{}",
            world.read_log("server")
        );
        sleep(Duration::from_millis(20)).await;
    }
}

/// A world with a worker, whose runs hold until the file `release` is there.
fn holding(start: &str) -> World {
    let mut world = World::start(Options {
        script: Some(String::new()),
        embedded_worker: false,
        clock: Some(at(start)),
        ..Options::default()
    });
    let release = world.path().join("release");
    let hold = format!("while [ ! -e {} ]; do sleep 0.05; done", release.display());
    let turns = format!(
        "{{ tool_calls: [{{ name: run_command, input: {{ command: '{hold}' }} }}] }}, {{ text: done }}"
    );
    let script = format!("scripts: [{{ match: hold, turns: [{turns}] }}]");
    fs::write(world.path().join("script.yaml"), script).unwrap();
    world.start_worker("w1");
    world
}

use TickOutcome::{Missed, Queued, Skipped, Started};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_the_one_before_or_does_not_come_at_all() {
    let world = holding("12:00:30");
    let client = world.client();
    let make = async |policy| {
        client.send(&CreateSchedule { overlap_policy: Some(policy), ..cron("* * * * *") }).await.unwrap()
    };
    let (queue, skip) = (make(OverlapPolicy::Queue).await, make(OverlapPolicy::Skip).await);
    for (minute, of_queue, of_skip) in [
        ("12:01:00", &[("12:01:00", Started)][..], &[("12:01:00", Started)][..]),
        (
            "12:02:00",
            &[("12:02:00", Queued), ("12:01:00", Started)],
            &[("12:02:00", Skipped), ("12:01:00", Started)],
        ),
    ] {
        world.set_clock("server", at(minute));
        nudge(&client, &queue).await.unwrap();
        for (schedule, wanted) in [(&queue, of_queue), (&skip, of_skip)] {
            let ticks = becomes(&world, schedule, wanted).await;
            let run_id = ticks.last().unwrap().run_id.unwrap();
            world.until(run_id, |run| run.state == RunState::InProgress).await;
        }
    }
    world.set_clock("server", at("12:03:00"));
    nudge(&client, &skip).await.unwrap();
    becomes(&world, &queue, &[("12:03:00", Skipped), ("12:02:00", Queued), ("12:01:00", Started)]).await;
    // Nothing but the end of the run makes the next one: no schedule is touched, no time comes.
    fs::write(world.path().join("release"), "").unwrap();
    let ticks =
        becomes(&world, &queue, &[("12:03:00", Skipped), ("12:02:00", Started), ("12:01:00", Started)]).await;
    for tick in &ticks[1..] {
        assert_eq!(world.wait(tick.run_id.unwrap()).await.state, RunState::Succeeded);
    }
    let waited = world.run(ticks[1].run_id.unwrap()).await;
    let before = world.run(ticks[2].run_id.unwrap()).await;
    assert!(waited.created_at >= before.updated_at, "it began before the other was over");
    let shown =
        becomes(&world, &skip, &[("12:03:00", Skipped), ("12:02:00", Skipped), ("12:01:00", Started)]).await;
    world.wait(shown[2].run_id.unwrap()).await;
    let in_the_way = format!("the run {} was under way", shown[2].run_id.unwrap());
    assert_eq!(shown[0].detail.as_deref(), Some(in_the_way.as_str()));
    world.set_clock("server", at("12:04:00"));
    nudge(&client, &skip).await.unwrap();
    for schedule in [&queue, &skip] {
        let run_id = loop {
            match history(&client, schedule, 1).await.remove(0) {
                tick if tick.scheduled_for == at("12:04:00") => break tick.run_id.unwrap(),
                _ => sleep(Duration::from_millis(20)).await,
            }
        };
        assert_eq!(world.wait(run_id).await.state, RunState::Succeeded);
        client.send(&PauseSchedule { schedule_id: schedule.id.clone() }).await.unwrap();
    }
    let by_hand = client.send(&RunSchedule { schedule_id: skip.id.clone() }).await.unwrap().run_id;
    assert_eq!(world.wait(by_hand).await.state, RunState::Succeeded);
    let tick = history(&client, &skip, 1).await.remove(0);
    assert_eq!((tick.by_hand, tick.run_id, tick.run_state), (true, Some(by_hand), Some(RunState::Succeeded)));
}

#[tokio::test(flavor = "multi_thread")]
async fn times_at_which_no_server_was_there_make_one_run_or_none() {
    let mut world = holding("12:05:00");
    fs::write(world.path().join("release"), "").unwrap();
    let client = world.client();
    let make = async |policy| {
        let new = CreateSchedule {
            missed_run_policy: Some(policy),
            time_zone: Some("Europe/Berlin".into()),
            ..cron("*/10 * * * *")
        };
        client.send(&new).await.unwrap()
    };
    let (once, skip) = (make(MissedRunPolicy::RunOnce).await, make(MissedRunPolicy::Skip).await);
    assert_eq!(once.history.next_run, Some(at("12:10:00")));
    world.stop_server();
    world.set_clock("server", at("13:05:00"));
    world.start_server();
    let ticks = becomes(&world, &once, &[("13:00:00", Started), ("12:10:00", Missed)]).await;
    becomes(&world, &skip, &[("12:10:00", Missed)]).await;
    assert_eq!(world.wait(ticks[0].run_id.unwrap()).await.state, RunState::Succeeded);
    let after = client.send(&GetSchedule { schedule_id: once.id.clone() }).await.unwrap();
    assert_eq!(after.history.next_run, Some(at("13:10:00")));
    // A restart alone is no reason to fire, nor is a clock that is set back.
    world.kill_server();
    world.set_clock("server", at("12:15:00"));
    world.start_server();
    nudge(&client, &once).await.unwrap();
    world.set_clock("server", at("13:10:00"));
    nudge(&client, &once).await.unwrap();
    let both = [("13:10:00", Started), ("13:00:00", Started), ("12:10:00", Missed)];
    let ticks = becomes(&world, &once, &both).await;
    world.wait(ticks[0].run_id.unwrap()).await;
    let ticks = becomes(&world, &skip, &[("13:10:00", Started), ("12:10:00", Missed)]).await;
    world.wait(ticks[0].run_id.unwrap()).await;
}
