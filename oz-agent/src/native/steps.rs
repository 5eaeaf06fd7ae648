//! The step that an agent is at, so that somebody else can end it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// The steps of one agent: each is a call of a model or the calls of tools that follow from it.
#[derive(Debug, Default)]
pub(super) struct Steps(Mutex<CancellationToken>);

impl Steps {
    fn lock(&self) -> MutexGuard<'_, CancellationToken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn begins. What is sent before an interruption must be read after this.
    pub(super) fn begin(&self) {
        let mut current = self.lock();
        if current.is_cancelled() {
            *current = CancellationToken::new();
        }
    }

    /// Ends what is being done.
    pub(super) fn interrupt(&self) {
        self.lock().cancel();
    }

    /// Is cancelled when the step is to end.
    pub(super) fn current(&self) -> CancellationToken {
        self.lock().clone()
    }
}
