//! The published parser's behaviour, as far as the commands exist here. 0 parses, 2 is a usage error.

use super::Cli;
use clap::{CommandFactory as _, Parser as _};

const T: &str = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e";

fn parses(line: &str) -> i32 {
    // `_` stands for an empty argument and `'` quotes nothing: vectors are plain words.
    let args = line.split(' ').map(|a| {
        if a == "T" {
            T
        } else if a == "_" {
            ""
        } else {
            a
        }
    });
    match Cli::try_parse_from(std::iter::once("oz").chain(args)) {
        Ok(_) => 0,
        Err(e) => e.exit_code(),
    }
}

#[test]
fn the_definitions_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn published_vectors() {
    for (code, line) in [
        (0, "agent run -p x"),
        (0, "agent run -px"),
        (0, "agent run -p=x"),
        (0, "agent run --prompt=-x"),
        (2, "agent run -p -x"),
        (2, "agent run"),
        (2, "agent run --prompt a --saved-prompt b"),
        (0, "agent run --skill s -p x"),
        (0, "agent run --saved-prompt a --skill s"),
        (0, "agent run --task-id T --skill s --conversation c -e E"),
        (2, "agent run --task-id T -p x"),
        (2, "agent run --task-id T -f c.yaml"),
        (0, "agent r -p x"),
        (0, "agent ra -p x"),
        (0, "agent run-ambient -p x"),
        (0, "task list"),
        (0, "agent run -p x --share"),
        (0, "agent run -p x --share team --share a@b.c:edit"),
        (2, "agent run -p x --share bob"),
        (2, "agent run -p x --share team:admin"),
        (0, "agent run -p x --idle-on-complete"),
        (0, "agent run -p x --idle-on-complete 10m"),
        (0, "agent run -p x --idle-on-fail=1h30m"),
        (2, "agent run -p x --idle-on-complete 10"),
        (0, "agent run -p x --harness claude-code"),
        (0, "agent run -p x --harness gemini"),
        (0, "agent run -p x --harness open-code"),
        (2, "agent run -p x --harness Claude"),
        (2, "agent run -p x --computer-use --no-computer-use"),
        (2, "agent run -p x --model a --model b"),
        (0, "agent run -p x --mcp a --mcp {}"),
        (0, "agent run -p x --name _"),
        (0, "agent run --task-id T --skip-initial-turn --idle-on-complete"),
        (2, "agent run --skill s --skip-initial-turn --idle-on-complete"),
        (2, "agent run --task-id T --skip-initial-turn"),
        (0, "--output-format json agent run -p x --output-format text"),
        (2, "agent run -p x --output-format json --output-format text"),
        (2, "agent run -p x --output-format JSON"),
        (0, "agent run-cloud -p x --harness gemini"),
        (2, "agent run-cloud -p x --team --personal"),
        (2, "agent run-cloud -p x -e E --no-environment"),
        (2, "agent run-cloud -p x --share team"),
        (2, "agent run-cloud -p x --cwd /"),
        (2, "agent run-cloud -p x --sandboxed"),
        (2, "agent run-cloud -p x --idle-on-complete"),
        (0, "run list --state in-progress --state failed"),
        (0, "run list -L 0"),
        (0, "run list -L=-1"),
        (0, "run list --created-after 2026-01-01T00:00:00Z"),
        (2, "run list --state IN_PROGRESS"),
        (2, "run list --state in-progress,failed"),
        (2, "run list --created-after 2026-01-01"),
        (0, "run get short"),
        (0, "whoami --output-format ndjson"),
        (0, "completions zsh"),
        (2, "agent"),
        (2, "foo"),
        (2, "agent --version"),
        // Ours: the published parser has no `run cancel`.
        (0, "run cancel T"),
        // What a worker passes, in its order.
        (
            0,
            "agent run --share team:edit --task-id T --sandboxed --server-root-url http://x --model m --no-computer-use \
             --harness oz --no-snapshot --snapshot-upload-timeout 5s --idle-on-complete --session-sharing-server-url ws://x",
        ),
    ] {
        assert_eq!(parses(line), code, "oz {line}");
    }
}

#[test]
fn every_command_shows_examples() {
    fn walk(command: &clap::Command, path: &str, missing: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        if command.get_subcommands().next().is_none() && !command.is_hide_set() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            if !help.contains("Examples:") {
                missing.push(path.clone());
            }
        }
        for sub in command.get_subcommands() {
            walk(sub, &path, missing);
        }
    }
    let mut missing = Vec::new();
    walk(&Cli::command(), "", &mut missing);
    assert!(missing.is_empty(), "no examples in the help of{}", missing.join(","));
}
