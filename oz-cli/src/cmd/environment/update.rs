//! `oz environment update`: changes an environment. What uses it is a reason to ask.

use super::{description, options::Options, removals::Removals, users};
use crate::{cli::Format, cmd::Outcome, error::CliError, out::table::print_one};
use clap::Args;
use oz_client::Client;
use oz_core::{
    api::{GetEnvironment, UpdateEnvironment},
    environment::EnvironmentConfig,
};

/// Change an environment.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  oz environment update ID -r me/lib --remove-setup-command \"npm ci\" -c \"npm ci --prefer-offline\"
  oz environment update ID --git-credential github.com=GITHUB_TOKEN --secret GITHUB_TOKEN
  oz environment update ID --remove-description --remove-env NODE_ENV")]
pub(crate) struct UpdateArgs {
    /// The environment
    id: String,
    /// Its name
    #[arg(short, long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", value_parser = description)]
    description: Option<String>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    removals: Removals,
    /// Don't ask, even when schedules or agents use it
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(client: &Client, args: UpdateArgs, format: Format) -> Outcome {
    let (uid, force) = (args.id.clone(), args.force);
    let before = client.send(&GetEnvironment { uid: uid.clone() }).await?;
    let mut config = before.config.clone();
    apply(&mut config, args)?;
    if config == before.config {
        return Err(CliError::new("No updates requested"));
    }
    config.validate()?;
    if !users::confirmed(client, "update", &uid, force).await? {
        return Ok(true);
    }
    let request = UpdateEnvironment { uid, config, revision: Some(before.revision) };
    print_one(&client.send(&request).await?, format, |environment| {
        format!("Environment {} updated successfully", environment.uid)
    })?;
    Ok(true)
}

fn apply(config: &mut EnvironmentConfig, args: UpdateArgs) -> Result<(), CliError> {
    if let Some(name) = args.name {
        config.name = name;
    }
    args.removals.apply(config)?;
    config.description = args.description.or(config.description.take());
    args.options.apply(config)
}

#[cfg(test)]
mod tests;
