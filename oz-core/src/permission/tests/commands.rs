//! Commands, and what hides in them.

use super::*;
use proptest::prelude::*;

/// Ways to run `rm`, each of which must be seen.
const HIDDEN: &[&str] = &[
    "rm x",
    "/bin/rm x",
    "r\\m x",
    "'r'm x",
    "\"rm\" x",
    "r\"\"m x",
    "A=1 rm x",
    "ls; rm x",
    "ls && rm x",
    "ls || rm x",
    "ls | rm x",
    "ls & rm x",
    "ls\nrm x",
    "ls # a comment\nrm x",
    "r\\\nm x",
    "(rm x)",
    "{ rm x; }",
    "! rm x",
    "echo $(rm x)",
    "echo \"$(rm x)\"",
    "echo `rm x`",
    "echo \"`rm x`\"",
    "echo ${A:-$(rm x)}",
    "echo $((1 + $(rm x)))",
    "cat <(rm x)",
    "cat <<E\n$(rm x)\nE",
    "cat <<E\nx\nE\nrm x",
    "if rm x; then ls; fi",
    "while ls; do rm x; done",
    "for f in a b; do rm x; done",
    "for f do rm x; done",
    "case a in a) rm x;; esac",
    "f() { rm x; }; f",
    "function f { rm x; }; f",
    "sudo rm x",
    "sudo -u root rm x",
    "env A=1 rm x",
    "timeout 5 rm x",
    "timeout -s KILL 5 rm x",
    "xargs rm",
    "xargs -n 1 rm x",
    "nice -n 5 nohup rm x",
    "command rm x",
    "exec rm x",
    "find . -name x -exec rm {} ;",
    "find . -exec rm {} +",
    "sh -c 'rm x'",
    "bash -lc 'ls; rm x'",
    "bash -o pipefail -c 'rm x'",
    "sudo -u root sh -c 'cd /; rm x'",
    "eval 'rm x'",
    "eval rm x",
    "trap 'rm x' EXIT",
    "> f rm x",
    "2>&1 rm x",
    "ls > f; rm x",
    "ls &> f; rm x",
    "rm",
    "$(echo rm) x",
    "$R x",
    "r$E x",
    "{rm,x}",
    "echo x | sh",
    "sh <<E\nrm x\nE",
    "eval \"$X\"",
    "sh -c \"$X\"",
    "alias ls=rm; ls x",
    "env -S 'rm x'",
    "su -c 'rm x'",
    "watch 'rm x'",
    "time rm x",
    "if true; then (cd a && rm x); fi",
    "echo $'a'; rm x",
    "[ -f x ] && rm x",
    "[[ -f x ]] && rm x",
    "a=(rm x)",
    "echo 'open",
    "ls $(",
    "ssh host rm x",
    "ssh host 'cd /; rm x'",
    "~/bin/rm x",
    "r*m x",
];

#[test]
fn a_denied_command_is_found_wherever_it_hides() {
    let mut all = permissions(json!({ "command_denylist": [r"rm(\s.*)?"], "command_allowlist": [".*"] }));
    for command in HIDDEN {
        assert!(asks(&decide(&all, &run(command))), "{command:?}: {:?}", shell::read(command));
    }
    for fine in [
        "ls",
        "echo rm",
        "echo 'rm x'",
        "grep rm f",
        "firm x",
        "echo \"a; rm x\"",
        "ls # rm x",
        "cat <<'E'\n$(rm x)\nE",
        "cargo test -- --nocapture 2>&1 | tail -5",
        "cd \"$HOME\" && ls -l *.rs",
        "for f in *; do echo $f; done",
        "a=1",
        "./rm.sh",
        "git rm x",
        "test $((1 + 2)) = 3",
        "echo ${A%rm}",
        "make -j4 && ./run --x=y",
        "python3 - <<'E'\nprint(1)\nE\nls",
    ] {
        assert_eq!(decide(&all, &run(fine)), Verdict::Allow, "{fine:?}: {:?}", shell::read(fine));
    }
    all.command_denylist.clear();
    assert_eq!(decide(&all, &run("rm x")), Verdict::Allow);
}

#[test]
fn an_allowed_command_brings_nothing_else_along() {
    let list = json!([r"ls(\s.*)?", r"find .*", r"echo(\s.*)?", r"sudo(\s.*)?", r"sh(\s.*)?"]);
    let allow = permissions(json!({ "execute_commands": "always_ask", "command_allowlist": list }));
    for fine in [
        "ls -la",
        "ls && echo done",
        "ls | ls",
        "find . -name '*.rs'",
        "sudo ls",
        "echo $(ls)",
        "sh -c 'ls; echo x'",
        "ls 2>/dev/null",
        "if ls; then echo x; fi",
    ] {
        assert_eq!(decide(&allow, &run(fine)), Verdict::Allow, "{fine}: {:?}", shell::read(fine));
    }
    for asked in [
        "false",
        "ls; cat x",
        "ls $(cat x)",
        "ls `cat x`",
        "find . -exec cat {} ;",
        "find . -delete",
        "echo x > y",
        "echo x >> ~/.bashrc",
        "sudo cat x",
        "LD_PRELOAD=x ls",
        "ls <(cat x)",
        "sh -c 'cat x'",
        "ls\ncat x",
        "ls & cat x",
        "PATH=.; ls",
        "",
        "ls 'x",
        "> y",
        "cat <<E\n$(ls)\nE",
        "sh",
    ] {
        assert!(asks(&decide(&allow, &run(asked))), "{asked:?}: {:?}", shell::read(asked));
    }
}

fn level() -> impl Strategy<Value = Option<Level>> {
    prop::sample::select(vec![
        None,
        Some(Level::AgentDecides),
        Some(Level::AlwaysAsk),
        Some(Level::AlwaysAllow),
    ])
}

/// Puts a command into another, in a way that still runs it.
fn around(command: &str, way: usize) -> String {
    match way {
        0 => format!("ls; {command}"),
        1 => format!("( {command})"),
        2 => format!("echo $( {command})"),
        3 => format!("ls && {command} | cat"),
        4 => format!("if ls; then {command}; fi"),
        5 => format!("sudo {command}"),
        6 => format!("sh -c '{}'", command.replace('\'', r"'\''")),
        7 => format!("ls\n{command}\nls"),
        8 => format!("A=1 env B=2 {command}"),
        9 => format!("cat <<E\n$( {command})\nE"),
        10 => format!("echo \"`{}`\"", command.replace('\\', "\\\\").replace('`', "\\`").replace('$', "\\$")),
        _ => format!("{{ {command}\n}} 2>/dev/null"),
    }
}

proptest! {
    #[test]
    fn deny_beats_allow(execute in level(), ways in prop::collection::vec(0_usize..12, 0..5), denied in "q[a-z]{2,5}") {
        let permissions = Permissions {
            execute_commands: execute,
            command_allowlist: vec![".*".into()],
            command_denylist: vec![format!(r"{denied}(\s.*)?")],
            ..Permissions::default()
        };
        let command = ways.iter().fold(format!("{denied} x"), |command, way| around(&command, *way));
        prop_assert!(asks(&decide(&permissions, &run(&command))), "{command}");
    }

    #[test]
    fn any_text_is_decided_and_never_is_never(text in "[ a-z$(){}`'\"\\\\;&|<>#\n=*!-]{0,40}", until in any::<bool>()) {
        let never = Permissions { execute_commands: Some(Level::Never), run_until_completion: until,
            command_allowlist: vec![".*".into()], ..Permissions::default() };
        prop_assert!(matches!(decide(&never, &run(&text)), Verdict::Deny(_)));
        let deny = Permissions { command_denylist: vec!["(?s).*".into()], ..Permissions::default() };
        let found = shell::read(&text);
        prop_assert!(asks(&decide(&deny, &run(&text))) || (found.parts.is_empty() && found.unclear.is_none()), "{found:?}");
    }
}
