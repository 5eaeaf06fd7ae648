//! What scripts rely on whatever the command: exit codes, what goes to which stream, completions and manual pages.

use oz_tests::{Oz, world::oz_binary};
use std::{path::Path, process::Command};

/// `oz` in a home of its own, with no control plane and nothing of the caller's environment.
fn oz(home: &Path, env: &[(&str, &str)], args: &[&str]) -> Oz {
    let mut command = Command::new(oz_binary());
    command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(env.iter().copied()).args(args).current_dir(home).output().unwrap().into()
}

#[test]
fn exit_codes_and_streams() {
    let home = tempfile::tempdir().unwrap();
    // Arguments, exit code, what is on standard output, what is on standard error; an empty text means nothing at all.
    let cases: &[(&[&str], i32, &str, &str)] = &[
        (&[], 0, "Usage: oz", ""),
        (&["--help"], 0, "Usage: oz", ""),
        (&["-h"], 0, "Usage: oz", ""),
        (&["help"], 0, "Usage: oz", ""),
        (&["help", "agent", "run"], 0, "Usage: oz agent run", ""),
        (&["help", "run", "message", "send"], 0, "Usage: oz run message send", ""),
        (&["agent", "help", "run-cloud"], 0, "Usage: oz agent run-cloud", ""),
        (&["agent", "run", "--help"], 0, "Usage: oz agent run", ""),
        (&["--version"], 0, "Oz ", ""),
        (&["-V"], 0, "Oz ", ""),
        (&["agent", "--version"], 2, "", "tip: use `oz --version`"),
        (&["agent"], 2, "", "Usage: oz agent"),
        (&["run"], 2, "", "Usage: oz run"),
        (&["run", "message"], 2, "", "Usage: oz run message"),
        (&["artifact"], 2, "", "Usage: oz artifact"),
        (&["harness-support"], 2, "", "Usage: oz harness-support"),
        (&["agent", "run"], 2, "", "For more information, try '--help'."),
        (&["agent", "list", "--repo", "a/b"], 2, "", "tip: skills are listed by `oz agent skills"),
        (&["run", "list", "--jq", "["], 2, "", "invalid jq filter `[`"),
        (&["run", "list", "--output-format", "yaml"], 2, "", "possible values: pretty, json, ndjson, text"),
        (&["run", "list"], 1, "", "You are not logged in"),
        (&["run", "list", "--output-format", "json"], 1, "", "You are not logged in"),
        (&["whoami"], 1, "", "You are not logged in"),
        (&["artifact", "get", "x"], 1, "", "You are not logged in"),
        (&["harness-support", "--run-id", "bad", "ping"], 1, "", "Error: Invalid OZ_RUN_ID 'bad'"),
        (&["logout"], 0, "", ""),
        (&["agent", "run", "-p", " ", "--offline"], 1, "", "--prompt: it is empty"),
        (&["agent", "run", "-p", "x", "--offline", "-C", "/nope"], 1, "", "--cwd '/nope': there is no such"),
        (
            &["agent", "run", "-p", "x", "--offline", "-C", "/dev/null"],
            1,
            "",
            "--cwd '/dev/null': it is a file",
        ),
        (
            &["agent", "run", "-p", "x", "--offline", "--mcp", "./x.json"],
            1,
            "",
            "there is no file './x.json'",
        ),
        (&["agent", "run", "-p", "x", "--offline", "--max-cost", "-1"], 1, "", "max_cost_usd"),
        (&["agent", "run", "-p", "x", "--offline", "--share"], 2, "", "'--share [<RECIPIENT>]'"),
        (&["agent", "run", "-p", "x", "--share", "bob"], 2, "", "can't share with 'bob'"),
        (&["agent", "run", "-p", "x", "--share", "public:view"], 1, "", "--share public:view: this version"),
        (&["agent", "run", "-p", "x", "--share", "team"], 1, "", "--share needs a control plane"),
        (&["agent", "run", "-i"], 1, "", "--interactive needs a terminal"),
    ];
    for (args, code, stdout, stderr) in cases {
        let out = oz(home.path(), &[], args);
        let shown = format!("oz {args:?}: {}\n{}---\n{}", out.code, out.stdout, out.stderr);
        assert_eq!(out.code, *code, "{shown}");
        let holds =
            |text: &str, part: &str| if part.is_empty() { text.is_empty() } else { text.contains(part) };
        assert!(holds(&out.stdout, stdout) || args == &["logout"], "{shown}");
        assert!(holds(&out.stderr, stderr), "{shown}");
    }
}

#[test]
fn who_is_not_logged_in_reads_one_plain_line() {
    let home = tempfile::tempdir().unwrap();
    let out = oz(home.path(), &[], &["run", "list"]);
    assert_eq!(
        (out.stderr.lines().count(), out.stderr.starts_with("You are not")),
        (1, true),
        "{}",
        out.stderr
    );
}

#[test]
fn variables_are_checked_like_flags() {
    let home = tempfile::tempdir().unwrap();
    for (name, value, args, expected) in [
        ("WARP_OUTPUT_FORMAT", "yaml", &["run", "list"][..], "possible values"),
        ("WARP_OUTPUT_FORMAT", "", &["run", "list"], "--output-format"),
        ("WARP_AGENT_CONFIG_FILE", "", &["agent", "run"], "--file <PATH>"),
        ("OZ_RUN_ID", "", &["harness-support", "ping"], "Invalid OZ_RUN_ID ''"),
    ] {
        let out = oz(home.path(), &[(name, value)], args);
        assert_eq!(
            (out.code, out.stderr.contains(expected)),
            (if name == "OZ_RUN_ID" { 1 } else { 2 }, true),
            "{name}: {}",
            out.stderr
        );
    }
}

#[test]
fn every_shell_has_completions_and_the_own_one_needs_no_name() {
    let home = tempfile::tempdir().unwrap();
    for (shell, part) in [
        ("bash", "complete -F _oz"),
        ("elvish", "edit:completion:arg-completer[oz]"),
        ("fish", "complete -c oz"),
        ("powershell", "Register-ArgumentCompleter"),
        ("zsh", "#compdef oz"),
    ] {
        let script = oz(home.path(), &[], &["completions", shell]).success();
        assert!(script.contains(part) && script.contains("run-cloud"), "{shell}");
        let path = format!("/usr/bin/{shell}");
        assert_eq!(oz(home.path(), &[("SHELL", &path)], &["completions"]).success(), script, "{shell}");
    }
    for shell in [&[][..], &[("SHELL", "/bin/csh")]] {
        let out = oz(home.path(), shell, &["completions"]);
        assert_eq!((out.code, out.stdout.as_str()), (1, ""), "{}", out.stderr);
        assert!(out.stderr.contains("oz completions bash|elvish|fish|powershell|zsh"), "{}", out.stderr);
    }
}

#[test]
fn manual_pages_are_written() {
    let home = tempfile::tempdir().unwrap();
    let page = oz(home.path(), &[], &["man"]).success();
    assert!(page.contains(".TH oz 1") && page.contains("quickstart"), "{page}");
    let _ = oz(home.path(), &[], &["man", "share/man1"]).success();
    for name in ["oz.1", "oz-doctor.1", "oz-agent-run.1", "oz-run-message-send.1"] {
        assert!(home.path().join("share/man1").join(name).is_file(), "{name}");
    }
    let out = oz(home.path(), &[], &["man", "/dev/null/x"]);
    assert_eq!((out.code, out.stderr.contains("/dev/null/x")), (1, true), "{}", out.stderr);
}

#[test]
fn what_a_report_of_a_bug_needs_holds_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let env = [
        ("OZ_API_KEY", "wk-1.secret"),
        ("ANTHROPIC_API_KEY", "sk-secret"),
        ("OZ_SERVER_URL", "http://me:secret@127.0.0.1:1"),
    ];
    for format in ["json", "ndjson", "text", "pretty"] {
        let text = oz(home.path(), &env, &["dump-debug-info", "--output-format", format]).success();
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains("127.0.0.1:1") && text.contains("ANTHROPIC_API_KEY"), "{text}");
        assert!(text.contains("login.json"), "{text}");
    }
}

#[test]
fn servers_that_do_not_start_are_told_of_and_end_a_strict_run() {
    let home = tempfile::tempdir().unwrap();
    let script = home.path().join("script.yaml");
    std::fs::write(&script, "scripts: [{ match: x, turns: [{ text: done }] }]").unwrap();
    let env = [("OZ_SCRIPTED_MODEL", script.to_str().unwrap())];
    let run = |more: &[&str]| {
        let args = ["agent", "run", "-p", "x", "--offline", "--model", "scripted", "--output-format", "json"];
        oz(home.path(), &env, &[&args[..], more].concat())
    };
    let missing = ["--mcp", r#"{"a": {"command": "no-such-server"}}"#];
    let silent =
        ["--mcp", r#"{"a": {"command": "sleep", "args": ["60"]}}"#, "--mcp-startup-timeout", "500ms"];
    for (servers, why) in [(&missing[..], "can't be started"), (&silent[..], "did not start within 500ms")] {
        for (strict, code, state) in [(&[][..], 0, "SUCCEEDED"), (&["--strict-mcp-startup"][..], 1, "FAILED")]
        {
            let out = run(&[servers, strict].concat());
            let shown = format!("{}---\n{}", out.stdout, out.stderr);
            assert_eq!(out.code, code, "{shown}");
            let line = out.stdout.lines().find(|line| line.contains("stage_failed")).expect(&shown);
            assert!(line.contains(r#""stage":"mcp_server_startup""#) && line.contains(why), "{shown}");
            assert!(out.stdout.lines().last().unwrap().contains(state), "{shown}");
            assert_eq!(out.stdout.contains("environment_setup_failed"), code == 1, "{shown}");
        }
    }
}

#[test]
fn a_prompt_may_come_from_standard_input() {
    let home = tempfile::tempdir().unwrap();
    let script = home.path().join("script.yaml");
    std::fs::write(&script, "scripts: [{ match: from a file, turns: [{ text: read }] }]").unwrap();
    std::fs::write(home.path().join("task.md"), "It is from a file.\n").unwrap();
    let mut command = Command::new(oz_binary());
    command.env_clear().env("HOME", home.path()).env("OZ_SCRIPTED_MODEL", &script).current_dir(home.path());
    command.stdin(std::fs::File::open(home.path().join("task.md")).unwrap());
    let out: Oz = command
        .args(["agent", "run", "-p", "-", "--offline", "--model", "scripted"])
        .output()
        .unwrap()
        .into();
    assert_eq!(out.success().trim(), "read");
}
