//! Who gets which run: a pure choice. Within a team and host the oldest run goes first; teams take turns, and a team
//! with less work under way goes before one with more.

use crate::{
    live::workers::{Candidate, ConnectionId},
    store::queues::Waiting,
};
use oz_core::TeamId;
use std::collections::HashMap;

/// Which run goes to which connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) run_no: i64,
    pub(crate) connection: ConnectionId,
    pub(crate) worker_id: String,
}

/// Chooses. `waiting` is ordered oldest first; `under_way` counts the live executions of each team.
pub(crate) fn pick(
    waiting: &[Waiting],
    workers: &[Candidate],
    under_way: &HashMap<TeamId, usize>,
) -> Vec<Choice> {
    let mut free: Vec<usize> = workers.iter().map(|w| w.free).collect();
    let mut load: Vec<usize> = workers.iter().map(|w| w.active).collect();
    let mut turns = under_way.clone();
    let mut left: Vec<&Waiting> = waiting.iter().collect();
    let mut choices = Vec::new();
    loop {
        // The stable minimum: among equal teams the oldest run wins.
        let next = left
            .iter()
            .enumerate()
            .filter_map(|(i, run)| {
                let worker = (0..workers.len())
                    .filter(|w| free[*w] > 0 && workers[*w].serves(&run.queue))
                    .min_by_key(|w| load[*w])?;
                Some((turns.get(&run.queue.team_id).copied().unwrap_or(0), i, worker))
            })
            .min();
        let Some((_, i, worker)) = next else { return choices };
        let run = left.remove(i);
        *turns.entry(run.queue.team_id.clone()).or_default() += 1;
        free[worker] -= 1;
        load[worker] += 1;
        choices.push(Choice {
            run_no: run.run_no,
            connection: workers[worker].connection,
            worker_id: workers[worker].worker_id.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::queues::Queue;
    use std::collections::BTreeMap;

    fn run(run_no: i64, team: &str, host: Option<&str>) -> Waiting {
        let queue =
            Queue { host: host.unwrap_or_default().into(), team_id: team.into(), labels: BTreeMap::new() };
        Waiting { run_no, queued_at: run_no, queue }
    }
    fn worker(connection: u64, id: &str, team: Option<&str>, free: usize) -> Candidate {
        let labels = BTreeMap::new();
        Candidate { connection, worker_id: id.into(), team_id: team.map(Into::into), labels, free, active: 0 }
    }
    fn chosen(choices: &[Choice]) -> Vec<(i64, u64)> {
        choices.iter().map(|c| (c.run_no, c.connection)).collect()
    }

    #[test]
    fn one_team_is_served_in_order_and_no_slot_is_given_twice() {
        let waiting = [run(1, "a", None), run(2, "a", None), run(3, "a", None)];
        let choices = pick(&waiting, &[worker(7, "warp", None, 2)], &HashMap::new());
        assert_eq!(chosen(&choices), [(1, 7), (2, 7)]);
    }

    #[test]
    fn a_busy_team_does_not_starve_another() {
        let waiting =
            [run(1, "a", None), run(2, "a", None), run(3, "a", None), run(4, "b", None), run(5, "b", None)];
        let workers = [worker(7, "warp", None, 4)];
        assert_eq!(chosen(&pick(&waiting, &workers, &HashMap::new())), [(1, 7), (4, 7), (2, 7), (5, 7)]);
        let under_way = HashMap::from([(TeamId::from("a"), 2)]);
        assert_eq!(chosen(&pick(&waiting, &workers, &under_way)), [(4, 7), (5, 7), (1, 7), (2, 7)]);
    }

    #[test]
    fn a_run_for_a_host_goes_only_to_that_teams_worker_of_exactly_that_name() {
        let waiting = [run(1, "a", Some("gpu")), run(2, "b", Some("gpu")), run(3, "a", None)];
        let workers = [worker(1, "gpu", Some("b"), 9), worker(2, "GPU", Some("a"), 9)];
        assert_eq!(chosen(&pick(&waiting, &workers, &HashMap::new())), [(2, 1)]);
    }

    #[test]
    fn connections_of_one_worker_share_the_load() {
        let waiting = [run(1, "a", Some("w")), run(2, "a", Some("w"))];
        let workers = [worker(1, "w", Some("a"), 5), worker(2, "w", Some("a"), 5)];
        assert_eq!(chosen(&pick(&waiting, &workers, &HashMap::new())), [(1, 1), (2, 2)]);
    }

    #[test]
    fn a_run_that_asks_for_labels_goes_to_workers_that_have_them_and_others_pass_it() {
        let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
        };
        let mut waiting = [run(1, "a", Some("w")), run(2, "a", Some("w")), run(3, "a", Some("w"))];
        waiting[0].queue.labels = labels(&[("gpu", "h100")]);
        waiting[1].queue.labels = labels(&[("gpu", "a100")]);
        let mut workers = [worker(1, "w", Some("a"), 5), worker(2, "w", Some("a"), 5)];
        workers[1].labels = labels(&[("gpu", "a100"), ("zone", "1")]);
        assert_eq!(chosen(&pick(&waiting, &workers, &HashMap::new())), [(2, 2), (3, 1)]);
    }
}
