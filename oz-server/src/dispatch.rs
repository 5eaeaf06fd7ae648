//! Brings queued runs to workers. One task: it wakes when a run is queued or a slot may be free, makes all offers that
//! are possible in one write, and sends them. It never waits for a worker.

pub(crate) mod pick;

use crate::{
    auth,
    ctx::{Ctx, now},
    error,
    live::workers::{ConnectionId, serves},
    store::executions::{NewOffer, Offered, Report, Reported},
};
use oz_core::{
    Error, ExecutionId, env,
    worker::{Assignment, ToWorker},
};
use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

/// How many runs of each team and host are looked at in one go.
const WINDOW: usize = 64;
/// An offer that is not claimed by then goes to somebody else.
const CLAIM_WITHIN: Duration = Duration::from_secs(10);
/// Looks again after this time even when nothing woke it, in case a wake-up was lost.
const BACKSTOP: Duration = Duration::from_secs(5);

/// Dispatches until the server stops.
pub(crate) async fn run(ctx: Ctx) {
    loop {
        let more = match round(&ctx).await {
            Ok(offers) => offers > 0,
            Err(e) => {
                error::log("dispatch", &e);
                false
            }
        };
        if more {
            continue;
        }
        let now = Instant::now();
        let wait = ctx.workers.next_retry(now).map_or(BACKSTOP, |at| (at - now).min(BACKSTOP));
        tokio::select! {
            () = ctx.dispatch.notified() => {}
            () = tokio::time::sleep(wait) => {}
            () = ctx.shutdown.cancelled() => return,
        }
    }
}

/// Makes every offer that is possible now; returns how many.
async fn round(ctx: &Ctx) -> Result<usize, Error> {
    let mut queues = ctx.store.queues().await?;
    let candidates = ctx.workers.candidates(&queues, Instant::now());
    queues.retain(|q| candidates.iter().any(|c| serves(c.team_id.as_ref(), &c.worker_id, q)));
    if queues.is_empty() {
        return Ok(0);
    }
    let waiting = ctx.store.waiting(queues, WINDOW).await?;
    let choices = pick::pick(&waiting, &candidates, &ctx.store.under_way().await?);
    let mut tokens: HashMap<ExecutionId, (ConnectionId, String)> = HashMap::new();
    let now = now();
    let offers: Vec<NewOffer> = choices
        .into_iter()
        .map(|choice| {
            let (execution_id, token) = (ExecutionId::mint(now), auth::new_key());
            let token_hash = auth::digest(&token);
            tokens.insert(execution_id, (choice.connection, token));
            NewOffer { run_no: choice.run_no, execution_id, token_hash, worker_id: choice.worker_id }
        })
        .collect();
    if offers.is_empty() {
        return Ok(0);
    }
    let offered = ctx.store.offer(offers, now).await?;
    let count = offered.len();
    for offer in offered {
        if let Some((connection, token)) = tokens.remove(&offer.execution_id) {
            send(ctx, connection, token, offer).await?;
        }
    }
    Ok(count)
}

async fn send(ctx: &Ctx, connection: ConnectionId, token: String, offer: Offered) -> Result<(), Error> {
    let Offered { run_no, run_id, execution_id, task } = offer;
    let docker_image = task.agent_config_snapshot.as_ref().and_then(|config| config.docker_image.clone());
    let assignment = Assignment {
        task_id: run_id,
        execution_id: Some(execution_id),
        task,
        docker_image,
        sidecar_image: None,
        env_vars: BTreeMap::from([
            (env::WARP_API_KEY.to_owned(), token.clone()),
            (env::WORKLOAD_TOKEN.to_owned(), token),
        ]),
        additional_sidecars: Vec::new(),
        additional_oz_args: Vec::new(),
        instance_shape: None,
    };
    ctx.leases.grant(execution_id, run_no, CLAIM_WITHIN.min(ctx.lease));
    ctx.workers.update(connection, |c| c.active.insert(execution_id));
    if !ctx.workers.send(connection, ToWorker::TaskAssignment(Box::new(assignment))) {
        decline(ctx, connection, run_no, execution_id).await?;
    }
    Ok(())
}

/// Takes an offer back.
pub(crate) async fn decline(
    ctx: &Ctx,
    connection: ConnectionId,
    run_no: i64,
    execution_id: ExecutionId,
) -> Result<(), Error> {
    ctx.workers.update(connection, |c| c.active.remove(&execution_id));
    ctx.leases.end(execution_id);
    if let Reported::Now(_) = ctx.store.report(run_no, execution_id, Report::Declined, now()).await? {
        ctx.dispatch.notify_one();
    }
    Ok(())
}
