//! The TypeScript package, installed as its users install it, against a real server.

use oz_tests::{World, tools, world::KEY};
use std::{
    fs,
    os::unix::fs::symlink,
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

/// The sources of the package.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("bindings/node")
}

/// An empty project with the package and the compiler in it, and what `from` of the package's sources holds.
fn project(world: &World, from: &[&str]) -> PathBuf {
    let dir = world.path().join("project");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("package.json"), "{ \"type\": \"module\", \"private\": true }").unwrap();
    let installed =
        ["install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
    let mut npm = tools::command(world, "npm");
    npm.args(installed).arg(tools::npm_package()).current_dir(&dir);
    tools::run_within(&mut npm, &world.path().join("install.log"), Duration::from_secs(120));
    let modules = tools::node_modules(&sources());
    for name in ["typescript", "@types", "undici-types"] {
        symlink(modules.join(name), dir.join("node_modules").join(name)).unwrap();
    }
    for from in from {
        let from = sources().join(from);
        for file in fs::read_dir(&from).unwrap() {
            let file = file.unwrap().path();
            fs::copy(&file, dir.join(file.file_name().unwrap())).unwrap();
        }
    }
    dir
}

/// Node in a project of a world, which knows that world's server and nothing else.
fn node(world: &World, project: &Path) -> Command {
    program(world, project, Path::new("node"))
}

/// The same with a Node of one's choice.
fn program(world: &World, project: &Path, node: &Path) -> Command {
    let mut node = tools::command(world, node);
    node.current_dir(project)
        .env("OZ_SERVER_URL", world.url())
        .env("OZ_API_KEY", KEY)
        .env("OZ_BIN", oz_tests::world::oz_binary())
        .env("OZ_SCRIPTED_MODEL", world.path().join("script.yaml"))
        .env("OZ_BRIDGE_PANICS", "1");
    node
}

/// Runs suites of the package's tests.
fn suites(names: &[&str]) {
    suites_with(Path::new("node"), names);
}

/// Runs them with this Node.
fn suites_with(node: &Path, names: &[&str]) {
    let world = World::scripted(WORK);
    let project = project(&world, &["test"]);
    let mut command = program(&world, &project, node);
    command.args(["--expose-gc", "--test-reporter=spec", "--test"]).args(names);
    let out = tools::run_within(&mut command, &world.path().join("suites.log"), Duration::from_secs(300));
    assert!(out.contains("ℹ fail 0") && !out.contains("ℹ pass 0"), "no test ran:\n{out}");
}

#[test]
fn the_whole_api_is_walked() {
    suites(&["api.test.mjs", "errors.test.mjs"]);
}

#[test]
fn what_is_aborted_leaves_nothing() {
    suites(&["abort.test.mjs", "forms.test.mjs"]);
}

#[test]
fn harnesses_and_workers_can_be_written() {
    suites(&["harness.test.mjs", "serve.test.mjs"]);
}

#[test]
fn the_oldest_node_will_do() {
    let node = tools::node_modules(&sources().join("oldest")).join("node/bin/node");
    suites_with(
        &node,
        &["api.test.mjs", "abort.test.mjs", "forms.test.mjs", "harness.test.mjs", "serve.test.mjs"],
    );
}

#[test]
fn the_types_say_what_is_there() {
    suites(&["types.test.mjs"]);
}

#[test]
fn the_examples_pass_the_strictest_checks_and_work() {
    let world = World::scripted(WORK);
    let project = project(&world, &["../../examples/typescript"]);
    let readme = fs::read_to_string(sources().join("README.md")).unwrap();
    let blocks: Vec<&str> =
        readme.split("```ts\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() > 3, "the README has {} examples", blocks.len());
    for (i, block) in blocks.iter().enumerate() {
        fs::write(project.join(format!("readme{i}.ts")), block).unwrap();
    }
    let config = r#"{ "compilerOptions": {
        "target": "ES2022", "lib": ["ES2022", "ESNext.Disposable"], "module": "NodeNext", "strict": true,
        "exactOptionalPropertyTypes": true, "noUncheckedIndexedAccess": true, "skipLibCheck": false, "types": ["node"],
        "outDir": "out"
    } }"#;
    fs::write(project.join("tsconfig.json"), config).unwrap();
    let limit = Duration::from_secs(120);
    let mut tsc = node(&world, &project);
    tools::run_within(tsc.arg("node_modules/typescript/bin/tsc"), &world.path().join("tsc.log"), limit);
    let mut programs: Vec<PathBuf> =
        fs::read_dir(project.join("out")).unwrap().map(|file| file.unwrap().path()).collect();
    programs.retain(|path| path.extension().is_some_and(|extension| extension == "js"));
    programs.sort();
    assert!(programs.len() > blocks.len(), "examples are missing: {programs:?}");
    for program in programs {
        let log = world.path().join("example.log");
        let printed = tools::run_within(node(&world, &project).arg(&program), &log, limit);
        assert!(!printed.trim().is_empty(), "{} prints nothing", program.display());
    }
}
