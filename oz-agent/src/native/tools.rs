//! The tools that belong to the loop itself: they need its notes, its humans or its models.

mod ask_user;
mod run_subagent;
mod update_tasks;
mod write_plan;

pub(super) use ask_user::AskUser;
pub(super) use run_subagent::RunSubagent;
pub(super) use update_tasks::UpdateTasks;
pub(super) use write_plan::WritePlan;
