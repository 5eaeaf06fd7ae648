//! What the next worker does with what the last one left.

use super::*;

#[tokio::test]
async fn a_restarted_worker_goes_on_and_tells_real_ends() {
    let bench = Bench::idle();
    let first = bench.open().await;
    let going: Vec<Going> = (0..2).map(|_| begin(&first, bench.job(&json!({})))).collect();
    let mut wanted: Vec<Identity> = going.iter().map(|going| going.identity).collect();
    while bench.fake.objects("pods").len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // As killed: nothing is said, nothing is awaited.
    going.iter().for_each(|going| going.task.abort());
    drop(first);
    bench.fake.set_log("task", "a key: wk-1.top-secret");
    bench.fake.set_pod_status(&exited(5));
    let second = bench.try_open().await.unwrap();
    let mut found = second.survivors().await;
    let key = |identity: &Identity| identity.execution_id.unwrap().0;
    wanted.sort_by_key(key);
    found.sort_by_key(key);
    assert_eq!(found, wanted);
    for survivor in found {
        let (reason, message, code) = resume(&second, survivor).failure().await;
        assert_eq!((reason, code), (FailureReason::ContainerExit, Some(5)));
        assert!(!message.contains("top-secret"), "its secrets are not known any more: {message}");
    }
    assert_eq!(second.survivors().await, [], "what was told is not told again");
}

#[tokio::test]
async fn a_run_that_goes_on_is_followed_cancelled_and_left() {
    let bench = Bench::idle();
    let first = bench.open().await;
    for what in ["follow", "cancel", "leave"] {
        let going = begin(&first, bench.job(&json!({})));
        bench.fake.object("pods", "oz-task-").await;
        going.control.leave.cancel();
        let identity = going.identity;
        assert_eq!(going.end().await, Outcome::Left);
        let second = bench.try_open().await.unwrap();
        assert_eq!(second.survivors().await, [identity]);
        let resumed = resume(&second, identity);
        let expected = match what {
            "follow" => {
                bench.fake.set_pod_status(&exited(0));
                Outcome::Finished
            }
            "cancel" => {
                resumed.control.stop.cancel();
                Outcome::Cancelled
            }
            _ => {
                resumed.control.leave.cancel();
                Outcome::Left
            }
        };
        assert_eq!(resumed.end().await, expected, "{what}");
        bench.fake.delete_jobs();
        bench.fake.none("pods").await;
    }
}

#[tokio::test]
async fn a_run_whose_secret_was_never_made_is_given_back() {
    let bench = Bench::idle();
    let first = bench.open().await;
    bench.fake.fail("POST secrets", 1000, 500);
    let going = begin(&first, bench.job(&json!({})));
    bench.fake.asked("POST secrets", 1).await;
    going.task.abort();
    let second = bench.try_open().await.unwrap();
    let survivors = second.survivors().await;
    assert_eq!(survivors, [going.identity]);
    let (reason, _, _) = resume(&second, survivors[0]).failure().await;
    assert_eq!(reason, FailureReason::JobCreate);
    bench.fake.none("jobs").await;
}

#[tokio::test]
async fn jobs_of_other_workers_are_left_alone() {
    let bench = Bench::idle();
    let going = begin(&bench.open().await, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    let other = Bench { config: Config { worker_id: "another".to_owned(), ..example() }, ..bench };
    assert_eq!(other.try_open().await.unwrap().survivors().await, []);
    going.control.stop.cancel();
    assert_eq!(going.end().await, Outcome::Cancelled);
}
