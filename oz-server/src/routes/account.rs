//! The caller and the workers of its team.

use super::runs::member;
use crate::{ctx::Ctx, store::accounts::Caller};
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
    Ok(WorkerList { workers: ctx.workers.list(&member.team_id) })
}
