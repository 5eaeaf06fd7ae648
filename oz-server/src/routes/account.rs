//! The caller and the workers of its team.

use super::access::member;
use crate::{
    ctx::{Ctx, now},
    live::listed::{Listed, of_team},
    store::accounts::Caller,
};
use oz_core::{
    Error,
    api::{Account, ListWorkers, WhoAmI, WorkerList},
};

pub(super) async fn whoami(_: Ctx, caller: Caller, _: WhoAmI) -> Result<Account, Error> {
    let member = member(caller)?;
    Ok(Account {
        principal: member.principal,
        team_id: Some(member.team_id.0),
        team_name: Some(member.team_name),
        role: Some(if member.admin { "admin" } else { "member" }.to_owned()),
    })
}

pub(super) async fn workers(ctx: Ctx, caller: Caller, _: ListWorkers) -> Result<WorkerList, Error> {
    let member = member(caller)?;
    Ok(WorkerList { workers: of_team(everywhere(&ctx).await?, &member.team_id) })
}

/// The workers that are connected to any of the servers.
pub(super) async fn everywhere(ctx: &Ctx) -> Result<Vec<Listed>, Error> {
    let mut listed = ctx.workers.listed();
    if ctx.store.is_shared() {
        listed.extend(ctx.store.workers_elsewhere(ctx.server_id.clone(), now()).await?);
    }
    Ok(listed)
}
