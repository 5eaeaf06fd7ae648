//! `oz schedule`: runs that start by the clock. Options without a command make a schedule.

mod create;
mod update;

use super::Outcome;
use crate::{
    cli::{Format, Global},
    connection,
    error::CliError,
    out::{self, schedule, table::print_one},
};
use clap::{
    Arg, ArgMatches, Args, Command, FromArgMatches, Subcommand, error::ErrorKind, parser::ValueSource,
};
use oz_core::api::{DeleteSchedule, GetSchedule, ListSchedules, PauseSchedule, ResumeSchedule, Schedule};

/// A command, or the options of `create`.
#[derive(Debug)]
pub(crate) struct ScheduleArgs(ScheduleCommand);

impl Args for ScheduleArgs {
    fn augment_args(command: Command) -> Command {
        let command = create::CreateArgs::augment_args(command);
        ScheduleCommand::augment_subcommands(command).subcommand_negates_reqs(true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ScheduleArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        if matches.subcommand_name().is_none() {
            let create = create::CreateArgs::from_arg_matches(matches)?;
            return Ok(Self(ScheduleCommand::Create(Box::new(create))));
        }
        let of_create = create::CreateArgs::augment_args(Command::new("create"));
        let given = |arg: &Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
        if let Some(arg) = of_create.get_arguments().find(|arg| given(arg)) {
            let message = format!("--{} must stand after the command\n", arg.get_long().unwrap_or_default());
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, message));
        }
        ScheduleCommand::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[derive(Debug, Subcommand)]
enum ScheduleCommand {
    /// Make a schedule; what `oz schedule` does without a command
    Create(Box<create::CreateArgs>),
    /// List schedules
    #[command(after_help = "Examples:\n  oz schedule list")]
    List,
    /// Show one schedule
    #[command(after_help = "Examples:\n  oz schedule get ID")]
    Get(IdArgs),
    /// Change a schedule
    Update(Box<update::UpdateArgs>),
    /// Stop a schedule from firing
    #[command(after_help = "Examples:\n  oz schedule pause ID")]
    Pause(IdArgs),
    /// Let a schedule fire again
    #[command(visible_alias = "resume", after_help = "Examples:\n  oz schedule unpause ID")]
    Unpause(IdArgs),
    /// Delete a schedule
    #[command(after_help = "Examples:\n  oz schedule delete ID")]
    Delete(IdArgs),
}

/// A schedule.
#[derive(Debug, Args)]
struct IdArgs {
    /// The schedule
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) async fn run(args: ScheduleArgs, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match args.0 {
        ScheduleCommand::Create(args) => return create::run(&client, *args, format).await,
        ScheduleCommand::Update(args) => return update::run(&client, *args, format).await,
        ScheduleCommand::List => {
            let list = client.send(&ListSchedules {}).await?;
            schedule::LIST.print(&list, &list.schedules, format)?;
        }
        ScheduleCommand::Get(IdArgs { id: schedule_id }) => {
            print_one(&client.send(&GetSchedule { schedule_id }).await?, format, schedule::card)?;
        }
        ScheduleCommand::Pause(IdArgs { id: schedule_id }) => {
            done(&client.send(&PauseSchedule { schedule_id }).await?, "paused", format)?;
        }
        ScheduleCommand::Unpause(IdArgs { id: schedule_id }) => {
            done(&client.send(&ResumeSchedule { schedule_id }).await?, "unpaused", format)?;
        }
        ScheduleCommand::Delete(IdArgs { id: schedule_id }) => {
            let request = DeleteSchedule { schedule_id };
            client.send(&request).await?;
            out::deleted("id", "Schedule", &request.schedule_id, format)?;
        }
    }
    Ok(true)
}

/// Says what has become of a schedule.
fn done(schedule: &Schedule, what: &str, format: Format) -> Result<(), CliError> {
    print_one(schedule, format, |schedule| {
        let next = schedule
            .history
            .next_run
            .map_or_else(String::new, |at| format!(" It fires next at {} UTC.", out::table::time(at)));
        format!("Schedule '{}' ({}) {what}.{next}", out::one_line(&schedule.name, 100), schedule.id)
    })
}
