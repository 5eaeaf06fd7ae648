use super::{parse, refusal};
use crate::cli::hints::HINTS;

#[test]
fn who_uses_other_words_is_told_ours() {
    for (line, hint) in [
        ("agent list --repo a/b", "oz agent skills --repo"),
        ("agent list --repo=a/b", "oz agent skills --repo"),
        ("--output-format json agent list -r a/b", "oz agent skills --repo"),
        ("agent ra -p x --cwd /", "has a workspace of its own"),
        ("agent run-cloud -p x --sandboxed", "an option of `oz agent run`"),
        ("agent run -p x --host build-1", "an option of `oz agent run-cloud`"),
        ("agent create -p x -n y", "use --prompt"),
        ("task logs T", "oz run transcript"),
        ("logs T", "oz run transcript"),
        ("run list --json", "--output-format json"),
        ("agent --version", "oz --version"),
        ("harness-support ping --run-id T", "before the command"),
        ("model list --jq .", "pipe it to jq"),
        ("schedule delete I --force", "asks nothing"),
    ] {
        let text = refusal(line).unwrap_or_default();
        assert!(text.contains("tip: ") && text.contains(hint), "{line}: {text}");
    }
}

#[test]
fn a_hint_stands_between_the_error_and_the_usage() {
    insta::assert_snapshot!(refusal("agent list --repo a/b").unwrap(), @"
    error: unexpected argument '--repo' found

      tip: skills are listed by `oz agent skills --repo OWNER/REPO`

    Usage: oz agent list [OPTIONS]

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refusal("logs").unwrap(), @"
    error: unrecognized subcommand 'logs'

      tip: use `oz run transcript RUN_ID` or `oz run watch RUN_ID`

    Usage: oz [OPTIONS] [COMMAND]

    For more information, try '--help'.
    ");
}

#[test]
fn who_is_not_helped_by_a_hint_gets_none() {
    for line in ["agent run", "run get", "run list --stat failed", "frobnicate"] {
        let text = refusal(line).unwrap();
        assert!(!text.contains("use `") && !text.contains("this is an option"), "{line}: {text}");
    }
}

#[test]
fn no_hint_is_about_a_line_that_works() {
    for (command, words, hint) in HINTS.iter().filter(|(command, ..)| !command.ends_with('*')) {
        for word in *words {
            let line = match word.strip_suffix(" *") {
                Some(flag) => format!("{command} N {flag} v"),
                None => format!("{command} {word}"),
            };
            assert_ne!(parse(&line), 0, "oz {line}");
            let text = refusal(&line).unwrap();
            assert!(text.contains(hint), "oz {line}: {text}");
        }
    }
}
