//! Ends the leases that ran out: a run whose worker or agent shows no sign of life is given to another worker, or ends
//! with the reason. It never acts on a run that has a live lease.

use crate::{
    ctx::{Ctx, now},
    store::executions::{Report, Reported},
};
use oz_core::Error;
use std::time::{Duration, Instant};

/// How often leases are looked at, at least.
const PERIOD: Duration = Duration::from_secs(1);

/// Gives every execution that was alive when the server stopped a fresh lease, and takes back the offers that no
/// worker can have answered.
pub(crate) async fn recover(ctx: &Ctx) -> Result<(), Error> {
    for live in ctx.store.live()? {
        if live.state == oz_core::RunState::Pending {
            ctx.store.report(live.run_no, live.execution_id, Report::Declined, now()).await?;
        } else {
            ctx.leases.grant(live.execution_id, live.run_no, ctx.lease);
        }
    }
    Ok(())
}

/// Reaps until the server stops.
pub(crate) async fn run(ctx: Ctx) {
    loop {
        let now = Instant::now();
        let wait =
            ctx.leases.next_expiry().map_or(PERIOD, |at| at.saturating_duration_since(now).min(PERIOD));
        tokio::select! {
            () = tokio::time::sleep(wait.max(Duration::from_millis(20))) => {}
            () = ctx.shutdown.cancelled() => return,
        }
        for execution_id in ctx.workers.kept_alive() {
            ctx.leases.renew(execution_id, ctx.lease);
        }
        if let Err(e) = run_once(&ctx, Instant::now()).await {
            tracing::error!(error = %e, "reaper");
        }
    }
}

async fn run_once(ctx: &Ctx, at: Instant) -> Result<(), Error> {
    for (execution_id, run_no) in ctx.leases.expired(at) {
        let how =
            format!("neither its worker nor its agent gave a sign of life for {} s", ctx.lease.as_secs_f32());
        let reported = ctx.store.report(run_no, execution_id, Report::Lost(how), now()).await?;
        ctx.leases.end(execution_id);
        if let Reported::Now(state) = reported {
            tracing::warn!(%execution_id, %state, "lease ran out");
            ctx.hub.publish(run_no);
            ctx.dispatch.notify_one();
        }
    }
    Ok(())
}
