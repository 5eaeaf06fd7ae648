//! Commands that start other commands.

use super::{Part, Script, Word, bare, join, name};

/// Programs that run what a text says.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "pwsh"];
/// Programs that run the command that their arguments end with.
const WRAPPERS: &[&str] = &[
    "sudo",
    "doas",
    "env",
    "nice",
    "nohup",
    "timeout",
    "time",
    "command",
    "builtin",
    "exec",
    "stdbuf",
    "setsid",
    "ionice",
    "chroot",
    "xargs",
    "parallel",
    "watch",
    "strace",
    "ltrace",
    "su",
    "runuser",
    "unshare",
    "nsenter",
    "flock",
    "chrt",
    "taskset",
    "script",
    "busybox",
    "toybox",
    "unbuffer",
    "ssh",
    "systemd-run",
    "choom",
    "prlimit",
    "setpriv",
    "bwrap",
    "firejail",
    "faketime",
    "entr",
    "npx",
    "bunx",
    "uvx",
    "pkexec",
    "start-stop-daemon",
];
/// Those among them that hand texts to a shell.
const TEXTS: &[&str] =
    &["su", "runuser", "watch", "script", "flock", "parallel", "ssh", "entr", "xargs", "npx"];
/// Those whose first argument is no command.
const ONE_MORE: &[&str] = &["timeout", "chroot", "flock", "taskset", "ssh", "faketime"];

/// Adds to `part` and to `script` what `words` start.
pub(super) fn look(script: &mut Script, part: &mut Part, words: &[Word], depth: usize) {
    let Some((program, arguments)) = words.split_first() else { return };
    let name = name(program);
    if SHELLS.contains(&name) {
        return shell(script, name, arguments, depth);
    }
    match name {
        "eval" => text(script, arguments, depth),
        "trap" => text(script, &arguments[..arguments.len().min(1)], depth),
        "alias" => script.doubt("an alias changes what commands mean"),
        "find" | "fd" | "fdfind" => find(script, part, arguments, depth),
        _ if WRAPPERS.contains(&name) => wrapper(script, part, name, arguments, depth),
        _ => {}
    }
}

fn shell(script: &mut Script, name: &str, arguments: &[Word], depth: usize) {
    let option = |word: &Word| word.text.starts_with(['-', '+']) && word.text.len() > 1;
    let takes_text =
        |word: &Word| word.text == "--command" || (!word.text.starts_with("--") && word.text.contains('c'));
    if arguments.iter().any(|word| option(word) && takes_text(word)) {
        // What may be the value of an option is read as a text, too.
        let rest: Vec<&Word> = arguments.iter().filter(|word| !option(word)).collect();
        let bound = if arguments.iter().any(|word| word.text.contains('o')) { 2 } else { 1 };
        if rest.is_empty() {
            script.doubt("a shell is started without a text to run");
        }
        for word in rest.into_iter().take(bound) {
            text(script, std::slice::from_ref(word), depth);
        }
    } else if arguments.iter().all(option) || arguments.iter().any(|word| word.text == "-s") {
        script.doubt(&format!("'{name}' reads what it does from its input"));
    }
}

/// What a text makes a shell run.
fn text(script: &mut Script, words: &[Word], depth: usize) {
    if words.iter().any(|word| word.dynamic) {
        script.doubt("a text that a shell runs shows only when it runs");
    }
    script.add(&join(words), depth + 1);
}

fn find(script: &mut Script, part: &mut Part, arguments: &[Word], depth: usize) {
    let starts = |word: &Word| {
        ["-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"]
            .contains(&word.text.as_str())
    };
    let written =
        |word: &&Word| word.text == "-delete" || word.text.starts_with("-fprint") || word.text == "-fls";
    part.writes.extend(arguments.iter().filter(written).map(|word| word.text.clone()));
    let mut rest = arguments;
    while let Some(at) = rest.iter().position(starts) {
        rest = &rest[at + 1..];
        let end = rest.iter().position(|word| word.text == ";" || word.text == "+").unwrap_or(rest.len());
        script.command(&rest[..end], Vec::new(), depth + 1);
        rest = &rest[end..];
    }
}

fn wrapper(script: &mut Script, part: &mut Part, name: &str, arguments: &[Word], depth: usize) {
    if name == "env" && arguments.iter().any(|w| w.text.starts_with("-S") || w.text.starts_with("--split")) {
        script.doubt("'env -S' splits a text into a command");
    }
    // Which options take a value differs; so whatever could be the command counts as one when it is denied.
    for at in 0..arguments.len() {
        let inner = &arguments[at..];
        part.forms.push(join(inner));
        part.forms.extend(bare(inner));
        let program = super::name(&inner[0]);
        if at > 0 && (SHELLS.contains(&program) || ["eval", "find", "fd"].contains(&program)) {
            look(script, part, inner, depth + 1);
        }
        if TEXTS.contains(&name) && inner[0].text.contains([' ', ';', '|', '&', '\n', '$', '`']) {
            text(script, &inner[..1], depth);
        }
    }
    let plain = |word: &&Word| word.text.starts_with('-') || word.assigns();
    let mut start = arguments.iter().take_while(plain).count();
    if ONE_MORE.contains(&name) {
        start += 1;
        start += arguments.iter().skip(start).take_while(plain).count();
    }
    if let Some(inner) = arguments.get(start..).filter(|inner| !inner.is_empty()) {
        script.command(inner, Vec::new(), depth + 1);
    }
}
