//! What wakes the runs: watches on the Jobs and Pods of this worker. They carry no state: who is woken reads it. So a
//! watch may end, start anew, repeat what is old or leave something out, and nothing goes wrong.

use super::{
    cluster::Cluster,
    names::{EXECUTION_HASH, WORKER_HASH, hash},
};
use futures_util::TryStreamExt as _;
use k8s_openapi::{
    NamespaceResourceScope,
    api::{batch::v1::Job, core::v1::Pod},
};
use kube::{
    Resource, ResourceExt as _,
    api::{WatchEvent, WatchParams},
};
use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, task::JoinSet, time::timeout};

/// How long the server keeps a watch open; it allows no more than this.
const OPEN_SECONDS: u32 = 290;
const LONGEST_SILENCE: Duration = Duration::from_secs(OPEN_SECONDS as u64 + 30);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Begin with what is there now, which makes up for all that was missed.
const NOW: &str = "0";

type Sleepers = Arc<Mutex<HashMap<String, Arc<Notify>>>>;

/// The watches; they end with it.
pub(super) struct Watches {
    sleepers: Sleepers,
    _tasks: JoinSet<()>,
}

/// Wakes whoever waits for news of one execution.
pub(super) struct News {
    hash: String,
    woken: Arc<Notify>,
    sleepers: Sleepers,
}

impl Watches {
    pub(super) fn begin(cluster: &Cluster, worker_id: &str) -> Self {
        let sleepers = Sleepers::default();
        let label = format!("{WORKER_HASH}={}", hash(worker_id));
        let mut tasks = JoinSet::new();
        tasks.spawn(watch::<Job>(cluster.clone(), label.clone(), sleepers.clone()));
        tasks.spawn(watch::<Pod>(cluster.clone(), label, sleepers.clone()));
        Self { sleepers, _tasks: tasks }
    }

    /// News of an execution from now on.
    pub(super) fn news(&self, execution_hash: &str) -> News {
        let woken = Arc::new(Notify::new());
        lock(&self.sleepers).insert(execution_hash.to_owned(), woken.clone());
        News { hash: execution_hash.to_owned(), woken, sleepers: self.sleepers.clone() }
    }
}

impl News {
    /// Waits until something has happened since the last call.
    pub(super) async fn next(&self) {
        self.woken.notified().await;
    }
}

impl Drop for News {
    fn drop(&mut self) {
        let mut sleepers = lock(&self.sleepers);
        if sleepers.get(&self.hash).is_some_and(|woken| Arc::ptr_eq(woken, &self.woken)) {
            sleepers.remove(&self.hash);
        }
    }
}

fn lock(sleepers: &Sleepers) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Notify>>> {
    sleepers.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn watch<K>(cluster: Cluster, label: String, sleepers: Sleepers)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let api = cluster.api::<K>();
    let how = WatchParams::default().labels(&label).timeout(OPEN_SECONDS);
    let kind = K::plural(&());
    let mut pause = FIRST_PAUSE;
    loop {
        let ended = match api.watch_metadata(&how, NOW).await {
            Ok(events) => {
                let mut events = pin!(events);
                loop {
                    // A connection may die without a word.
                    let Ok(event) = timeout(LONGEST_SILENCE, events.try_next()).await else {
                        break Some("the server has gone silent".to_owned());
                    };
                    match event {
                        Ok(Some(WatchEvent::Added(o) | WatchEvent::Modified(o) | WatchEvent::Deleted(o))) => {
                            pause = FIRST_PAUSE;
                            if let Some(hash) = o.labels().get(EXECUTION_HASH)
                                && let Some(woken) = lock(&sleepers).get(hash)
                            {
                                woken.notify_one();
                            }
                        }
                        Ok(Some(WatchEvent::Bookmark(_))) => {}
                        Ok(Some(WatchEvent::Error(status))) => break Some(status.message.clone()),
                        Ok(None) => break None,
                        Err(error) => break Some(error.to_string()),
                    }
                }
            }
            Err(error) => Some(error.to_string()),
        };
        match ended {
            Some(why) => tracing::warn!(%kind, "a watch broke and is begun again: {why}"),
            None => tracing::debug!(%kind, "a watch ended and is begun again"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
