//! Runners as people and programs read them: flat, in the words of the command line.

use super::{
    environment::scope,
    table::{Listing, joined, short, time},
};
use oz_core::{
    Timestamp,
    api::{Runner, RunnerArch, RunnerOs},
};
use serde::Serialize;

/// A runner.
#[derive(Serialize)]
pub(crate) struct Entry {
    pub(crate) uid: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    os: String,
    arch: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    vcpus: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_gb: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    docker_image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    macos_version: Option<String>,
    scope: String,
    setup_commands: Vec<String>,
    last_updated: Timestamp,
}

impl From<Runner> for Entry {
    fn from(runner: Runner) -> Self {
        let config = runner.config;
        Self {
            uid: runner.uid,
            name: config.name,
            description: config.description,
            os: match config.os {
                None | Some(RunnerOs::Linux) => "Linux".to_owned(),
                Some(RunnerOs::MacOs) => "macOS".to_owned(),
                Some(RunnerOs::Unknown(other)) => other,
            },
            arch: match config.arch {
                None => "auto".to_owned(),
                Some(RunnerArch::X86_64) => "x86-64".to_owned(),
                Some(RunnerArch::Aarch64) => "aarch64".to_owned(),
                Some(RunnerArch::Unknown(other)) => other,
            },
            vcpus: config.instance_shape.map(|shape| shape.vcpus),
            memory_gb: config.instance_shape.map(|shape| shape.memory_gb),
            docker_image: config.docker_image,
            macos_version: config.macos_version.map(|version| format!("macOS {version}")),
            scope: scope(runner.scope.as_ref()),
            setup_commands: config.setup_commands,
            last_updated: runner.last_updated,
        }
    }
}

/// A list of runners.
pub(crate) const LIST: Listing<Entry, 9> = Listing {
    header: ["UID", "NAME", "DESCRIPTION", "OS", "ARCH", "SHAPE", "SETUP COMMANDS", "LAST UPDATED", "SCOPE"],
    whole: 2,
    row: |runner| {
        let shape = runner.vcpus.zip(runner.memory_gb);
        let system = runner.docker_image.as_ref().map(|image| format!("{} ({image})", runner.os));
        [
            runner.uid.clone(),
            runner.name.clone(),
            short(runner.description.as_deref()),
            system.or(runner.macos_version.clone()).unwrap_or_else(|| runner.os.clone()),
            runner.arch.clone(),
            shape.map_or_else(|| "-".to_owned(), |(vcpus, memory)| format!("{vcpus} vCPU, {memory} GB")),
            joined(runner.setup_commands.iter().map(String::as_str)),
            time(runner.last_updated),
            runner.scope.clone(),
        ]
    },
    none: "No runners found.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{Value, from_value, json};

    fn entry(uid: &str, config: &Value) -> Entry {
        let runner: Runner = from_value(json!({ "uid": uid, "config": config, "created_at": "2026-03-02T08:00:00Z",
            "scope": { "type": "Team", "uid": "t1" }, "last_updated": "2026-03-03T08:00:00Z", "revision": 1 }))
        .unwrap();
        Entry::from(runner)
    }

    #[test]
    fn runners_are_a_table_and_flat_json() {
        let linux = json!({ "name": "small", "description": "for docs", "docker_image": "node:22", "arch": "X86_64",
            "setup_commands": ["a", "b"], "instance_shape": { "vcpus": 2, "memory_gb": 4 } });
        let mac = json!({ "name": "mac", "os": "MACOS", "macos_version": "15" });
        let entries =
            [entry("r1", &linux), entry("r2", &mac), entry("r3", &json!({ "name": "x", "os": "PLAN9" }))];
        insta::assert_snapshot!(LIST.text(&entries, Format::Text), @"
        UID	NAME	DESCRIPTION	OS	ARCH	SHAPE	SETUP COMMANDS	LAST UPDATED	SCOPE
        r1	small	for docs	Linux (node:22)	x86-64	2 vCPU, 4 GB	a, b	2026-03-03 08:00:00	Team
        r2	mac	-	macOS 15	auto	-	-	2026-03-03 08:00:00	Team
        r3	x	-	PLAN9	auto	-	-	2026-03-03 08:00:00	Team
        ");
        insta::assert_snapshot!(serde_json::to_string_pretty(&entries[..2]).unwrap(), @r#"
        [
          {
            "uid": "r1",
            "name": "small",
            "description": "for docs",
            "os": "Linux",
            "arch": "x86-64",
            "vcpus": 2,
            "memory_gb": 4,
            "docker_image": "node:22",
            "scope": "Team",
            "setup_commands": [
              "a",
              "b"
            ],
            "last_updated": "2026-03-03T08:00:00Z"
          },
          {
            "uid": "r2",
            "name": "mac",
            "os": "macOS",
            "arch": "auto",
            "macos_version": "macOS 15",
            "scope": "Team",
            "setup_commands": [],
            "last_updated": "2026-03-03T08:00:00Z"
          }
        ]
        "#);
    }
}
