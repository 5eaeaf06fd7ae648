//! `oz runner create`: makes a runner.

use super::machine::{Machine, Os, description};
use crate::{
    cli::{Format, Owner},
    cmd::Outcome,
    error::CliError,
    out::{runner::Entry, table::print_one},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::{CreateRunner, InstanceShape, RunnerConfig, Validate as _};

/// Make a runner.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz runner create -n small --vcpus 2 --memory-gb 4
  oz runner create -n arm --arch aarch64 --docker-image node:22 -c \"corepack enable\"
  oz runner create -n mac --os macos --macos-version 26")]
pub(crate) struct CreateArgs {
    /// Its name
    #[arg(short, long)]
    name: String,
    /// What it is for
    #[arg(short, long, value_name = "TEXT", value_parser = description)]
    description: Option<String>,
    /// Run this command before those of the environment; repeatable
    #[arg(short = 'c', long = "setup-command", value_name = "COMMAND")]
    setup_commands: Vec<String>,
    #[command(flatten)]
    machine: Machine,
    /// How many processors
    #[arg(long, value_name = "N", requires = "memory_gb")]
    vcpus: Option<u32>,
    /// How much memory, in GiB
    #[arg(long, value_name = "N", requires = "vcpus")]
    memory_gb: Option<u32>,
    #[command(flatten)]
    owner: Owner,
}

pub(super) async fn run(client: &Client, args: CreateArgs, format: Format) -> Outcome {
    let request = request(args)?;
    let made = Entry::from(client.runners().create(&request).await?);
    print_one(&made, format, |runner| format!("Runner '{}' created with UID: {}", runner.name, runner.uid))?;
    Ok(true)
}

fn request(mut args: CreateArgs) -> Result<CreateRunner, CliError> {
    let shape = args.vcpus.zip(args.memory_gb);
    let mut config = RunnerConfig {
        name: args.name,
        description: args.description,
        setup_commands: args.setup_commands,
        instance_shape: shape.map(|(vcpus, memory_gb)| InstanceShape { vcpus, memory_gb }),
        ..RunnerConfig::default()
    };
    args.machine.os.get_or_insert(Os::Linux);
    args.machine.apply(&mut config)?;
    let request = CreateRunner { config, team: args.owner.team() };
    request.validate()?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::{Cli, Command},
        cmd::runner::RunnerCommand,
    };
    use clap::Parser as _;
    use serde_json::{Value, json};

    fn sent(line: &str) -> Result<Value, String> {
        let cli = Cli::try_parse_from(format!("oz runner create {line}").split(' ')).unwrap();
        let Some(Command::Runner(RunnerCommand::Create(args))) = cli.command else { panic!("{line}") };
        request(args).map(|request| serde_json::to_value(request).unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn flags_are_sent() {
        assert_eq!(
            sent("-n a -d d -c x --arch x86-64 --docker-image i --vcpus 2 --memory-gb 4 --personal").unwrap(),
            json!({ "team": false, "config": { "name": "a", "description": "d", "setup_commands": ["x"],
                "os": "LINUX", "arch": "X86_64", "docker_image": "i",
                "instance_shape": { "vcpus": 2, "memory_gb": 4 } } })
        );
        assert_eq!(
            sent("-n a --os macos --macos-version 15 --arch auto").unwrap(),
            json!({ "config": { "name": "a", "setup_commands": [], "os": "MACOS", "macos_version": "15" } })
        );
    }

    #[test]
    fn each_system_has_settings_of_its_own() {
        for (line, expected) in [
            ("-n a --macos-version 15", "Error: --macos-version needs a runner with macOS (--os macos)"),
            (
                "-n a --os macos --docker-image i",
                "Error: --docker-image needs a runner with Linux (--os linux)",
            ),
        ] {
            assert_eq!(sent(line).unwrap_err(), expected);
        }
        assert!(sent("-n a --vcpus 0 --memory-gb 1").unwrap_err().contains("instance_shape"));
    }
}
