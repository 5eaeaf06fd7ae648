//! What to use in place of what the parser refuses: words of other tools, of older versions and of the published pages.

use super::Cli;
use clap::{
    Command, CommandFactory as _, Error,
    builder::StyledStr,
    error::{ContextKind, ContextValue},
};

/// The command, the word that it refuses or misses, and what to use. `*` at the end of the command stands for any words;
/// `--flag *` for what follows a flag that takes no value.
pub(super) const HINTS: &[(&str, &[&str], &str)] = &[
    ("", &["logs", "log"], "use `oz run transcript RUN_ID` or `oz run watch RUN_ID`"),
    ("", &["ps", "list", "jobs"], "use `oz run list`"),
    ("", &["cancel", "stop", "kill"], "use `oz run cancel RUN_ID`"),
    ("", &["status", "check", "info"], "use `oz doctor`, or `oz run get RUN_ID` for a run"),
    ("", &["start", "server", "up"], "use `oz serve` to host a control plane"),
    ("", &["workers"], "use `oz doctor --server-only` to see them, `oz worker` to start one"),
    ("", &["init", "setup", "demo"], "use `oz quickstart`"),
    ("", &["auth", "signin"], "use `oz login`"),
    ("", &["version"], "use `oz --version`"),
    ("", &["skill", "skills"], "use `oz agent skills`"),
    ("", &["profile", "profiles"], "use `oz agent profile list`"),
    ("", &["image", "images"], "use `oz environment image list`"),
    ("", &["message", "messages"], "use `oz run message`"),
    ("", &["conversation"], "use `oz run conversation get CONVERSATION_ID`"),
    ("agent", &["stop", "cancel", "kill"], "use `oz run cancel RUN_ID`"),
    ("agent", &["runs"], "use `oz run list`"),
    ("agent list", &["--repo", "-r"], "skills are listed by `oz agent skills --repo OWNER/REPO`"),
    ("agent create", &["-p"], "use --prompt"),
    ("agent delete", &["--force"], "it asks nothing; leave --force away"),
    ("agent run", &["--wait", "--follow"], "`oz agent run` always stays until the end of the run"),
    (
        "agent run",
        &["--host", "--attach", "--agent", "--title", "--no-environment", "--runner", "--parent-run-id"],
        "this is an option of `oz agent run-cloud`",
    ),
    ("agent run", &["--team", "--personal"], "this is an option of `oz agent run-cloud`"),
    (
        "agent run-cloud",
        &["--cwd", "-C"],
        "a run on a worker has a workspace of its own: see --repo and --environment, or use `oz agent run`",
    ),
    (
        "agent run-cloud",
        &["--share"],
        "the team sees every run that is not --personal; sessions are shared by `oz agent run`",
    ),
    (
        "agent run-cloud",
        &["--profile", "--sandboxed", "--task-id", "--idle-on-complete", "--idle-on-fail", "--offline"],
        "this is an option of `oz agent run`",
    ),
    ("run", &["stop", "kill", "delete", "abort"], "use `oz run cancel RUN_ID`"),
    ("run", &["logs", "log", "output"], "use `oz run transcript RUN_ID`"),
    ("run", &["show", "status", "describe"], "use `oz run get RUN_ID`"),
    ("run", &["create", "start", "new"], "use `oz agent run-cloud`"),
    ("run", &["-p", "--prompt"], "use `oz agent run` or `oz agent run-cloud`"),
    ("schedule create", &["-n"], "use --name"),
    ("schedule delete", &["--force"], "it asks nothing; leave --force away"),
    ("secret list", &["--team", "--personal"], "it lists every secret that you can see; leave the flag away"),
    ("secret update", &["--value *"], "--value asks for the value; --value-file reads it from a file"),
    ("federate", &["list"], "tokens are not kept; use `oz federate issue-token`"),
    ("federate issue-token", &["--run-id"], "inside a run, pass --run-id \"$OZ_RUN_ID\""),
    ("model list", &["--jq"], "use --output-format json and pipe it to jq"),
    ("harness-support", &["--run-id"], "set OZ_RUN_ID, or pass --run-id before the command"),
    (
        "harness-support *",
        &["--run-id"],
        "it stands before the command: `oz harness-support --run-id RUN_ID …`",
    ),
    ("*", &["--json"], "use --output-format json"),
    ("*", &["--format"], "use --output-format"),
    ("*", &["--server", "--url"], "use --server-root-url or OZ_SERVER_URL"),
    ("*", &["--token", "--key"], "use --api-key or OZ_API_KEY"),
    ("*", &["--version", "-V"], "use `oz --version`"),
];

/// The error of the parser over these words, without the program's name, with what to use instead where that is known.
pub(crate) fn explain(mut error: Error, words: &[String]) -> Error {
    let Some(hint) = find(&error, words) else { return error };
    for guess in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedCommand]
    {
        error.remove(guess);
    }
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(hint)]));
    error
}

fn find(error: &Error, words: &[String]) -> Option<&'static str> {
    let wrong = refused(error);
    let command = command(words);
    let after = |word: &str| {
        let place = words.iter().position(|other| other == word)?;
        words.get(place.checked_sub(1)?)
    };
    let is_meant = |known: &str| {
        wrong.iter().any(|word| match known.strip_suffix(" *") {
            Some(flag) => after(word).is_some_and(|before| before == flag),
            None => word == known,
        })
    };
    let row = HINTS.iter().find(|(of, known, _)| covers(of, &command) && known.iter().any(|k| is_meant(k)));
    row.map(|(.., hint)| *hint)
}

/// The words that the parser names: flags without their values.
fn refused(error: &Error) -> Vec<String> {
    let named = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand]
        .into_iter()
        .filter_map(|kind| error.get(kind));
    let words = named.flat_map(|value| match value {
        ContextValue::String(word) => vec![word.clone()],
        ContextValue::Strings(words) => words.clone(),
        _ => Vec::new(),
    });
    words.map(|word| word.split([' ', '=']).next().unwrap_or_default().to_owned()).collect()
}

fn covers(pattern: &str, command: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => command.starts_with(start),
        None => pattern == command,
    }
}

/// The command that these words lead to, by its full name.
fn command(words: &[String]) -> String {
    let mut oz = Cli::command();
    oz.build();
    let (mut at, mut names) = (&oz, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word.starts_with('-') {
            if takes_next(at, word) {
                words.next();
            }
        } else if let Some(sub) = at.find_subcommand(word) {
            names.push(sub.get_name());
            at = sub;
        } else {
            break;
        }
    }
    names.join(" ")
}

/// Whether the word after this flag is its value.
fn takes_next(command: &Command, flag: &str) -> bool {
    let takes = |arg: &clap::Arg| {
        arg.get_action().takes_values() && arg.get_num_args().is_none_or(|n| n.min_values() > 0)
    };
    command.get_arguments().filter(|arg| takes(arg)).any(|arg| {
        let long = arg.get_long_and_visible_aliases().unwrap_or_default();
        long.iter().any(|long| flag.strip_prefix("--") == Some(long))
            || arg
                .get_short()
                .is_some_and(|short| flag.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4])))
    })
}
