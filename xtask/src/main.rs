//! Developer commands: `cargo xtask tidy|codegen|test|bench|package|conformance|ci`. Everything that CI does runs here the same way.

mod bench;
mod ci;
mod codegen;
mod conformance;
mod npm;
mod package;
mod postgres;
mod static_oz;
mod test;
mod tidy;
mod wheel;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const USAGE: &str = "cargo xtask COMMAND

  ci                  everything that CI checks: format, lints, tidy, tests, docs
  test [ARGS…]        build `oz`, then run every test; ARGS go to `cargo test`
  tidy                house rules that the compiler does not know, and whether generated files are fresh
  codegen [--check]   write docs/reference from the tables in oz-core; --check only compares
  bench [NAMES…]      release build, then the benchmarks: startup lifecycles dispatch lists memory worker agent harness
                      of the packages beside the published ones, by name only: sdk-node sdk-python sdk-crossing
  package [--dev] [NAMES…]
                      the packages for other languages: node python; --dev as tests want them
  conformance ARGS…   the suite of the worker protocol against any control plane or worker; without ARGS it says how";

/// What a command answers.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let (command, rest) = args.split_first().map_or(("", &args[..]), |(c, rest)| (c.as_str(), rest));
    let outcome = match command {
        "ci" => ci::run(),
        "test" => test::run(rest),
        "tidy" => tidy::run(),
        "codegen" => codegen::run(rest.iter().any(|a| a == "--check")),
        "bench" => bench::run(rest),
        "package" => package::run(rest),
        "conformance" => conformance::run(rest),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            say(&e);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "this is what a developer reads")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| ".".into(), Path::to_owned)
}

/// A cargo command in the repository.
fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs a command; its failure is ours.
fn run(command: &mut Command) -> Outcome {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown} failed: {status}")),
        Err(e) => Err(format!("{shown} could not be started: {e}")),
    }
}

/// The directory of a build profile.
fn built(profile: &str) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join(profile)
}
