//! `oz environment create`: makes an environment.

use super::{description, repos};
use crate::{
    cli::{Format, Owner},
    cmd::Outcome,
    out::table::print_one,
};
use clap::Args;
use oz_client::Client;
use oz_core::{api::CreateEnvironment, environment::EnvironmentConfig};

/// Make an environment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz environment create -n app -r me/app -c \"npm ci\"
  oz environment create -n app -r https://git.example.com/me/app@main -d rust:1 --personal")]
pub(crate) struct CreateArgs {
    /// Its name
    #[arg(short, long)]
    name: String,
    /// What it is for
    #[arg(long, value_name = "TEXT", value_parser = description)]
    description: Option<String>,
    /// The image to run in, for workers that use images
    #[arg(short, long, value_name = "IMAGE")]
    docker_image: Option<String>,
    /// A repository: on GitHub, or at any address that git takes; repeatable
    #[arg(short, long = "repo", value_name = "OWNER/REPO|URL[@REF]")]
    repos: Vec<String>,
    /// Run this command before the agent starts; repeatable
    #[arg(short = 'c', long = "setup-command", value_name = "COMMAND")]
    setup_commands: Vec<String>,
    #[command(flatten)]
    owner: Owner,
}

pub(super) async fn run(client: &Client, args: CreateArgs, format: Format) -> Outcome {
    let mut config = EnvironmentConfig {
        name: args.name,
        description: args.description,
        docker_image: args.docker_image,
        setup_commands: args.setup_commands,
        ..EnvironmentConfig::default()
    };
    repos::add(&mut config, &args.repos)?;
    let request = CreateEnvironment { config, team: args.owner.team() };
    print_one(&client.send(&request).await?, format, |environment| {
        format!("Environment created successfully with ID: {}", environment.uid)
    })?;
    Ok(true)
}
