//! Fires schedules: sleeps until the next one is due or the end of a run releases one that waits, and makes its run.

use crate::{
    ctx::{Ctx, now},
    error,
};
use oz_core::Error;
use std::time::Duration;

/// Looks again after this time even when nothing is due: the clock may have been set, a wake-up may have been lost. It is
/// well below the lateness from which on a time counts as missed.
const BACKSTOP: Duration = Duration::from_secs(10);

/// Fires until the server stops.
pub(crate) async fn run(ctx: Ctx) {
    loop {
        let wait = match once(&ctx).await {
            Ok(wait) => wait,
            Err(e) => {
                error::log("scheduler", &e);
                BACKSTOP
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = ctx.schedules.notified() => {}
            () = ctx.shutdown.cancelled() => return,
        }
    }
}

/// Fires what is due. Returns how long to wait for the next.
async fn once(ctx: &Ctx) -> Result<Duration, Error> {
    loop {
        let Some(next) = ctx.store.next_schedule().await? else { return Ok(BACKSTOP) };
        let now = now();
        if next > now {
            let wait = next.duration_since(now);
            return Ok(Duration::try_from(wait).unwrap_or(BACKSTOP).min(BACKSTOP));
        }
        let fired = ctx.store.fire_schedules(now).await?;
        tracing::info!(fired, "schedules");
    }
}
