//! The Python package, installed as its users install it, against a real server.

use oz_tests::{
    World, tools,
    world::{KEY, oz_binary},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const WORK: &str = r#"
scripts:
  - match: do the work
    turns:
      - tool_calls:
          - name: report_artifact
            input: { artifact_type: PULL_REQUEST, data: { url: "https://example.com/pull/1", branch: fix } }
          - { name: finish, input: { success: true, summary: The pull request is open. } }
  - match: fix the failing test
    turns:
      - tool_calls: [{ name: finish, input: { success: true, summary: The test is fixed. } }]
"#;
const LIMIT: Duration = Duration::from_secs(400);

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Python with the tools of the tests.
fn tooled() -> PathBuf {
    tools::python_venv(&repository().join("bindings/python/tests/requirements.txt")).join("bin/python")
}

/// An empty virtual environment with the wheel in it and nothing else. Returns its directory.
fn installed(world: &World) -> PathBuf {
    let venv = world.path().join("venv");
    let made = |command: &mut Command, name: &str| {
        tools::run_within(command, &world.path().join(format!("{name}.log")), Duration::from_secs(120))
    };
    made(tools::command(world, "python3").args(["-m", "venv", "--without-pip"]).arg(&venv), "venv");
    let mut pip = tools::command(world, tooled());
    pip.args(["-m", "pip", "--python"]).arg(venv.join("bin/python"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]);
    made(pip.arg(tools::wheel()), "pip");
    venv
}

/// A program that knows the server of a world.
fn python(world: &World, program: &Path) -> Command {
    let mut python = tools::command(world, program);
    python
        .env("OZ_SERVER_URL", world.url())
        .env("OZ_API_KEY", KEY)
        .env("OZ_BIN", oz_binary())
        .env("OZ_SCRIPTED_MODEL", world.path().join("script.yaml"))
        .env("OZ_EXAMPLES", repository().join("examples/python"));
    python
}

/// Runs suites with the wheel and the tools of the tests.
fn suites(names: &[&str]) {
    let world = World::scripted(WORK);
    let site = installed(&world).join("lib");
    let site = std::fs::read_dir(site).unwrap().next().unwrap().unwrap().path().join("site-packages");
    let tests = repository().join("bindings/python/tests");
    let mut command = python(&world, &tooled());
    command.env("PYTHONPATH", site).args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]);
    command.args(names.iter().map(|name| tests.join(name)));
    tools::run_within(&mut command, &world.path().join("suites.log"), LIMIT);
}

#[test]
fn the_api_is_called() {
    suites(&["test_calls.py"]);
}

#[test]
fn its_types_are_what_they_say() {
    suites(&["test_objects.py", "test_methods.py"]);
}

#[test]
fn it_lives_with_threads_forks_signals_and_cancelled_tasks() {
    suites(&["test_process.py"]);
}

#[test]
fn harnesses_backends_and_a_control_plane_can_be_its_own() {
    suites(&["test_embedded.py"]);
}

#[test]
fn a_notebook_shows_a_run() {
    suites(&["test_notebook.py"]);
}

#[test]
fn the_examples_of_its_readme_run_in_an_empty_environment() {
    let world = World::scripted(WORK);
    let empty = installed(&world).join("bin/python");
    let readme = std::fs::read_to_string(repository().join("bindings/python/README.md")).unwrap();
    let examples: Vec<&str> =
        readme.split("```python\n").skip(1).filter_map(|e| e.split("```").next()).collect();
    assert!(examples.len() >= 3, "{} examples", examples.len());
    for (i, example) in examples.into_iter().enumerate() {
        let mut command = python(&world, &empty);
        let log = world.path().join(format!("example-{i}.log"));
        tools::run_within(command.args(["-W", "error", "-c", example]), &log, LIMIT);
    }
}
