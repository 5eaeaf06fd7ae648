//! Schedules.

use super::access::member;
use crate::{
    ctx::{Ctx, now},
    store::accounts::Caller,
};
use oz_core::{
    Error,
    api::{
        CreateSchedule, DeleteSchedule, Done, GetSchedule, ListSchedules, PauseSchedule, ResumeSchedule,
        Schedule, ScheduleList, UpdateSchedule,
    },
};

pub(super) async fn create(ctx: Ctx, caller: Caller, request: CreateSchedule) -> Result<Schedule, Error> {
    let made = ctx.store.create_schedule(member(caller)?, request, now()).await?;
    ctx.schedules.notify_one();
    Ok(made)
}

pub(super) async fn list(ctx: Ctx, caller: Caller, _: ListSchedules) -> Result<ScheduleList, Error> {
    Ok(ScheduleList { schedules: ctx.store.schedules(member(caller)?).await? })
}

pub(super) async fn get(ctx: Ctx, caller: Caller, request: GetSchedule) -> Result<Schedule, Error> {
    Ok(ctx.store.schedule(member(caller)?, request.schedule_id).await?)
}

pub(super) async fn update(ctx: Ctx, caller: Caller, request: UpdateSchedule) -> Result<Schedule, Error> {
    let changed = ctx.store.update_schedule(member(caller)?, request, now()).await?;
    ctx.schedules.notify_one();
    Ok(changed)
}

pub(super) async fn delete(ctx: Ctx, caller: Caller, request: DeleteSchedule) -> Result<Done, Error> {
    ctx.store.delete_schedule(member(caller)?, request.schedule_id).await?;
    Ok(Done { success: true })
}

pub(super) async fn pause(ctx: Ctx, caller: Caller, request: PauseSchedule) -> Result<Schedule, Error> {
    Ok(ctx.store.enable_schedule(member(caller)?, request.schedule_id, false, now()).await?)
}

pub(super) async fn resume(ctx: Ctx, caller: Caller, request: ResumeSchedule) -> Result<Schedule, Error> {
    let resumed = ctx.store.enable_schedule(member(caller)?, request.schedule_id, true, now()).await?;
    ctx.schedules.notify_one();
    Ok(resumed)
}
