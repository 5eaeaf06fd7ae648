mod commands;

use super::{PermissionLevel as Level, *};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

fn permissions(value: Value) -> Permissions {
    serde_json::from_value(value).unwrap()
}

fn run(command: &str) -> Ask {
    Ask::Execute { command: command.to_owned(), risky: false }
}

fn change(path: &str) -> Ask {
    Ask::Change { paths: vec![PathBuf::from(path)] }
}

fn asks(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Ask(_))
}

/// The vectors of the reference.
#[test]
fn lists_levels_and_completion_decide_in_their_order() {
    let rm = json!({ "command_denylist": [r"rm(\s.*)?"], "execute_commands": "always_allow" });
    assert_eq!(
        decide(&permissions(rm.clone()), &run("rm x")),
        Verdict::Ask(r"'rm x' matches 'rm(\s.*)?' of the command denylist".into()),
        "T-P1"
    );
    let mut both = permissions(rm);
    both.command_allowlist = vec![r"rm(\s.*)?".into()];
    assert!(asks(&decide(&both, &run("rm x"))), "T-P2");
    both.run_until_completion = true;
    assert_eq!(decide(&both, &run("rm x")), Verdict::Allow, "T-P3");
    both.execute_commands = Some(Level::Never);
    assert!(matches!(decide(&both, &run("rm x")), Verdict::Deny(_)));
    let ls = permissions(json!({ "command_allowlist": [r"ls(\s.*)?"], "execute_commands": "always_ask" }));
    assert_eq!(decide(&ls, &run("ls -la")), Verdict::Allow, "T-P4");
    assert!(asks(&decide(&ls, &run("lsof"))), "T-P5");
    let diffs = permissions(json!({ "apply_code_diffs": "agent_decides" }));
    assert!(asks(&decide(&diffs, &change("/w/a.rs"))), "T-P6");
    let plans = permissions(json!({ "create_plans": "never" }));
    assert!(matches!(decide(&plans, &Ask::Plan), Verdict::Deny(_)), "T-P8");
    let mcp = permissions(json!({ "mcp_allowlist": ["a"], "mcp_denylist": ["a/x", "b"] }));
    let call = |server: &str, tool: &str| {
        decide(&mcp, &Ask::Mcp { server: server.into(), tool: tool.into(), read_only: false })
    };
    assert!(asks(&call("a", "x")) && asks(&call("b", "x")), "T-P9");
    assert_eq!((call("a", "y"), call("c", "y")), (Verdict::Allow, Verdict::Allow));
}

#[test]
fn what_is_not_said_is_allowed_but_the_web_and_mcp_files() {
    let none = Permissions::default();
    for ask in [
        run("rm -rf /"),
        change("/w/a"),
        Ask::Plan,
        Ask::Question,
        Ask::Computer,
        Ask::Interact { program: "job 1".into(), first: true },
    ] {
        assert_eq!(decide(&none, &ask), Verdict::Allow, "{ask:?}");
    }
    assert!(matches!(decide(&none, &Ask::Web), Verdict::Deny(_)));
    assert!(
        asks(&decide(&none, &change("/w/.mcp.json")))
            && asks(&decide(&none, &change("/w/.codex/x/../config.toml")))
    );
    assert_eq!(decide(&none, &Ask::Read { paths: vec!["/w/.mcp.json".into()] }), Verdict::Allow);
    let unknown = permissions(json!({ "read_files": "ask_my_mother" }));
    assert!(
        asks(&decide(&unknown, &Ask::Read { paths: vec!["/w".into()] })),
        "a level of a newer version is asked"
    );
}

#[test]
fn directories_are_compared_by_their_parts() {
    let lists = permissions(json!({
        "read_files": "always_ask", "directory_allowlist": ["src", "~/notes"], "directory_denylist": ["src/keys"]
    }));
    let lists = lists.rooted("/w".as_ref(), Some("/home/me".as_ref()));
    let read =
        |paths: &[&str]| decide(&lists, &Ask::Read { paths: paths.iter().map(PathBuf::from).collect() });
    assert_eq!(read(&["/w/src/a.rs", "/home/me/notes"]), Verdict::Allow);
    for asked in [
        &["/w/src-2/a"][..],
        &["/w/src/a", "/etc/passwd"],
        &["/w/src/x/../keys/k"],
        &["/w/src/../b"],
        &["/w"],
        &[],
    ] {
        assert!(asks(&read(asked)), "{asked:?}");
    }
}

#[test]
fn an_agent_that_decides_asks_before_it_does_harm() {
    let decides = permissions(
        json!({ "execute_commands": "agent_decides", "interact_with_running_commands": "ask_on_first_write",
        "call_mcp_servers": "agent_decides" }),
    );
    for fine in ["cargo test", "git status && ls", "grep -r x . 2>/dev/null | head", "make 2>&1"] {
        assert_eq!(decide(&decides, &run(fine)), Verdict::Allow, "{fine}");
    }
    for risky in [
        "rm x",
        "git push",
        "git -C . push -f",
        "echo x > y",
        "sudo ls",
        "$X",
        "curl x | sh",
        "terraform apply",
    ] {
        assert!(asks(&decide(&decides, &run(risky))), "{risky}");
    }
    assert!(asks(&decide(&decides, &Ask::Execute { command: "ls".into(), risky: true })));
    assert!(asks(&decide(&decides, &Ask::Interact { program: "job 1".into(), first: true })));
    assert_eq!(decide(&decides, &Ask::Interact { program: "job 1".into(), first: false }), Verdict::Allow);
    let mcp = |read_only| decide(&decides, &Ask::Mcp { server: "s".into(), tool: "t".into(), read_only });
    assert_eq!((asks(&mcp(false)), mcp(true)), (true, Verdict::Allow));
}

#[test]
fn mistakes_are_named() {
    for (value, part) in [
        (
            json!({ "command_denylist": ["ls", "ok", "("] }),
            "config.permissions.command_denylist[2]: '(' is not valid",
        ),
        (json!({ "command_allowlist": ["a)|(b"] }), "config.permissions.command_allowlist[0]"),
        (json!({ "command_allowlist": [" "] }), "a text that is not empty"),
        (
            json!({ "read_files": "sometimes" }),
            "config.permissions.read_files: 'sometimes' is not valid; expected one of",
        ),
        (json!({ "read_files": "ask_on_first_write" }), "config.permissions.read_files"),
        (json!({ "secrets": "some" }), "config.permissions.secrets: 'some'"),
    ] {
        let error = permissions(value.clone()).validate("config.permissions").unwrap_err().detail;
        assert!(error.contains(part), "{value}: {error}");
    }
    let config = crate::config::AgentConfig {
        permissions: Some(permissions(json!({ "command_denylist": ["["] }))),
        ..Default::default()
    };
    assert!(config.validate().unwrap_err().detail.starts_with("config.permissions.command_denylist[0]"));
}

#[expect(clippy::needless_pass_by_value, reason = "it is written where it is called")]
fn settings(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn settings_of_profiles_become_permissions() {
    let given = settings(json!({
        "execute_commands": "AlwaysAsk", "write_to_pty": "AskOnFirstWrite", "mcp_permissions": "agent-decides", "ask_user_question": "Never",
        "web_search_enabled": true, "command_denylist": ["rm .*"], "base_model": "m", "something_new": [1], "read_files": null, "secrets": "named"
    }));
    let found = Permissions::from_settings(&given).unwrap();
    let expected = permissions(json!({
        "execute_commands": "always_ask", "interact_with_running_commands": "ask_on_first_write", "call_mcp_servers": "agent_decides",
        "ask_questions": "never", "call_web_tools": "always_allow", "command_denylist": ["rm .*"], "secrets": "named"
    }));
    assert_eq!(found, expected);
    let desktop = json!({ "agent_mode_coding_permissions": "always_allow_reading", "agent_mode_coding_file_read_allowlist": ["/a"] });
    let found = Permissions::from_settings(&settings(desktop)).unwrap();
    assert_eq!(
        (found.read_files, found.directory_allowlist),
        (Some(Level::AlwaysAllow), vec!["/a".to_owned()])
    );
    for (value, part) in [
        (
            json!({ "command_denylist": "rm" }),
            "settings.command_denylist: '\"rm\"' is not valid; expected a list of texts",
        ),
        (json!({ "run_until_completion": "yes" }), "expected true or false"),
        (json!({ "mcp_permissions": "Perhaps" }), "settings.call_mcp_servers: 'perhaps'"),
        (json!({ "command_allowlist": ["*"] }), "settings.command_allowlist[0]"),
    ] {
        let error = Permissions::from_settings(&settings(value)).unwrap_err().detail;
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_run_says_what_its_profile_does_not() {
    let own = permissions(json!({ "read_files": "never", "command_allowlist": ["a"] }));
    let profile = permissions(
        json!({ "read_files": "always_ask", "create_plans": "never", "command_allowlist": ["b"], "command_denylist": ["c"] }),
    );
    let both = json!({ "read_files": "never", "create_plans": "never", "command_allowlist": ["a"], "command_denylist": ["c"] });
    assert_eq!(own.or(&profile), permissions(both));
}

#[test]
fn leave_for_the_rest_of_a_run_covers_the_like_and_no_more() {
    let mut leave = Leave::default();
    let read = |path: &str| Ask::Read { paths: vec![path.into()] };
    let mcp = |server: &str| Ask::Mcp { server: server.into(), tool: "t".into(), read_only: false };
    let writes = |program: &str| Ask::Interact { program: program.into(), first: true };
    for granted in [
        run("cargo test && rm x"),
        run("echo $(("),
        run("echo 1 >> a"),
        change("/w/src/a.rs"),
        change("/w/.mcp.json"),
        mcp("a"),
        writes("job 1"),
        Ask::Computer,
    ] {
        assert!(!leave.covers(&granted));
        leave.grant(&granted);
        assert!(leave.covers(&granted), "{granted:?}");
    }
    for covered in [
        run("rm x"),
        run("rm x; cargo test"),
        run("echo $(("),
        change("/w/src/b.rs"),
        change("/w/src/x/../c"),
        mcp("a"),
    ] {
        assert!(leave.covers(&covered), "{covered:?}");
    }
    for other in [
        run("rm y"),
        run("rm x; ls"),
        run("rm x > y"),
        run("echo 1 >> ~/.bashrc"),
        run("echo 1"),
        run(""),
        run("echo $((1"),
        change("/w/src/deep/b.rs"),
        change("/w/b.rs"),
        change("/w/src/.mcp.json"),
        read("/w/src/a.rs"),
        mcp("b"),
        writes("job 2"),
        Ask::Web,
    ] {
        assert!(!leave.covers(&other), "{other:?}");
    }
}
