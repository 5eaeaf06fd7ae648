//! Schedules.

use super::access::member;
use crate::{
    ctx::{Ctx, now},
    store::accounts::Caller,
};
use oz_core::{
    Error, RunState,
    api::{
        CreateSchedule, DeleteSchedule, Done, GetSchedule, ListScheduleHistory, ListSchedules, PauseSchedule,
        ResumeSchedule, RunCreated, RunSchedule, Schedule, ScheduleList, ScheduleTickList, UpdateSchedule,
    },
};

pub(super) async fn create(ctx: Ctx, caller: Caller, request: CreateSchedule) -> Result<Schedule, Error> {
    Ok(ctx.store.create_schedule(member(caller)?, request, now()).await?)
}

pub(super) async fn list(ctx: Ctx, caller: Caller, _: ListSchedules) -> Result<ScheduleList, Error> {
    Ok(ScheduleList { schedules: ctx.store.schedules(member(caller)?).await? })
}

pub(super) async fn get(ctx: Ctx, caller: Caller, request: GetSchedule) -> Result<Schedule, Error> {
    Ok(ctx.store.schedule(member(caller)?, request.schedule_id).await?)
}

pub(super) async fn update(ctx: Ctx, caller: Caller, request: UpdateSchedule) -> Result<Schedule, Error> {
    Ok(ctx.store.update_schedule(member(caller)?, request, now()).await?)
}

pub(super) async fn delete(ctx: Ctx, caller: Caller, request: DeleteSchedule) -> Result<Done, Error> {
    ctx.store.delete_schedule(member(caller)?, request.schedule_id).await?;
    Ok(Done { success: true })
}

pub(super) async fn pause(ctx: Ctx, caller: Caller, request: PauseSchedule) -> Result<Schedule, Error> {
    Ok(ctx.store.enable_schedule(member(caller)?, request.schedule_id, false, now()).await?)
}

pub(super) async fn resume(ctx: Ctx, caller: Caller, request: ResumeSchedule) -> Result<Schedule, Error> {
    Ok(ctx.store.enable_schedule(member(caller)?, request.schedule_id, true, now()).await?)
}

pub(super) async fn run_now(ctx: Ctx, caller: Caller, request: RunSchedule) -> Result<RunCreated, Error> {
    let run_id = ctx.store.run_schedule(member(caller)?, request.schedule_id, now()).await?;
    Ok(RunCreated { run_id, task_id: run_id, state: RunState::Queued, at_capacity: None })
}

pub(super) async fn history(
    ctx: Ctx,
    caller: Caller,
    request: ListScheduleHistory,
) -> Result<ScheduleTickList, Error> {
    let limit = request.limit.unwrap_or(20);
    Ok(ScheduleTickList {
        ticks: ctx.store.schedule_history(member(caller)?, request.schedule_id, limit).await?,
    })
}
