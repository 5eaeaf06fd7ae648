//! How long a run's requests and pauses may take; tests are in a hurry.

use std::time::Duration;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Between two looks when nothing is heard.
    pub(super) poll: Duration,
    /// After the first request that did not work, and after later ones at most.
    pub(super) first_pause: Duration,
    pub(super) longest_pause: Duration,
    /// For the server to be available when a run begins.
    pub(super) begin_limit: Duration,
    /// For pods to go, and between two looks whether they have.
    pub(super) remove_limit: Duration,
    pub(super) remove_poll: Duration,
    pub(super) preflight_limit: Duration,
    pub(super) preflight_every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(30),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(15),
            begin_limit: Duration::from_secs(120),
            remove_limit: Duration::from_secs(120),
            remove_poll: Duration::from_secs(1),
            preflight_limit: Duration::from_secs(15),
            preflight_every: Duration::from_millis(500),
        }
    }
}
