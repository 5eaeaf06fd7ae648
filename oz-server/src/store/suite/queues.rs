//! Queues: what waits for the same workers, and where it stands there; and who may speak of an execution.

use super::*;
use crate::store::executions::GivenTo;

/// A run for this host that asks for these labels.
async fn asks(bed: &Bed, host: &str, labels: &[(&str, &str)]) -> (i64, RunId) {
    let config = AgentConfig {
        worker_host: Some(host.into()),
        worker_labels: labels.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        ..AgentConfig::default()
    };
    config.validate().unwrap();
    bed.create_with("wait", config, BTreeMap::new()).await
}

on_both! {
    async fn runs_wait_with_those_that_ask_for_the_same(bed: Bed) {
        let gpu = [("gpu", "a100"), ("zone", "1")];
        let plain = asks(&bed, "w", &[]).await;
        let first = asks(&bed, "w", &gpu).await;
        let second = asks(&bed, "w", &[gpu[1], gpu[0]]).await;
        let (hostless, _) = bed.create("anywhere").await;
        let queues = bed.store.queues().await.unwrap();
        let told: Vec<(&str, usize)> = queues.iter().map(|q| (q.host.as_str(), q.labels.len())).collect();
        assert_eq!(told, [("", 0), ("w", 0), ("w", 2)]);
        let waiting = bed.store.waiting(vec![queues[2].clone()], 10).await.unwrap();
        assert_eq!(waiting.iter().map(|w| w.run_no).collect::<Vec<_>>(), [first.0, second.0]);
        assert_eq!(bed.store.waiting(queues.clone(), 1).await.unwrap().len(), 3);
        let places = bed.store.places(vec![plain.1, first.1, second.1, RunId::mint(now())]).await.unwrap();
        assert_eq!(places.len(), 3);
        for (run, queue, place) in [(plain, 1, 1), (first, 2, 1), (second, 2, 2)] {
            assert_eq!(places[&run.1], (queues[queue].clone(), Some(place)));
        }
        bed.offer(first.0).await;
        let places = bed.store.places(vec![first.1, second.1]).await.unwrap();
        assert_eq!(places.get(&first.1), None, "it waits no longer");
        assert_eq!(places[&second.1].1, Some(1));
        bed.offer(hostless).await;
        assert_eq!(bed.store.queues().await.unwrap().len(), 2);
    }

    async fn labels_need_a_host(bed: Bed) {
        let config = AgentConfig {
            worker_labels: [("gpu".into(), "a100".into())].into(),
            ..AgentConfig::default()
        };
        let (run_id, conversation) = (RunId::mint(now()), ConversationId::mint(now()));
        let new = NewRun { config, ..NewRun::by(bed.member.clone(), run_id, conversation) };
        let refused = bed.store.create_run(new, now()).await.unwrap_err().to_string();
        assert!(refused.contains("config.worker_labels: 'gpu'") && refused.contains("worker_host"), "{refused}");
    }

    async fn only_the_worker_that_was_given_an_execution_speaks_of_it(bed: Bed) {
        let (run_no, run_id) = asks(&bed, "w", &[]).await;
        let who = bed.offer(run_no).await;
        let mine = GivenTo { worker_id: "w".into(), team_id: Some(bed.member.team_id.clone()) };
        let given = async |to: &GivenTo, run_id, execution_id| {
            let given = bed.store.given(to.clone(), run_id, execution_id).await.unwrap();
            given.map(|g| (g.run_no, g.run_id, g.execution_id, g.works))
        };
        let offered = Some((run_no, run_id, who.execution_id, false));
        assert_eq!(given(&mine, None, Some(who.execution_id)).await, offered);
        assert_eq!(given(&mine, Some(run_id), None).await, offered);
        for stranger in [
            GivenTo { worker_id: "W".into(), ..mine.clone() },
            GivenTo { team_id: Some("another".into()), ..mine.clone() },
            GivenTo { team_id: None, ..mine.clone() },
        ] {
            assert_eq!(given(&stranger, None, Some(who.execution_id)).await, None, "{stranger:?}");
            assert_eq!(given(&stranger, Some(run_id), None).await, None, "{stranger:?}");
        }
        bed.report(&who, Report::Claimed).await;
        assert_eq!(given(&mine, None, Some(who.execution_id)).await.map(|g| g.3), Some(true));
        bed.report(&who, Report::Completed).await;
        assert_eq!(given(&mine, Some(run_id), None).await.map(|g| g.3), Some(false));
    }
}
