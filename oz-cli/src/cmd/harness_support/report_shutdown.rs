//! `oz harness-support report-shutdown`: reports that the agent process ends. CI calls it after the agent, when only
//! the key is left.

use super::told;
use crate::{cli::Format, cmd::Outcome, error::CliError};
use clap::Args;
use oz_client::Client;
use oz_core::{
    RunId,
    api::{GetRun, ReportShutdown, ShutdownError},
};

/// Report that the agent process ends.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz harness-support report-shutdown
  oz harness-support --run-id RUN_ID report-shutdown --error-category process_exit --error-message \"exited with 1\"")]
pub(super) struct ReportShutdownArgs {
    /// Why, in a word such as `process_exit`, when it was not planned
    #[arg(long, value_name = "WORD")]
    error_category: Option<String>,
    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    error_message: Option<String>,
}

pub(super) async fn run(client: &Client, run_id: RunId, args: ReportShutdownArgs, format: Format) -> Outcome {
    let error = error(args)?;
    if let Err(refused) = client.send(&ReportShutdown { error }).await {
        // A key does not speak for a run, but nothing is left to report of one that is over.
        let over = refused.status() == Some(403) && client.send(&GetRun { run_id }).await?.state.is_over();
        if !over {
            return Err(refused.into());
        }
    }
    told("Shutdown reported.", format)
}

fn error(args: ReportShutdownArgs) -> Result<Option<ShutdownError>, CliError> {
    match (args.error_category, args.error_message) {
        (Some(category), Some(message)) => Ok(Some(ShutdownError { category, message })),
        (None, None) => Ok(None),
        _ => Err(CliError::new("--error-category and --error-message go together; pass both or neither")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn category_and_message_go_together() {
        let got = |category: Option<&str>, message: Option<&str>| {
            error(ReportShutdownArgs {
                error_category: category.map(str::to_owned),
                error_message: message.map(str::to_owned),
            })
        };
        assert!(got(None, None).unwrap().is_none());
        assert_eq!(got(Some("process_exit"), Some("m")).unwrap().unwrap().category, "process_exit");
        assert!(got(Some("process_exit"), None).is_err() && got(None, Some("m")).is_err());
    }
}
