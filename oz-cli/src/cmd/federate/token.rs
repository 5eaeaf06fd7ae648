//! How a command inside a run gets a token that proves which run it is.

use crate::{cli::Global, connection, error::CliError};
use oz_agent::local::Local;
use oz_client::Client;
use oz_core::{
    RunId,
    api::{IdentityToken, IssueIdentityToken},
    env,
};

/// Checks that `--run-id` names the run that this process belongs to, as far as it can tell.
pub(super) fn of_run(run_id: &str) -> Result<(), CliError> {
    check(run_id, std::env::var(env::RUN_ID).ok().as_deref())
}

fn check(run_id: &str, own: Option<&str>) -> Result<(), CliError> {
    let wanted: RunId = run_id
        .parse()
        .map_err(|_| CliError::new(format!("Invalid run ID '{run_id}': expected a UUID other than nil")))?;
    match own.and_then(|own| own.parse::<RunId>().ok()) {
        Some(own) if own != wanted => {
            Err(CliError::new(format!("--run-id: this is run {own}; a run gets no token of another one")))
        }
        _ => Ok(()),
    }
}

/// A token for `audience` that is good for some seconds: by the token of the run where this process has it, else from
/// the run's driver.
pub(super) async fn token(
    global: &Global,
    audience: String,
    seconds: u64,
    subject_template: Vec<String>,
) -> Result<IdentityToken, CliError> {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let request =
        IssueIdentityToken { audience, requested_duration_seconds: Some(seconds), subject_template };
    match std::env::var(env::WORKLOAD_TOKEN).ok().filter(|token| !token.is_empty()) {
        Some(workload_token) => {
            let client = Client::new(&connection::of(global).server_url, None)?;
            Ok(client.with_workload_token(&workload_token).send(&request).await?)
        }
        None => from_driver(&request).await,
    }
}

/// Asks the driver of the run, which listens on a socket for the commands of its agent.
async fn from_driver(request: &IssueIdentityToken) -> Result<IdentityToken, CliError> {
    let driver = Local::of(|name| std::env::var(name).ok()).ok_or_else(|| {
        CliError::new("not inside a run")
            .hint("only the commands of a run's agent can prove which run they are of")
    })?;
    driver.identity_token(request).await.map_err(CliError::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_proves_itself_only() {
        let (run, other) = ("0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e", "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8f");
        assert!(check(run, None).is_ok() && check(run, Some(run)).is_ok() && check(run, Some("x")).is_ok());
        let refused = |run_id, own| check(run_id, own).unwrap_err().to_string();
        insta::assert_snapshot!(refused(run, Some(other)), @"Error: --run-id: this is run 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8f; a run gets no token of another one");
        insta::assert_snapshot!(refused("short", None), @"Error: Invalid run ID 'short': expected a UUID other than nil");
        insta::assert_snapshot!(refused("00000000-0000-0000-0000-000000000000", None), @"Error: Invalid run ID '00000000-0000-0000-0000-000000000000': expected a UUID other than nil");
    }
}
