//! Writes down now and then what a server keeps in memory: when keys were used, and which workers are connected, for
//! the other servers to know.

use crate::{
    ctx::{Ctx, now},
    error,
};
use oz_core::Error;
use std::time::Duration;

const PERIOD: Duration = Duration::from_secs(3);

/// Writes until the server stops.
pub(crate) async fn run(ctx: Ctx) {
    loop {
        if let Err(e) = once(&ctx).await {
            error::log("clerk", &e);
        }
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            () = ctx.clerk.notified() => {}
            () = ctx.shutdown.cancelled() => break,
        }
    }
    let _ = ctx.keys.flush(&ctx.store).await;
    if ctx.store.is_shared() {
        let _ = ctx.store.server_leaves(ctx.server_id.clone()).await;
    }
}

async fn once(ctx: &Ctx) -> Result<(), Error> {
    ctx.keys.flush(&ctx.store).await?;
    if ctx.store.is_shared() {
        ctx.store.tell_workers(ctx.server_id.clone(), ctx.workers.listed(), now()).await?;
        ctx.store.forget_leases().await?;
    }
    Ok(())
}
