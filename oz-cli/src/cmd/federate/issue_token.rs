//! `oz federate issue-token`: a token for any service that trusts the control plane.

use super::token::{of_run, token};
use crate::{
    cli::{Format, Global, duration},
    cmd::Outcome,
    out::{self, table},
};
use clap::Args;
use oz_core::api::IdentityToken;
use std::time::Duration;

/// Print an OpenID Connect token of this run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz federate issue-token --run-id \"$OZ_RUN_ID\" --audience sts.amazonaws.com --output-format text
  oz federate issue-token --run-id \"$OZ_RUN_ID\" --audience vault.example.com --subject-template environment run_id")]
pub(crate) struct IssueTokenArgs {
    /// This run
    #[arg(long)]
    run_id: String,
    /// Whom the token is for
    #[arg(long)]
    audience: String,
    /// How long it is good
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1h")]
    duration: Duration,
    /// What its subject is made of: principal (the default), scoped_principal, email, teams, environment, agent_name,
    /// skill_spec, run_id, host; several are joined
    #[arg(long, value_name = "FIELD", num_args = 1..)]
    subject_template: Vec<String>,
}

pub(super) async fn run(args: IssueTokenArgs, global: &Global) -> Outcome {
    of_run(&args.run_id)?;
    let issued = token(global, args.audience, args.duration.as_secs(), args.subject_template).await?;
    match global.output_format {
        Format::Text => out::line(&issued.token),
        format => table::print_one(&issued, format, card)?,
    }
    Ok(true)
}

fn card(issued: &IdentityToken) -> String {
    table::card(&[
        ("Token", issued.token.clone()),
        ("Expires", table::utc(issued.expires_at)),
        ("Issuer", issued.issuer.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_three_lines() {
        let issued = serde_json::from_value(serde_json::json!({ "token": "eyJ.x.y",
            "expires_at": "2026-03-02T09:00:00Z", "issuer": "https://oz.example.com" }))
        .unwrap();
        insta::assert_snapshot!(card(&issued), @"
        Token       eyJ.x.y
        Expires     2026-03-02 09:00:00 UTC
        Issuer      https://oz.example.com
        ");
    }
}
