//! `oz schedule`: runs that start by the clock. Options without a command make a schedule.

mod create;
mod history;
mod policy;
mod run;
mod update;

use super::{Outcome, group};
use crate::{
    cli::{Format, Global},
    connection,
    error::CliError,
    out::{self, schedule, table::print_one},
};
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use oz_client::Client;
use oz_core::api::{ListScheduleHistory, Schedule};

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
        group::refuse_before_command(matches, &create::CreateArgs::augment_args(Command::new("create")))?;
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
    /// Make a run of a schedule now
    Run(run::RunArgs),
    /// Show what became of the times of a schedule
    History(history::HistoryArgs),
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
        ScheduleCommand::Run(args) => return run::run(&client, args, format).await,
        ScheduleCommand::History(args) => return history::run(&client, args, format).await,
        ScheduleCommand::List => {
            let list = client.schedules().list().await?;
            schedule::LIST.print(&list, &list.schedules, format)?;
        }
        ScheduleCommand::Get(args) => get(&client, id(args.id)?, format).await?,
        ScheduleCommand::Pause(args) => {
            done(&client.schedules().pause(id(args.id)?).await?, "paused", format)?;
        }
        ScheduleCommand::Unpause(args) => {
            done(&client.schedules().resume(id(args.id)?).await?, "unpaused", format)?;
        }
        ScheduleCommand::Delete(args) => {
            let id = id(args.id)?;
            client.schedules().delete(id.as_str()).await?;
            out::deleted("id", "Schedule", &id, format)?;
        }
    }
    Ok(true)
}

/// The id of a schedule, as all ids of its kind are.
fn id(text: String) -> Result<String, CliError> {
    match text.chars().count() {
        22 => Ok(text),
        length => {
            Err(CliError::new(format!("Invalid schedule ID '{text}': it has {length} characters, not 22"))
                .hint("`oz schedule list` shows the ids"))
        }
    }
}

/// Shows a schedule, to people with its last times.
async fn get(client: &Client, schedule_id: String, format: Format) -> Result<(), CliError> {
    let found = client.schedules().get(schedule_id.as_str()).await?;
    if format.is_json() {
        return out::json(format, &found);
    }
    let last = ListScheduleHistory { schedule_id, limit: Some(10) };
    let ticks = client.schedules().history(&last).await?.ticks;
    out::line(schedule::card(&found));
    if !ticks.is_empty() {
        out::line(format!("\n{}", schedule::TICKS.text(&ticks, format)));
    }
    Ok(())
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
