use super::*;
use crate::ctx::now;

fn connection(workers: &Workers, team: &str, id: &str) -> (ConnectionId, Vec<ExecutionId>) {
    let (frames, _) = mpsc::channel(1);
    let to = GivenTo { worker_id: id.into(), team_id: Some(team.into()) };
    workers.add(Connection::new(to, frames, now()))
}

fn queue() -> [Queue; 1] {
    [Queue { host: "w".into(), team_id: "a".into(), labels: BTreeMap::new() }]
}

fn free(workers: &Workers, at: Instant) -> Vec<usize> {
    workers.candidates(&queue(), at).iter().map(|c| c.free).collect()
}

fn execution() -> ExecutionId {
    ExecutionId::mint(now())
}

#[test]
fn who_rejects_is_asked_less_eagerly_and_again_when_a_run_of_its_ends() {
    let workers = Workers::default();
    let (id, _) = connection(&workers, "a", "w");
    let now = Instant::now();
    assert_eq!(free(&workers, now), [OPTIMISTIC]);
    let (kept, refused) = (execution(), execution());
    workers.update(id, |c| {
        c.offer(kept);
        c.offer(refused);
        c.claim(kept);
        c.reject(refused, now);
    });
    assert_eq!(free(&workers, now), [0; 0], "it said that it is full");
    assert_eq!(workers.next_retry(now), Some(now + FULL_FOR));
    assert_eq!(free(&workers, now + FULL_FOR), [1], "one run finds out whether it still is");
    workers.update(id, |c| c.end(kept));
    assert_eq!(free(&workers, now), [1], "one that ended left room");
    workers.update(id, |c| {
        c.offer(kept);
        c.claim(kept);
    });
    assert_eq!(free(&workers, now), [2], "each claim shows that there is more");
}

#[test]
fn who_drains_or_has_no_free_slot_is_offered_nothing() {
    let workers = Workers::default();
    let (id, _) = connection(&workers, "a", "w");
    let now = Instant::now();
    for (slots, draining, active, expected) in [
        (Some(2), false, 0, vec![2]),
        (Some(2), false, 2, vec![]),
        (Some(2), true, 0, vec![]),
        (Some(0), false, 1, vec![]),
    ] {
        let active: HashSet<ExecutionId> = (0..active).map(|_| execution()).collect();
        workers.update(id, |c| c.tell(About { slots, draining, ..About::default() }, &active));
        assert_eq!(free(&workers, now), expected, "{slots:?} {draining} {active:?}");
    }
}

#[test]
fn a_worker_without_status_gets_back_what_it_claimed_when_it_comes_again() {
    let workers = Workers::default();
    let long = Duration::from_secs(60);
    let (id, _) = connection(&workers, "a", "w");
    let (claimed, offered) = (execution(), execution());
    workers.update(id, |c| {
        c.offer(claimed);
        c.offer(offered);
        c.claim(claimed);
    });
    assert_eq!(workers.kept_alive(), [claimed], "an offer has to be answered");
    assert_eq!(workers.remove(id, long), Some([claimed, offered].into()));
    assert_eq!(connection(&workers, "b", "w").1, [], "another team's worker of that name");
    let (id, adopted) = connection(&workers, "a", "w");
    assert_eq!((adopted, workers.kept_alive()), (vec![claimed], vec![claimed]));
    assert!(workers.may_mean(id, claimed));
    workers.remove(id, long);
    let (id, adopted) = connection(&workers, "a", "w");
    assert_eq!(adopted, [claimed], "over more than one gap");
    let (next, adopted) = connection(&workers, "a", "w");
    assert_eq!(adopted, [], "nobody has noticed yet that the older one is gone");
    workers.remove(id, long);
    assert_eq!(workers.kept_alive(), [claimed], "the later one has it now");
    workers.remove(next, Duration::ZERO);
    assert_eq!(connection(&workers, "a", "w").1, [], "too late");
}

#[test]
fn an_older_connection_does_not_speak_of_the_run_of_a_later_one() {
    let workers = Workers::default();
    let ((old, _), (late, _)) = (connection(&workers, "a", "w"), connection(&workers, "a", "w"));
    let (of_old, of_late) = (execution(), execution());
    assert!(workers.may_mean(old, of_old), "nobody has it, such as after a restart of the server");
    workers.update(old, |c| c.claim(of_old));
    workers.update(late, |c| c.claim(of_late));
    assert!(workers.may_mean(old, of_old) && workers.may_mean(late, of_late));
    assert!(workers.may_mean(late, of_old), "the older one may be what it left behind");
    assert!(!workers.may_mean(old, of_late));
}

#[test]
fn a_process_that_comes_again_has_left_its_older_connection() {
    let workers = Workers::default();
    let [one, two, three, other] =
        [("a", "w"), ("a", "w"), ("a", "w"), ("b", "w")].map(|(team, id)| connection(&workers, team, id).0);
    for (id, instance) in [(one, "x"), (two, "y"), (other, "x"), (three, "x")] {
        let about = About { instance_id: instance.into(), ..About::default() };
        workers.update(id, |c| c.tell(about, &HashSet::new()));
    }
    assert_eq!(workers.left_behind(three), [one]);
    assert_eq!(workers.left_behind(one), [0; 0]);
    assert_eq!(workers.left_behind(two), [0; 0]);
}

#[test]
fn an_offer_that_was_taken_back_leaves_room() {
    let workers = Workers::default();
    let (id, _) = connection(&workers, "a", "w");
    let (lost, kept, now) = (execution(), execution(), Instant::now());
    workers.update(id, |c| {
        c.offer(kept);
        c.claim(kept);
        c.reject(execution(), now);
        c.offer(lost);
    });
    assert_eq!(free(&workers, now + FULL_FOR), [0; 0]);
    workers.take_back(lost);
    workers.take_back(kept);
    assert_eq!(free(&workers, now + FULL_FOR), [1]);
    assert_eq!(workers.kept_alive(), [kept], "what was claimed is not an offer");
}
