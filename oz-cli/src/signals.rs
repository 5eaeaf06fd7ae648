//! Ctrl-C and SIGTERM: the first asks a command to end, the second ends the process. Where a person sits at a terminal,
//! whoever talks with them says what Ctrl-C means.

use crate::{
    error::{CliError, INTERRUPTED},
    live::keys,
};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long a command that was asked to end may take before another Ctrl-C ends the process.
const GRACE: Duration = Duration::from_secs(1);

/// A token that the first signal cancels.
pub(crate) fn interrupt() -> Result<CancellationToken, CliError> {
    let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        next(&mut int, &mut term).await;
        cancel.cancel();
        next(&mut int, &mut term).await;
        std::process::exit(INTERRUPTED.into());
    });
    Ok(token)
}

async fn next(int: &mut Signal, term: &mut Signal) {
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
    }
}

/// Calls `pressed` for every Ctrl-C, which may cancel `stop`. SIGTERM cancels it at once, and whoever presses on when it is
/// cancelled for long ends the process.
pub(crate) fn at_a_terminal(
    stop: CancellationToken,
    pressed: impl Fn() + Send + 'static,
) -> Result<(), CliError> {
    let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // Who was stopped with Ctrl-Z and comes back finds the terminal as the shell left it.
    let mut back = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    tokio::spawn(async move {
        let mut since = None;
        loop {
            tokio::select! {
                _ = int.recv() => {}
                _ = term.recv() => {
                    stop.cancel();
                    continue;
                }
                _ = back.recv() => {
                    keys::again();
                    continue;
                }
            }
            if !stop.is_cancelled() {
                pressed();
                continue;
            }
            let since = since.get_or_insert_with(tokio::time::Instant::now);
            if since.elapsed() >= GRACE {
                keys::give_back();
                std::process::exit(INTERRUPTED.into());
            }
        }
    });
    Ok(())
}
