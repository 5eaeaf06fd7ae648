//! Ends the leases that ran out: a run whose worker or agent shows no sign of life is given to another worker, or ends
//! with the reason. It never acts on a run that has a live lease.

use crate::{
    ctx::{Ctx, now},
    error,
    store::executions::{Report, Reported},
};
use oz_core::{Error, ExecutionId};
use std::time::{Duration, Instant};

/// How often leases are looked at, at least.
const PERIOD: Duration = Duration::from_secs(1);

/// Gives every execution that was alive when the server stopped a fresh lease, and takes back the offers that no
/// worker can have answered. With a shared database other servers have gone on meanwhile, and their leases rule.
pub(crate) async fn recover(ctx: &Ctx) -> Result<(), Error> {
    if ctx.store.is_shared() {
        return Ok(());
    }
    for live in ctx.store.live().await? {
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
        let next = if ctx.store.is_shared() { None } else { ctx.leases.next_expiry() };
        let wait = next.map_or(PERIOD, |at| at.saturating_duration_since(now).min(PERIOD));
        tokio::select! {
            () = tokio::time::sleep(wait.max(Duration::from_millis(20))) => {}
            () = ctx.shutdown.cancelled() => return,
        }
        if let Err(e) = run_once(&ctx).await {
            error::log("reaper", &e);
        }
    }
}

async fn run_once(ctx: &Ctx) -> Result<(), Error> {
    for execution_id in ctx.workers.kept_alive() {
        if let Some(run_no) = ctx.store.run_of(execution_id).await? {
            ctx.leases.renew(execution_id, run_no, ctx.lease);
        }
    }
    for (execution_id, run_no) in expired(ctx).await? {
        let how =
            format!("neither its worker nor its agent gave a sign of life for {} s", ctx.lease.as_secs_f32());
        let reported = ctx.store.report(run_no, execution_id, Report::Lost(how), now()).await?;
        ctx.leases.end(execution_id);
        ctx.workers.take_back(execution_id);
        if let Reported::Now(state) = reported {
            tracing::warn!(%execution_id, %state, "lease ran out");
        }
    }
    Ok(())
}

async fn expired(ctx: &Ctx) -> Result<Vec<(ExecutionId, i64)>, Error> {
    if !ctx.store.is_shared() {
        return Ok(ctx.leases.expired(Instant::now()));
    }
    let heard = ctx.leases.take_heard();
    if !heard.is_empty() {
        ctx.store.renew_leases(heard).await?;
    }
    Ok(ctx.store.expired_leases(ctx.lease).await?)
}
