//! `oz environment update`: changes an environment.

use super::{description, repos};
use crate::{
    cli::Format,
    cmd::Outcome,
    error::CliError,
    out::{self, table::print_one},
};
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
  oz environment update ID --remove-description")]
pub(crate) struct UpdateArgs {
    /// The environment
    id: String,
    /// Its name
    #[arg(short, long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", value_parser = description, conflicts_with = "remove_description")]
    description: Option<String>,
    /// Remove its description
    #[arg(long)]
    remove_description: bool,
    /// The image to run in, for workers that use images
    #[arg(short, long, value_name = "IMAGE")]
    docker_image: Option<String>,
    /// Add a repository; repeatable
    #[arg(short, long = "repo", value_name = "OWNER/REPO|URL[@REF]")]
    repos: Vec<String>,
    /// Append a command to those that run before the agent starts; repeatable
    #[arg(short = 'c', long = "setup-command", value_name = "COMMAND")]
    setup_commands: Vec<String>,
    /// Remove a repository; repeatable
    #[arg(long = "remove-repo", value_name = "OWNER/REPO|URL")]
    remove_repos: Vec<String>,
    /// Remove a command; repeatable
    #[arg(long = "remove-setup-command", value_name = "COMMAND")]
    remove_setup_commands: Vec<String>,
    /// Change it also while something uses it; nothing here is in the way of that
    #[arg(long, hide = true)]
    force: bool,
}

pub(super) async fn run(client: &Client, args: UpdateArgs, format: Format) -> Outcome {
    let uid = args.id.clone();
    let before = client.send(&GetEnvironment { uid: uid.clone() }).await?;
    let mut config = before.config.clone();
    apply(&mut config, args)?;
    if config == before.config {
        return Err(CliError::new("No updates requested"));
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
    if args.remove_description {
        config.description = None;
    }
    config.description = args.description.or(config.description.take());
    config.docker_image = args.docker_image.or(config.docker_image.take());
    repos::remove(config, &args.remove_repos)?;
    repos::add(config, &args.repos)?;
    for command in args.remove_setup_commands {
        let count = config.setup_commands.len();
        config.setup_commands.retain(|existing| *existing != command);
        if config.setup_commands.len() == count {
            out::note(format!("Warning: there is no setup command '{command}'."));
        }
    }
    config.setup_commands.extend(args.setup_commands);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays() {
        let before = EnvironmentConfig {
            name: "app".into(),
            description: Some("old".into()),
            docker_image: Some("rust:1".into()),
            setup_commands: vec!["a".into(), "b".into()],
            ..EnvironmentConfig::default()
        };
        let changed = |args| {
            let mut config = before.clone();
            apply(&mut config, args).unwrap();
            config
        };
        assert_eq!(changed(UpdateArgs { force: true, ..UpdateArgs::default() }), before);
        let args = UpdateArgs {
            remove_description: true,
            setup_commands: vec!["c".into()],
            remove_setup_commands: vec!["a".into(), "x".into()],
            ..UpdateArgs::default()
        };
        let commands = vec!["b".into(), "c".into()];
        assert_eq!(
            changed(args),
            EnvironmentConfig { description: None, setup_commands: commands, ..before.clone() }
        );
    }
}
