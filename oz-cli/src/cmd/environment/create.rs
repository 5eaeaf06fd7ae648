//! `oz environment create`: makes an environment.

use super::{description, image, options::Options};
use crate::{
    cli::{Format, Owner},
    cmd::Outcome,
    out::table::print_one,
};
use clap::Args;
use oz_client::Client;
use oz_core::{
    api::{CreateEnvironment, Validate as _},
    environment::EnvironmentConfig,
};

/// Make an environment. Without an image you are asked for one at a terminal; elsewhere it is made without: workers that
/// start agents as processes of their own machine need none.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz environment create -n app -r me/app -c \"npm ci\"
  oz environment create -n app -r https://git.example.com/me/app@main -d rust:1 --personal
  oz environment create -n app -r me/private --git-credential github.com=GITHUB_TOKEN --secret GITHUB_TOKEN
  oz environment create -n app -r me/app --env NODE_ENV=test --setup-timeout 10m --default-host build-1")]
pub(crate) struct CreateArgs {
    /// Its name
    #[arg(short, long)]
    name: String,
    /// What it is for
    #[arg(long, value_name = "TEXT", value_parser = description)]
    description: Option<String>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    owner: Owner,
}

pub(super) async fn run(client: &Client, args: CreateArgs, format: Format) -> Outcome {
    let mut config =
        EnvironmentConfig { name: args.name, description: args.description, ..EnvironmentConfig::default() };
    args.options.apply(&mut config)?;
    let mut request = CreateEnvironment { config, team: args.owner.team() };
    request.validate()?;
    if request.config.docker_image.is_none() {
        let Some(choice) = image::choose(client).await? else { return Ok(true) };
        request.config.docker_image = choice.image();
    }
    made(client, &request, format).await?;
    Ok(true)
}

/// Makes an environment and says so.
pub(super) async fn made(client: &Client, request: &CreateEnvironment, format: Format) -> Outcome {
    print_one(&client.send(request).await?, format, |environment| {
        format!("Environment created successfully with ID: {}", environment.uid)
    })?;
    Ok(true)
}
