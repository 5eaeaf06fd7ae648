//! `cargo xtask test`: the end-to-end tests need the real `oz`, which `cargo test` alone would not build, and a
//! PostgreSQL server.

use crate::{Outcome, built, cargo, npm, postgres::Postgres, static_oz, wheel};

/// Stories, and cases of the protocol, whose outcome does not depend on where records are kept, or that choose PostgreSQL
/// themselves.
const ONE_ENGINE: &[&str] = &[
    "command_backend::",
    "deploy::",
    "docker::",
    "foreign::",
    "frontends::",
    "kubernetes::",
    "mcp::",
    "models::",
    "openapi::",
    "python::",
    "quickstart::",
    "replicas::",
    "schedules::a_day",
    "tasks::",
    "telemetry::",
    "typescript::",
    "the_worker_keeps_to_the_protocol",
    "two_thousand_workers",
];

/// Builds `oz`, also as a static program, starts PostgreSQL and runs every test; then the stories and the suite of the
/// protocol once more with their records in PostgreSQL.
pub(crate) fn run(args: &[String]) -> Outcome {
    // The whole workspace: a package alone has other features, and would be compiled once more for the tests.
    crate::run(&mut cargo(&["build", "--workspace"]))?;
    // It takes minutes, and only stories about containers need it.
    let static_oz = if asks(args, &["docker"]) { Some(static_oz::build()?) } else { None };
    let npm =
        if asks(args, &["typescript", "frontends"]) { Some(npm::package(npm::Build::Dev)?) } else { None };
    let wheel =
        if asks(args, &["python", "frontends"]) { Some(wheel::package(npm::Build::Dev)?) } else { None };
    let postgres = Postgres::start()?;
    let test = |args: &[&str]| {
        let mut test = cargo(&["test"]);
        test.args(args).env("OZ_BIN", built("debug").join("oz")).env("OZ_TEST_POSTGRES", &postgres.url);
        test.envs(static_oz.iter().map(|path| ("OZ_STATIC_BIN", path)));
        test.envs(npm.iter().map(|path| ("OZ_NPM_PACKAGE", path)));
        test.envs(wheel.iter().map(|path| ("OZ_WHEEL", path)));
        test
    };
    crate::run(test(&["--workspace"]).args(args))?;
    if !args.is_empty() {
        return Ok(());
    }
    let mut stories = test(&["--workspace", "--test", "stories", "--test", "conformance", "--"]);
    for name in ONE_ENGINE {
        stories.args(["--skip", name]);
    }
    crate::run(stories.env("OZ_TEST_ENGINE", "postgres"))
}

/// Whether these arguments ask for all tests, or for some of these stories.
fn asks(args: &[String], stories: &[&str]) -> bool {
    let named = |arg: &String| stories.iter().any(|story| arg.contains(story));
    args.iter().all(|arg| arg.starts_with('-')) || args.iter().any(named)
}
