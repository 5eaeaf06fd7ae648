//! `oz runner update`: changes a runner.

use super::{
    find,
    machine::{Machine, description},
};
use crate::{
    cli::Format,
    cmd::Outcome,
    error::CliError,
    out::{runner::Entry, table::print_one},
};
use clap::{ArgGroup, Args};
use oz_client::Client;
use oz_core::api::{InstanceShape, Runner, UpdateRunner, Validate as _};

/// Change a runner, by its UID or else by its name. With both, the name is its new one.
#[derive(Debug, Default, Args)]
#[command(
    group = ArgGroup::new("which").required(true).multiple(true).args(["uid", "name"]),
    after_help = "Examples:
  oz runner update -n small --memory-gb 8
  oz runner update UID -n tiny
  oz runner update UID -c \"apt-get update\" -c \"apt-get install -y jq\""
)]
pub(crate) struct UpdateArgs {
    /// The runner
    uid: Option<String>,
    /// Its name; its new name beside a UID
    #[arg(short, long)]
    name: Option<String>,
    /// What it is for
    #[arg(short, long, value_name = "TEXT", value_parser = description)]
    description: Option<String>,
    /// Run this command before those of the environment, in place of all that there were; repeatable
    #[arg(short = 'c', long = "setup-command", value_name = "COMMAND")]
    setup_commands: Vec<String>,
    #[command(flatten)]
    machine: Machine,
    /// How many processors
    #[arg(long, value_name = "N")]
    vcpus: Option<u32>,
    /// How much memory, in GiB
    #[arg(long, value_name = "N")]
    memory_gb: Option<u32>,
}

pub(super) async fn run(client: &Client, args: UpdateArgs, format: Format) -> Outcome {
    let runners = client.runners().list().await?.runners;
    let before = find::runner(runners, args.uid.as_deref(), args.name.as_deref())?;
    let request = request(before, args)?;
    let changed = client.runners().update(&request).await.map_err(|e| find::missing(e, &request.uid))?;
    print_one(&Entry::from(changed), format, |runner| {
        format!("Runner '{}' ({}) updated", runner.name, runner.uid)
    })?;
    Ok(true)
}

fn request(before: Runner, args: UpdateArgs) -> Result<UpdateRunner, CliError> {
    let mut config = before.config.clone();
    config.name = args.name.unwrap_or(config.name);
    config.description = args.description.or(config.description);
    if !args.setup_commands.is_empty() {
        config.setup_commands = args.setup_commands;
    }
    args.machine.apply(&mut config)?;
    config.instance_shape = match (config.instance_shape, args.vcpus, args.memory_gb) {
        (Some(shape), vcpus, memory_gb) => Some(InstanceShape {
            vcpus: vcpus.unwrap_or(shape.vcpus),
            memory_gb: memory_gb.unwrap_or(shape.memory_gb),
        }),
        (None, Some(vcpus), Some(memory_gb)) => Some(InstanceShape { vcpus, memory_gb }),
        (None, None, None) => None,
        (None, ..) => {
            let text = "this runner has no shape yet: it needs both --vcpus and --memory-gb";
            return Err(CliError::new(text));
        }
    };
    if config == before.config {
        return Err(CliError::new("No updates requested"));
    }
    let request = UpdateRunner { uid: before.uid, config, revision: Some(before.revision) };
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
    use serde_json::{Value, from_value, json};

    fn changed(config: &Value, line: &str) -> Result<Value, String> {
        let cli = Cli::try_parse_from(format!("oz runner update {line}").split(' ')).unwrap();
        let Some(Command::Runner(RunnerCommand::Update(args))) = cli.command else { panic!("{line}") };
        let before = from_value(json!({ "uid": "r1", "config": config, "created_at": "2026-03-02T08:00:00Z",
            "last_updated": "2026-03-02T08:00:00Z", "revision": 3 }));
        let request = request(before.unwrap(), args).map_err(|e| e.to_string())?;
        assert_eq!(request.revision, Some(3));
        Ok(serde_json::to_value(request.config).unwrap())
    }

    #[test]
    fn what_is_not_named_stays() {
        let linux = json!({ "name": "a", "setup_commands": ["x"], "os": "LINUX", "docker_image": "i",
            "instance_shape": { "vcpus": 2, "memory_gb": 4 } });
        let mut expected = linux.clone();
        expected["instance_shape"]["memory_gb"] = json!(8);
        assert_eq!(changed(&linux, "-n a --memory-gb 8").unwrap(), expected);
        expected = linux.clone();
        expected["name"] = json!("b");
        expected["setup_commands"] = json!(["y", "z"]);
        assert_eq!(changed(&linux, "r1 -n b -c y -c z").unwrap(), expected);
        assert_eq!(
            changed(&linux, "r1 --os macos --macos-version 26").unwrap(),
            json!({ "name": "a", "setup_commands": ["x"], "os": "MACOS", "macos_version": "26",
                "instance_shape": { "vcpus": 2, "memory_gb": 4 } })
        );
        assert_eq!(changed(&linux, "-n a").unwrap_err(), "Error: No updates requested");
    }

    #[test]
    fn a_shape_has_two_sides() {
        let bare = json!({ "name": "a" });
        assert!(changed(&bare, "r1 --vcpus 2").unwrap_err().contains("both --vcpus and --memory-gb"));
        assert_eq!(
            changed(&bare, "r1 --vcpus 2 --memory-gb 4").unwrap()["instance_shape"],
            json!({ "vcpus": 2, "memory_gb": 4 })
        );
        let error = changed(&bare, "r1 --macos-version 14").unwrap_err();
        assert_eq!(error, "Error: --macos-version needs a runner with macOS (--os macos)");
    }
}
