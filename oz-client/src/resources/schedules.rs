//! Schedules: runs that start by themselves.

use oz_core::api::{Done, RunCreated, Schedule, ScheduleList, ScheduleTickList};

noun! {
    /// Calls about schedules.
    Schedules schedules
}

calls! { Schedules;
    /// Makes a schedule.
    ///
    /// ```no_run
    /// # async fn example(client: oz_client::Client) -> Result<(), oz_client::Error> {
    /// use oz_core::api::CreateSchedule;
    /// let nightly = CreateSchedule {
    ///     name: "nightly".into(),
    ///     cron_schedule: "0 3 * * *".into(),
    ///     prompt: Some("update the dependencies".into()),
    ///     ..CreateSchedule::default()
    /// };
    /// println!("{}", client.schedules().create(&nightly).await?.id);
    /// # Ok(()) }
    /// ```
    create(CreateSchedule) -> Schedule;
    /// Lists all schedules that the caller may see.
    list(ListSchedules {}) -> ScheduleList;
    /// Gets the schedule with this id.
    get(GetSchedule { schedule_id: String }) -> Schedule;
    /// Replaces a schedule.
    update(UpdateSchedule) -> Schedule;
    /// Deletes the schedule with this id.
    delete(DeleteSchedule { schedule_id: String }) -> Done;
    /// Stops the schedule with this id from firing.
    pause(PauseSchedule { schedule_id: String }) -> Schedule;
    /// Lets the schedule with this id fire again.
    resume(ResumeSchedule { schedule_id: String }) -> Schedule;
    /// Makes a run of the schedule with this id now.
    run(RunSchedule { schedule_id: String }) -> RunCreated;
    /// Lists what became of the times of a schedule, newest first.
    history(ListScheduleHistory) -> ScheduleTickList;
}
