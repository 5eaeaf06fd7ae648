//! `cargo xtask test`: the end-to-end tests need the real `oz`, which `cargo test` alone would not build, and a
//! PostgreSQL server.

use crate::{Outcome, built, cargo, postgres::Postgres, static_oz};

/// Stories, and cases of the protocol, whose outcome does not depend on where records are kept, or that choose PostgreSQL
/// themselves.
const ONE_ENGINE: &[&str] = &[
    "command_backend::",
    "deploy::",
    "docker::",
    "foreign::",
    "kubernetes::",
    "mcp::",
    "models::",
    "openapi::",
    "quickstart::",
    "replicas::",
    "schedules::a_day",
    "tasks::",
    "telemetry::",
    "the_worker_keeps_to_the_protocol",
    "two_thousand_workers",
];

/// Builds `oz`, also as a static program, starts PostgreSQL and runs every test; then the stories and the suite of the
/// protocol once more with their records in PostgreSQL.
pub(crate) fn run(args: &[String]) -> Outcome {
    crate::run(&mut cargo(&["build", "--package", "oz-cli"]))?;
    // It takes minutes, and only stories about containers need it.
    let wanted = args.iter().all(|arg| arg.starts_with('-')) || args.iter().any(|arg| arg.contains("docker"));
    let static_oz = if wanted { Some(static_oz::build()?) } else { None };
    let postgres = Postgres::start()?;
    let test = |args: &[&str]| {
        let mut test = cargo(&["test"]);
        test.args(args).env("OZ_BIN", built("debug").join("oz")).env("OZ_TEST_POSTGRES", &postgres.url);
        test.envs(static_oz.iter().map(|path| ("OZ_STATIC_BIN", path)));
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
