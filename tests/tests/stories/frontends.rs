//! One scenario, done by every front end against one control plane: what they see is the same. The file says what its
//! steps mean.

mod cli;
mod record;
mod rust;

use oz_core::{RunState, api::ListRuns};
use oz_tests::{
    World, tools,
    world::{KEY, oz_binary},
};
use record::Scenario;
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

const MODEL: &str = r#"
scripts:
  - match: do the work
    turns:
      - tool_calls: [{ name: finish, input: { success: true, summary: The work is done. } }]
      - tool_calls: [{ name: finish, input: { success: true, summary: The work is done again. } }]
"#;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a runner of another language prints, with the scenario and its name as its arguments.
fn printed(
    world: &World,
    program: &Path,
    script: &Path,
    scenario: &Path,
    me: &str,
    more: &[&str],
) -> Vec<Value> {
    let mut command = tools::command(world, program);
    command.arg(script).arg(scenario).arg(me).args(more);
    command.env("OZ_SERVER_URL", world.url()).env("OZ_API_KEY", KEY);
    let log = world.path().join(format!("{me}.log"));
    let text = tools::run_within(&mut command, &log, Duration::from_secs(120));
    let line =
        text.lines().rev().find(|line| line.starts_with('[')).unwrap_or_else(|| panic!("{me}:\n{text}"));
    serde_json::from_str(line).unwrap()
}

/// Compares step by step, so that a difference is told with its step.
fn same(me: &str, got: &[Value], expected: &[Value]) {
    assert_eq!(got.len(), expected.len(), "{me} did other steps");
    for (got, expected) in got.iter().zip(expected) {
        assert_eq!(got, expected, "{me} (left) saw something else than Rust (right)");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_front_end_sees_the_same() {
    let scenario = Scenario::read(&repository().join("tests/scenarios/frontends.yaml"));
    let world = World::scripted(MODEL);
    let expected = rust::run(&world.client(), &scenario, "rust").await;
    assert!(expected.len() > 20, "the scenario has {} steps", expected.len());
    let shell = tokio::task::block_in_place(|| cli::run(&world, &scenario, "shell"));
    // A command line shows no more of a failure than its text.
    let shown: Vec<Value> =
        expected.iter().zip(&shell).map(|(all, some)| record::within(all, some)).collect();
    same("the command line", &shell, &shown);
    tokio::task::block_in_place(|| others(&world, &scenario, &expected));
}

/// The packages that are there: `cargo xtask test` builds them and says where they are.
fn others(world: &World, scenario: &Scenario, expected: &[Value]) {
    let file = world.path().join("scenario.json");
    fs::write(&file, scenario.json()).unwrap();
    let wheel = std::env::var_os("OZ_WHEEL").map(PathBuf::from);
    let npm = std::env::var_os("OZ_NPM_PACKAGE").map(PathBuf::from);
    if let Some(wheel) = wheel {
        let requirements = world.path().join("requirements.txt");
        fs::write(&requirements, format!("{}\n", wheel.display())).unwrap();
        let python = tools::python_venv(&requirements).join("bin/python");
        let script = repository().join("bindings/python/tests/scenario.py");
        same("python", &printed(world, &python, &script, &file, "python", &["sync"]), expected);
        same("asyncio", &printed(world, &python, &script, &file, "asyncio", &["async"]), expected);
    }
    if let Some(package) = npm {
        let beside = world.path().join("node");
        fs::create_dir(&beside).unwrap();
        let manifest = serde_json::json!({ "private": true, "dependencies": { "oz-sdk": package } });
        fs::write(beside.join("package.json"), manifest.to_string()).unwrap();
        symlink(tools::node_modules(&beside), world.path().join("node_modules")).unwrap();
        for name in ["scenario.mjs", "inside.mjs"] {
            fs::copy(repository().join("bindings/node/test").join(name), world.path().join(name)).unwrap();
        }
        let script = world.path().join("scenario.mjs");
        same("node", &printed(world, Path::new("node"), &script, &file, "node", &[]), expected);
    }
}

/// The example of `oz-agent`: a harness and a trigger of a program's own.
#[tokio::test]
async fn a_program_brings_its_own_harness_and_trigger() {
    let world = World::scripted(MODEL);
    let embed = oz_binary().with_file_name("examples").join("embed");
    let mut shell = tools::command(&world, "sh");
    shell.args(["-c", "echo 'count these four words' | \"$0\""]).arg(embed);
    shell.env("OZ_SERVER_URL", world.url()).env("OZ_API_KEY", KEY);
    let told = tools::run_within(&mut shell, &world.path().join("embed.log"), Duration::from_secs(60));
    assert!(told.contains("SUCCEEDED: 4 words"), "{told}");
    let runs = world.client().runs().list(&ListRuns::default()).await.unwrap().runs;
    let seen: Vec<_> = runs.iter().map(|run| (&run.state, run.prompt.as_str())).collect();
    assert_eq!(seen, [(&RunState::Succeeded, "count these four words")]);
}
