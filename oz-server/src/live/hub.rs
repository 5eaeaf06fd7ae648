//! Tells readers of live streams that there may be something new for them. It carries no data: a woken reader looks
//! into the store after its cursor, so a lost or doubled wake-up costs nothing but a look.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;

/// The readers, by the number of the run they watch.
#[derive(Default)]
pub(crate) struct Hub {
    topics: Mutex<HashMap<i64, Vec<Arc<Notify>>>>,
}

/// A reader's place in the hub; dropping it leaves.
pub(crate) struct Subscription {
    hub: crate::ctx::Ctx,
    runs: Vec<i64>,
    wake: Arc<Notify>,
}

impl Hub {
    /// Wakes everybody who watches the run.
    pub(crate) fn publish(&self, run_no: i64) {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        for reader in topics.get(&run_no).into_iter().flatten() {
            // Stores a permit when the reader is busy, so that no wake-up is missed.
            reader.notify_one();
        }
    }

    /// Wakes everybody, because anything may have changed.
    pub(crate) fn publish_all(&self) {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.values().flatten().for_each(|reader| reader.notify_one());
    }

    /// How many places are taken.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).values().map(Vec::len).sum()
    }
}

impl Subscription {
    /// Watches `runs` from now on.
    pub(crate) fn new(ctx: &crate::ctx::Ctx, runs: Vec<i64>) -> Self {
        let wake = Arc::new(Notify::new());
        let mut topics = ctx.hub.topics.lock().unwrap_or_else(PoisonError::into_inner);
        for run in &runs {
            topics.entry(*run).or_insert_with(|| Vec::with_capacity(1)).push(wake.clone());
        }
        drop(topics);
        Self { hub: ctx.clone(), runs, wake }
    }

    /// Waits until one of the runs may have something new.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut topics = self.hub.hub.topics.lock().unwrap_or_else(PoisonError::into_inner);
        for run in &self.runs {
            if let Some(readers) = topics.get_mut(run) {
                readers.retain(|r| !Arc::ptr_eq(r, &self.wake));
                if readers.is_empty() {
                    topics.remove(run);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wake_up_before_the_wait_is_not_missed_and_a_drop_leaves_nothing() {
        let (ctx, _dir) = crate::testing::ctx().await;
        let subscription = Subscription::new(&ctx, vec![1, 2]);
        ctx.hub.publish(2);
        subscription.woken().await;
        assert_eq!(ctx.hub.len(), 2);
        drop(subscription);
        assert_eq!(ctx.hub.len(), 0);
    }
}
