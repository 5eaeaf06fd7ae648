//! Times that come while a run of the schedule is under way.

use super::{Bed, Missed, Queued, Skipped, Started, at, named, overlap};
use crate::store::executions::Report;
use oz_core::{
    RunState,
    api::{OverlapPolicy, UpdateRun},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{error::Elapsed, timeout},
};

/// Waits for a wake-up that comes from now on; what happened before may have left some.
async fn until_woken(notify: Arc<Notify>) -> JoinHandle<Result<(), Elapsed>> {
    while timeout(Duration::from_millis(200), notify.notified()).await.is_ok() {}
    tokio::spawn(async move { timeout(Duration::from_secs(9), notify.notified()).await })
}

on_both! {
    async fn runs_overlap_unless_they_must_not(bed: Bed) {
        let made = bed.schedule(overlap(OverlapPolicy::Allow), at("12:00:00")).await;
        let skipping = bed.schedule(overlap(OverlapPolicy::Skip), at("12:00:00")).await;
        assert_eq!(bed.fire("12:01:00").await, 2);
        assert_eq!(bed.fire("12:02:00").await, 1);
        assert_eq!(bed.runs_of(&made.id).await.len(), 2);
        let first = bed.runs_of(&skipping.id).await.remove(0);
        let tick = bed.ticks(&skipping.id).await.remove(0);
        assert_eq!((tick.outcome, tick.run_id), (Skipped, None));
        assert_eq!(tick.detail.unwrap(), format!("the run {} was under way", first.run_id));
        bed.end(&first, "12:02:30").await;
        assert_eq!(bed.fire("12:03:00").await, 2);
        assert_eq!(
            bed.outcomes(&skipping.id).await,
            named(&[("12:03", Started), ("12:02", Skipped), ("12:01", Started)])
        );
    }

    async fn a_run_that_waits_for_an_answer_stops_no_other(bed: Bed) {
        let made = bed.schedule(overlap(OverlapPolicy::Skip), at("12:00:00")).await;
        bed.fire("12:01:00").await;
        let run = bed.runs_of(&made.id).await.remove(0);
        let who = bed.offer(bed.store.find_run(&bed.caller(), run.run_id).await.unwrap().run_no).await;
        bed.report(&who, Report::Claimed).await;
        for state in [RunState::InProgress, RunState::Blocked] {
            let update = UpdateRun { task_state: Some(state), ..Default::default() };
            bed.store.update_run(who.clone(), update, at("12:01:30")).await.unwrap();
        }
        assert_eq!(bed.fire("12:02:00").await, 1);
    }

    async fn one_run_waits_for_the_end_of_another_and_only_one(bed: Bed) {
        let woken = Arc::new(Notify::new());
        let other = bed.another_server(&woken);
        let made = bed.schedule(overlap(OverlapPolicy::Queue), at("12:00:00")).await;
        for minute in 1..=4 {
            assert_eq!(bed.fire(&format!("12:0{minute}:00")).await, usize::from(minute == 1));
        }
        assert_eq!(
            bed.outcomes(&made.id).await,
            named(&[("12:04", Skipped), ("12:03", Skipped), ("12:02", Queued), ("12:01", Started)])
        );
        assert_eq!(bed.store.next_schedule().await.unwrap(), Some(at("12:05:00")));
        let here = until_woken(bed.ctx.schedules.clone()).await;
        let there = until_woken(woken).await;
        bed.end(&bed.runs_of(&made.id).await[0], "12:04:20").await;
        here.await.unwrap().expect("the end of a run wakes the scheduler");
        if bed.bed.database_url().is_some() {
            there.await.unwrap().expect("that of the other server too");
        }
        assert!(bed.store.next_schedule().await.unwrap().unwrap() < at("12:00:00"), "there is something to do");
        let fired = futures_util::join!(bed.store.fire_schedules(at("12:04:21")), other.fire_schedules(at("12:04:21")));
        assert_eq!(fired.0.unwrap() + fired.1.unwrap(), 1);
        let runs = bed.runs_of(&made.id).await;
        assert_eq!(runs.len(), 2);
        let tick = bed.ticks(&made.id).await.remove(2);
        assert_eq!((tick.scheduled_for, tick.fired_at), (at("12:02:00"), at("12:04:21")));
        assert_eq!((tick.outcome, tick.run_id, tick.detail), (Started, Some(runs[1].run_id), None));
        assert_eq!(bed.fire("12:05:00").await, 0, "the place is free again, but a run is under way");
        assert_eq!(bed.outcomes(&made.id).await[0], ("12:05".to_owned(), Queued));
        bed.end(&runs[1], "12:06:00").await;
        assert_eq!(bed.fire("12:06:00").await, 1, "the waiting one goes first, and the time that has come waits");
        assert_eq!(bed.outcomes(&made.id).await[..2], named(&[("12:06", Queued), ("12:05", Started)]));
    }

    async fn a_schedule_that_stops_forgets_what_waits(bed: Bed) {
        let made = bed.schedule(overlap(OverlapPolicy::Queue), at("12:00:00")).await;
        bed.fire("12:01:00").await;
        bed.fire("12:02:00").await;
        bed.pause(&made.id, at("12:02:10")).await;
        let tick = bed.ticks(&made.id).await.remove(0);
        assert_eq!((tick.outcome, tick.detail.unwrap().as_str()), (Skipped, "the schedule was paused while it waited"));
        bed.unpause(&made.id, at("12:02:20")).await;
        bed.end(&bed.runs_of(&made.id).await[0], "12:02:30").await;
        assert_eq!(bed.fire("12:02:30").await, 0);
        bed.fire("12:03:00").await;
        assert_eq!(bed.fire("12:04:00").await, 0);
        bed.store.delete_schedule(bed.member.clone(), made.id.clone()).await.unwrap();
        bed.end(&bed.runs_of(&made.id).await[1], "12:04:10").await;
        assert_eq!(bed.fire("12:05:00").await, 0);
        assert_eq!(bed.runs_of(&made.id).await.len(), 2, "its runs stay");
    }

    async fn what_is_missed_keeps_to_the_overlap_policy(bed: Bed) {
        let made = bed.schedule(overlap(OverlapPolicy::Queue), at("12:00:00")).await;
        bed.fire("12:01:00").await;
        assert_eq!(bed.fire("12:05:30").await, 0);
        assert_eq!(
            bed.outcomes(&made.id).await,
            named(&[("12:05", Skipped), ("12:04", Queued), ("12:02", Missed), ("12:01", Started)])
        );
    }
}
