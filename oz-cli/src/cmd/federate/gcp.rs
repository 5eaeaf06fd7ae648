//! `oz federate issue-gcp-token`: the program that Google's libraries run for a token (executable-sourced credentials).
//! What it prints is theirs to say, whatever the output format.

use super::token::{of_run, token};
use crate::{
    cli::{Global, duration},
    cmd::Outcome,
    error::CliError,
    out, settings,
};
use clap::{Args, builder::PossibleValuesParser};
use oz_core::api::IdentityToken;
use serde::Serialize;
use std::{path::PathBuf, time::Duration};

const TOKEN_TYPES: [&str; 2] =
    ["urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"];

/// Print an OpenID Connect token of this run as Google's libraries expect it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz federate issue-gcp-token --run-id \"$OZ_RUN_ID\" \\
    --audience //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/oz/providers/oz \\
    --token-type urn:ietf:params:oauth:token-type:id_token")]
pub(crate) struct IssueGcpTokenArgs {
    /// This run
    #[arg(long)]
    run_id: String,
    /// How long the token is good
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1h")]
    duration: Duration,
    /// The provider of the workload identity pool
    #[arg(long, env = "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE")]
    audience: String,
    /// What kind of token is expected
    #[arg(long, value_name = "TYPE", env = "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE",
        value_parser = PossibleValuesParser::new(TOKEN_TYPES))]
    token_type: String,
    /// Keep the answer in this file, too, where the libraries look first
    #[arg(long, value_name = "PATH", env = "GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE")]
    output_file: Option<PathBuf>,
}

/// What Google's libraries read.
#[derive(Serialize)]
struct Issued<'a> {
    version: u32,
    success: bool,
    token_type: &'a str,
    id_token: &'a str,
    expiration_time: i64,
}

/// What they read when there is no token.
#[derive(Serialize)]
struct Failed {
    version: u32,
    success: bool,
    code: &'static str,
    message: String,
}

pub(super) async fn run(args: IssueGcpTokenArgs, global: &Global) -> Outcome {
    match issue(&args, global).await {
        Ok(answer) => {
            out::line(answer);
            Ok(true)
        }
        Err(e) => {
            out::note(failure(&e)?);
            Ok(false)
        }
    }
}

async fn issue(args: &IssueGcpTokenArgs, global: &Global) -> Result<String, CliError> {
    of_run(&args.run_id)?;
    let issued = token(global, args.audience.clone(), args.duration.as_secs(), Vec::new()).await?;
    let answer = success(&args.token_type, &issued)?;
    // The file spares the libraries the next call; the answer is good without it.
    if let Some(path) = &args.output_file
        && let Err(e) = settings::write_private(path, &answer)
    {
        out::note(format!("Warning: the output file '{}' can't be written: {e}", path.display()));
    }
    Ok(answer)
}

fn success(token_type: &str, issued: &IdentityToken) -> Result<String, CliError> {
    let answer = Issued {
        version: 1,
        success: true,
        token_type,
        id_token: &issued.token,
        expiration_time: issued.expires_at.as_second(),
    };
    serde_json::to_string(&answer).map_err(CliError::new)
}

fn failure(error: &CliError) -> Result<String, CliError> {
    let message = error.to_string().trim_start_matches("Error: ").to_owned();
    let answer = Failed { version: 1, success: false, code: "TOKEN_ISSUANCE_FAILED", message };
    serde_json::to_string(&answer).map_err(CliError::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_what_the_libraries_read() {
        let issued = serde_json::from_value(serde_json::json!({ "token": "eyJ.x.y",
            "expires_at": "2026-03-02T09:00:00.5Z", "issuer": "https://oz.example.com" }))
        .unwrap();
        insta::assert_snapshot!(success(TOKEN_TYPES[0], &issued).unwrap(), @r#"{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:id_token","id_token":"eyJ.x.y","expiration_time":1772442000}"#);
        insta::assert_snapshot!(failure(&CliError::new("no \"run\"")).unwrap(), @r#"{"version":1,"success":false,"code":"TOKEN_ISSUANCE_FAILED","message":"no \"run\""}"#);
    }
}
