//! The threads on which everything here goes on: one set per process, made anew in a process that was forked.

use arc_swap::ArcSwapOption;
use std::{mem, sync::Arc};
use tokio::runtime::{Builder, Handle, Runtime};

/// Two threads keep a connection pool busy; work that takes long waits on sockets.
const THREADS: usize = 2;

/// What belongs to one process.
pub(crate) struct PerProcess<T> {
    slot: ArcSwapOption<(u32, T)>,
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { slot: ArcSwapOption::const_empty() }
    }

    /// What this process has; made when it has none yet. What a parent had is left alone rather than dropped: its threads
    /// are not here, and its sockets are the parent's. No lock is taken, for a fork may have come while another thread
    /// held it; so two threads may make one at once, of which `discard` gets the one that came too late.
    pub(crate) fn get<E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
        discard: impl FnOnce(T),
    ) -> Result<Arc<(u32, T)>, E> {
        let process = std::process::id();
        let current = self.slot.load_full();
        if let Some(current) = current.as_ref().filter(|current| current.0 == process) {
            return Ok(current.clone());
        }
        let fresh = Arc::new((process, make()?));
        let before = self.slot.compare_and_swap(&current, Some(fresh.clone()));
        let swapped = before.as_ref().map(Arc::as_ptr) == current.as_ref().map(Arc::as_ptr);
        if !swapped && let Some(other) = before.as_ref().filter(|other| other.0 == process) {
            let other = other.clone();
            drop(before);
            if let Some((_, late)) = Arc::into_inner(fresh) {
                discard(late);
            }
            return Ok(other);
        }
        mem::forget(current);
        Ok(fresh)
    }
}

/// The runtime of this process.
///
/// # Panics
/// When the system gives no thread.
#[must_use]
pub fn runtime() -> Handle {
    static RUNTIME: PerProcess<Runtime> = PerProcess::new();
    // Where nothing may block, a runtime can't just be dropped.
    let made = RUNTIME.get(
        || Builder::new_multi_thread().worker_threads(THREADS).thread_name("oz").enable_all().build(),
        Runtime::shutdown_background,
    );
    #[expect(clippy::expect_used, reason = "without threads there is nothing that could be done instead")]
    made.expect("the system gives no thread").1.handle().clone()
}
