//! Keeps a connection to the control plane: dials, carries, dials again. Nothing that happens to a connection ends the
//! worker or its runs.

use crate::{
    mailbox::Mailbox,
    socket::{DialError, Socket},
    telemetry::{Reconnect, Telemetry},
};
use http::StatusCode;
use oz_core::worker::ToWorker;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A connection that lived shorter counts as a failed dial, or a peer that hangs up at once would be dialled in a
/// tight loop.
const HEALTHY_AFTER: Duration = Duration::from_secs(5);
/// How often a refused key is reported.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Keeps a connection until `closing` is cancelled, then closes it.
pub(crate) async fn keep(
    url: &Url,
    key: &str,
    mailbox: &Mailbox,
    incoming: mpsc::Sender<ToWorker>,
    telemetry: &Telemetry,
    closing: CancellationToken,
) {
    let mut failures = 0;
    let mut refusals = Refusals { last: None };
    loop {
        let dialled = tokio::select! {
            () = closing.cancelled() => return,
            dialled = Socket::dial(url, key) => dialled,
        };
        let wait = match dialled {
            Ok(socket) => {
                tracing::info!(server = url.host_str(), "connected to the control plane");
                let start = Instant::now();
                mailbox.connect();
                telemetry.connected(true);
                let why = socket.carry(mailbox, &incoming, &closing).await;
                mailbox.disconnect();
                telemetry.connected(false);
                if closing.is_cancelled() {
                    return;
                }
                telemetry.reconnects(Reconnect::RemoteClose);
                tracing::warn!("lost the connection to the control plane: {why}");
                if start.elapsed() >= HEALTHY_AFTER {
                    failures = 0;
                }
                let wait = delay(failures, chance());
                failures += 1;
                wait
            }
            Err(error) => {
                failures += 1;
                telemetry.reconnects(Reconnect::DialFailed);
                let wait = delay(failures, chance());
                refusals.report(&error, wait);
                wait
            }
        };
        tokio::select! {
            () = closing.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// How long to wait before the next dial after `failures` failed ones: nothing, then 1, 2, 4 … 60 s, each up to a
/// quarter longer or shorter so that the workers of a restarted control plane don't come back all at once.
fn delay(failures: u32, chance: f64) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let full = Duration::from_secs(1 << doublings.min(6)).min(LONGEST_WAIT);
    full.mul_f64(0.75 + 0.5 * chance).min(LONGEST_WAIT)
}

/// A number from 0 to 1.
fn chance() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}

/// Reports failed dials, a refused key loudly but not more than once a minute.
struct Refusals {
    last: Option<Instant>,
}

impl Refusals {
    fn report(&mut self, error: &DialError, wait: Duration) {
        match error {
            DialError::Refused { status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, .. } => {
                if self.last.is_none_or(|last| last.elapsed() >= REPORT_EVERY) {
                    self.last = Some(Instant::now());
                    tracing::error!("the control plane refuses this worker's API key or id: {error}");
                }
            }
            _ => tracing::warn!(
                "can't connect to the control plane: {error}; next try in {:.1} s",
                wait.as_secs_f64()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let seconds: Vec<u64> = (0..=9).map(|failures| delay(failures, 0.5).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(delay(u32::MAX, 1.0), LONGEST_WAIT);
        assert_eq!((delay(1, 0.0), delay(1, 1.0)), (Duration::from_millis(750), Duration::from_millis(1250)));
    }

    #[test]
    fn chances_are_between_0_and_1() {
        assert!((0..100).map(|_| chance()).all(|chance| (0.0..=1.0).contains(&chance)));
    }
}
