//! `oz harness-support`: what the agent of a run tells the platform, called by harnesses from inside the run.

mod finish_task;
mod notify_user;
mod ping;
mod report_artifact;
mod report_external_reference;
mod report_shutdown;

use super::Outcome;
use crate::{
    cli::{Format, Global},
    connection,
    error::CliError,
    out,
};
use clap::{Args, Subcommand};
use oz_client::RequestOptions;
use oz_core::{
    RunId,
    api::{CLOUD_AGENT_ID_HEADER, Empty},
    env,
};
use uuid::Uuid;

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct HarnessSupportArgs {
    /// The run that this is about
    #[arg(long, value_name = "RUN_ID", env = env::RUN_ID)]
    run_id: String,
    #[command(subcommand)]
    command: HarnessSupportCommand,
}

#[derive(Debug, Subcommand)]
enum HarnessSupportCommand {
    /// Show the run, as a sign of life
    #[command(
        hide = true,
        after_help = "Examples:\n  oz harness-support ping\n  oz harness-support --run-id RUN_ID ping"
    )]
    Ping,
    /// Report what the run made
    #[command(
        subcommand,
        arg_required_else_help = true,
        after_help = "Examples:
  oz harness-support report-artifact pull-request --url https://github.com/me/app/pull/7 --branch fix"
    )]
    ReportArtifact(report_artifact::ReportArtifactCommand),
    /// Report something elsewhere that the run is about
    ReportExternalReference(report_external_reference::ReportExternalReferenceArgs),
    /// Tell who asked for the run something
    NotifyUser(notify_user::NotifyUserArgs),
    /// End the run
    FinishTask(finish_task::FinishTaskArgs),
    /// Report that the agent process ends
    ReportShutdown(report_shutdown::ReportShutdownArgs),
}

pub(crate) async fn run(args: HarnessSupportArgs, global: &Global) -> Outcome {
    let run_id = run_id(&args.run_id, std::env::var(env::RUN_ID).ok().as_deref())?;
    let headers = vec![(CLOUD_AGENT_ID_HEADER.to_owned(), run_id.to_string())];
    let options = RequestOptions { headers, ..RequestOptions::default() };
    let client = connection::of(global).agent()?.with_options(options);
    let format = global.output_format;
    match args.command {
        HarnessSupportCommand::Ping => ping::run(&client, run_id, format).await,
        HarnessSupportCommand::ReportArtifact(command) => {
            report_artifact::run(&client, command, format).await
        }
        HarnessSupportCommand::ReportExternalReference(args) => {
            report_external_reference::run(&client, args, format).await
        }
        HarnessSupportCommand::NotifyUser(args) => notify_user::run(&client, args, format).await,
        HarnessSupportCommand::FinishTask(args) => finish_task::run(&client, args, format).await,
        HarnessSupportCommand::ReportShutdown(args) => {
            report_shutdown::run(&client, run_id, args, format).await
        }
    }
}

/// The run that is meant. The token of the run around us can't speak for another one.
fn run_id(given: &str, here: Option<&str>) -> Result<RunId, CliError> {
    let invalid = |reason: &dyn std::fmt::Display| {
        CliError::new(format!("Invalid {} '{}': {reason}", env::RUN_ID, out::one_line(given, 80)))
    };
    let id: Uuid = given.parse().map_err(|e: uuid::Error| invalid(&e))?;
    if id.is_nil() {
        return Err(invalid(&"it names no run"));
    }
    let other = here.and_then(|here| here.parse::<Uuid>().ok()).filter(|here| *here != id);
    match other {
        Some(here) => Err(invalid(&format!("this is called inside the run {here}"))),
        None => Ok(given.parse()?),
    }
}

/// Prints that something was told to the platform.
fn told(sentence: &str, format: Format) -> Outcome {
    if format.is_json() {
        out::json(format, &Empty {})?;
    } else {
        out::line(sentence);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_its_id() {
        let id = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e";
        for here in [None, Some(id), Some(""), Some("bad")] {
            assert_eq!(run_id(id, here).unwrap().to_string(), id);
        }
        let nil = Uuid::nil().to_string();
        for (given, here, expected) in [
            ("bad", None, "Invalid OZ_RUN_ID 'bad': "),
            ("", None, "Invalid OZ_RUN_ID '': "),
            (nil.as_str(), None, "names no run"),
            (id, Some("7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11"), "inside the run 7b0f3c52"),
        ] {
            let error = run_id(given, here).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
