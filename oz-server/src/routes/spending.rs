//! What runs used, and how much they may use.

use super::access::member;
use crate::{
    ctx::{Ctx, now},
    store::accounts::Caller,
};
use oz_core::{
    Error,
    api::{Budget, GetBudget, GetUsage, UpdateBudget, UsageReport},
};

pub(super) async fn budget(ctx: Ctx, caller: Caller, _: GetBudget) -> Result<Budget, Error> {
    Ok(ctx.store.budget(member(caller)?.team_id.0, now()).await?)
}

pub(super) async fn set_budget(ctx: Ctx, caller: Caller, request: UpdateBudget) -> Result<Budget, Error> {
    Ok(ctx.store.set_budget(member(caller)?.team_id.0, request, now()).await?)
}

pub(super) async fn usage(ctx: Ctx, caller: Caller, request: GetUsage) -> Result<UsageReport, Error> {
    Ok(ctx.store.usage(caller, request, now()).await?)
}
