//! Cancelling, going, and an API server that is not at its best.

use super::*;
use fake_kubernetes::Interruption;

#[tokio::test]
async fn cancelling_ends_the_pod_and_deletes_the_job() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    going.control.stop.cancel();
    assert_eq!(going.end().await, Outcome::Cancelled);
    assert!(bench.fake.objects("jobs").is_empty() && bench.fake.objects("pods").is_empty());
    bench.fake.none("secrets").await;
}

#[tokio::test]
async fn who_goes_leaves_the_job() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    going.control.leave.cancel();
    assert_eq!(going.end().await, Outcome::Left);
    assert_eq!((bench.fake.objects("jobs").len(), bench.fake.objects("pods").len()), (1, 1));
}

#[tokio::test]
async fn what_has_not_begun_does_not_begin_when_the_worker_goes() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    bench.fake.fail("POST secrets", 1000, 500);
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.asked("POST secrets", 2).await;
    assert!(bench.fake.objects("pods").is_empty(), "a pod never waits for its secret");
    going.control.leave.cancel();
    let (reason, _, _) = going.failure().await;
    assert_eq!(reason, FailureReason::GracefulShutdown);
    bench.fake.none("jobs").await;
}

#[tokio::test]
async fn cancelling_before_the_begin_leaves_nothing() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    bench.fake.fail("PATCH jobs", 1000, 500);
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.asked("PATCH jobs", 1).await;
    going.control.stop.cancel();
    assert_eq!(going.end().await, Outcome::Cancelled);
    bench.fake.none("jobs").await;
    bench.fake.none("secrets").await;
}

#[tokio::test]
async fn a_busy_or_broken_server_is_asked_again() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    bench.fake.fail("POST jobs", 1, 429);
    bench.fake.fail("POST jobs", 2, 500);
    bench.fake.fail("POST secrets", 1, 503);
    bench.fake.fail("PATCH jobs", 1, 500);
    bench.fake.fail("GET jobs", 3, 500);
    bench.fake.fail("LIST pods", 2, 500);
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    bench.fake.fail("DELETE jobs", 2, 500);
    bench.fake.set_pod_status(&exited(0));
    assert_eq!(going.end().await, Outcome::Finished);
    bench.fake.none("jobs").await;
}

#[tokio::test]
async fn a_job_that_a_lost_answer_made_is_taken_and_a_stranger_s_is_not() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    let first = begin(&backend, bench.job(&json!({ "execution_id": RUN })));
    bench.fake.object("pods", "oz-task-").await;
    let second = begin(&backend, bench.job(&json!({ "execution_id": RUN })));
    bench.fake.asked("PATCH jobs", 2).await;
    bench.fake.set_pod_status(&exited(0));
    assert_eq!(second.end().await, Outcome::Finished);
    drop(first);
    bench.fake.none("jobs").await;
    let other = Bench { config: Config { worker_id: "another".to_owned(), ..example() }, ..bench };
    let theirs = begin(&other.open().await, other.job(&json!({ "execution_id": RUN })));
    other.fake.object("pods", "oz-task-").await;
    let (reason, message, _) = begin(&backend, other.job(&json!({ "execution_id": RUN }))).failure().await;
    assert_eq!(reason, FailureReason::JobCreate);
    assert!(message.contains("already exists"), "{message}");
    other.fake.set_pod_status(&exited(0));
    assert_eq!(theirs.end().await, Outcome::Finished, "the stranger's Job was left alone");
}

#[tokio::test]
async fn a_right_that_goes_while_runs_begin_is_named() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    for (right, rule) in [
        ("create jobs", "resources: [\"jobs\"], verbs: [\"create\"]"),
        ("create secrets", "resources: [\"secrets\"], verbs: [\"create\"]"),
        ("patch jobs", "resources: [\"jobs\"], verbs: [\"patch\"]"),
    ] {
        bench.fake.deny(right);
        let (reason, message, _) = begin(&backend, bench.job(&json!({}))).failure().await;
        assert_eq!(reason, FailureReason::JobCreate);
        assert!(message.contains(rule) && !message.contains("top-secret"), "{message}");
        bench.fake.allow_all();
        bench.fake.none("jobs").await;
    }
}

#[tokio::test]
async fn watches_wake_without_polling_whatever_becomes_of_them() {
    let mut bench = Bench::idle();
    // Nobody polls while this test runs.
    bench.pace.poll = Duration::from_secs(3600);
    let backend = bench.open().await;
    for how in [Interruption::None, Interruption::Drop, Interruption::Expire, Interruption::Repeat] {
        let going = begin(&backend, bench.job(&json!({})));
        bench.fake.object("pods", "oz-task-").await;
        let opened = bench.fake.watches();
        bench.fake.interrupt(how);
        if matches!(how, Interruption::Drop | Interruption::Expire) {
            while bench.fake.watches() < opened + 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        bench.fake.set_pod_status(&exited(0));
        assert_eq!(going.end().await, Outcome::Finished, "{how:?}");
        bench.fake.none("jobs").await;
    }
}

#[tokio::test]
async fn polling_hears_what_watches_don_t() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    bench.fake.deny("watch jobs");
    bench.fake.deny("watch pods");
    bench.fake.interrupt(Interruption::Drop);
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    bench.fake.set_pod_status(&exited(0));
    assert_eq!(going.end().await, Outcome::Finished);
}
