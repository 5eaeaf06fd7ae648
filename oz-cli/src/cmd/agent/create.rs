//! `oz agent create`: makes an agent.

use crate::{
    cli::Format,
    cmd::Outcome,
    out::{identity, jq::JqArgs, table::print_one},
};
use clap::Args;
use oz_client::Client;
use oz_core::{
    api::{CreateIdentity, IdentityProfile},
    config::SecretRef,
};

/// Make an agent.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz agent create -n reviewer --prompt \"You review changes.\"
  oz agent create -n builder --skill me/app:build --secret NPM_TOKEN -e ENVIRONMENT
  oz agent create -n triage --jq .uid")]
pub(crate) struct CreateArgs {
    /// Its name, unique in the team
    #[arg(short, long)]
    name: String,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Instructions that come before each prompt
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// A secret that its runs get; repeatable
    #[arg(long = "secret", value_name = "NAME")]
    secrets: Vec<String>,
    /// A skill that it has; repeatable
    #[arg(long = "skill", value_name = "SPEC")]
    skills: Vec<String>,
    /// The model of its runs
    #[arg(long, value_name = "ID")]
    base_model: Option<String>,
    /// The environment of its runs
    #[arg(short, long, value_name = "ID")]
    environment: Option<String>,
    #[command(flatten)]
    jq: JqArgs,
}

pub(super) async fn run(client: &Client, args: CreateArgs, format: Format) -> Outcome {
    let filter = args.jq.compile()?;
    let secrets: Vec<_> = args.secrets.into_iter().map(|name| SecretRef { name }).collect();
    let request = CreateIdentity {
        name: args.name,
        secrets: (!secrets.is_empty()).then_some(secrets),
        skills: (!args.skills.is_empty()).then_some(args.skills),
        profile: IdentityProfile {
            description: args.description,
            prompt: args.prompt,
            base_model: args.base_model,
            environment_id: args.environment,
            ..IdentityProfile::default()
        },
        ..CreateIdentity::default()
    };
    let agent = client.send(&request).await?;
    if !filter.print(&agent)? {
        print_one(&agent, format, identity::card)?;
    }
    Ok(true)
}
