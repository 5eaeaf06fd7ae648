//! Every command line of the published documentation: it parses, or the refusal says what is wrong or what to use
//! instead. `documented.txt` holds the lines with what is expected; where the pages lie beside the repository, it is held
//! against them.

use super::{parse, refusal};
use crate::cli::Cli;
use clap::{
    Parser as _,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const LINES: &str = include_str!("documented.txt");

/// The published commands, so that prose about `oz` is not taken for a command line.
const COMMANDS: &[&str] = &[
    "agent",
    "api-key",
    "artifact",
    "completions",
    "e",
    "environment",
    "federate",
    "harness-support",
    "i",
    "integration",
    "login",
    "logout",
    "mcp",
    "memory",
    "memory-store",
    "model",
    "provider",
    "run",
    "runner",
    "schedule",
    "secret",
    "task",
    "whoami",
];

/// What a line of the file expects.
#[derive(Debug, PartialEq)]
enum Verdict<'a> {
    /// It parses.
    Ok,
    /// It is refused with this in the text.
    Refused(&'a str),
    /// Running text goes on after the command.
    Prose,
}

/// The lines of the file with their verdicts.
fn expected() -> Vec<(&'static str, Verdict<'static>)> {
    let lines = LINES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = |line: &'static str| {
        let (words, verdict) = line.rsplit_once("  # ").unwrap_or_else(|| panic!("no verdict: {line}"));
        let verdict = match verdict.split_once(": ") {
            None if verdict == "ok" => Verdict::Ok,
            None if verdict == "prose" => Verdict::Prose,
            Some(("refused", part)) => Verdict::Refused(part),
            _ => panic!("'{verdict}' is no verdict: {line}"),
        };
        (words, verdict)
    };
    lines.map(read).collect()
}

#[test]
fn every_documented_line_parses_or_says_what_to_use() {
    let mut wrong = Vec::new();
    for (line, verdict) in expected() {
        let words = line.strip_prefix("oz ").unwrap();
        let filled = filled(words);
        match verdict {
            Verdict::Ok if parse(&filled) != 0 => {
                wrong.push(format!("oz {filled}: {}", refusal(&filled).unwrap_or_default()));
            }
            Verdict::Refused(part) => match refusal(&filled) {
                None => wrong.push(format!("{line}: it parses")),
                Some(text) if !text.contains(part) => wrong.push(format!("{line}: {text}")),
                Some(_) => {}
            },
            Verdict::Ok | Verdict::Prose => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The line with something in the places that the pages leave to the reader, and lose in their plain text.
fn filled(line: &str) -> String {
    let mut words = shlex::split(line).unwrap();
    for _ in 0..20 {
        let Err(error) = Cli::try_parse_from(std::iter::once("oz").chain(words.iter().map(String::as_str)))
        else {
            break;
        };
        let named: Vec<String> = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(arg)) => vec![arg.clone()],
            Some(ContextValue::Strings(args)) => args.clone(),
            _ => break,
        };
        let no_value = matches!(error.get(ContextKind::InvalidValue), None | Some(ContextValue::String(_)))
            && error.kind() == ErrorKind::InvalidValue;
        match error.kind() {
            ErrorKind::InvalidValue if no_value => {
                let flag = named[0].split(' ').next().unwrap_or_default().to_owned();
                let bare = (0..words.len())
                    .find(|&i| words[i] == flag && words.get(i + 1).is_none_or(|next| next.starts_with('-')));
                let Some(bare) = bare else { break };
                words.insert(bare + 1, "X".to_owned());
            }
            // What is missing has a place of its own and no flag.
            ErrorKind::MissingRequiredArgument
                if named.iter().all(|arg| arg.starts_with('<') && !arg.contains("--")) =>
            {
                words.push("X".to_owned());
            }
            _ => break,
        }
    }
    shlex::try_join(words.iter().map(String::as_str)).unwrap()
}

#[test]
fn the_file_has_every_line_of_the_pages() {
    let Some(folder) = pages() else { return };
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            found.extend(command_lines(&fs::read_to_string(&path).unwrap()));
        }
    }
    let listed: BTreeSet<String> = expected().into_iter().map(|(line, _)| line.to_owned()).collect();
    let missing: Vec<_> = found.difference(&listed).map(String::as_str).collect();
    let gone: Vec<_> = listed.difference(&found).map(String::as_str).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "missing:\n{}\ngone:\n{}",
        missing.join("\n"),
        gone.join("\n")
    );
}

/// The published pages: in `OZ_SHARED_DIR`, or beside the repository.
fn pages() -> Option<PathBuf> {
    let shared = match std::env::var_os("OZ_SHARED_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
    };
    Some(shared.join("seeds")).filter(|folder| folder.is_dir())
}

/// The command lines in a page. Their plain text has lost line breaks: several commands stand in a line, with comments
/// between them and `\` where one went on.
fn command_lines(page: &str) -> BTreeSet<String> {
    page.lines()
        .flat_map(|line| starts(line).into_iter().filter_map(move |start| command_line(line, start)))
        .collect()
}

/// Where command lines begin.
fn starts(line: &str) -> Vec<usize> {
    let begins =
        |at: usize| line[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || "`(\"".contains(c));
    let is_command = |at: usize| {
        let word = line[at + 3..].split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next();
        COMMANDS.contains(&word.unwrap_or_default())
    };
    line.match_indices("oz ").map(|(at, _)| at).filter(|&at| begins(at) && is_command(at)).collect()
}

/// The command line that begins there.
fn command_line(line: &str, start: usize) -> Option<String> {
    let rest = &line[start..];
    let next = starts(line).into_iter().find(|&next| next > start).map_or(rest.len(), |next| next - start);
    let end = ["`", " # ", " | ", "**"].iter().filter_map(|end| rest.find(end)).fold(next, usize::min);
    let bare = rest[..end].replace(['[', ']'], "");
    let text = bare
        .split_whitespace()
        .filter(|word| !matches!(*word, "\\" | "..." | "…"))
        .collect::<Vec<_>>()
        .join(" ");
    // A quotation that does not end here was cut.
    let words = shlex::split(text.trim_end_matches(['.', ',', ';', ':', ')']))?;
    // What prompts and descriptions say is the pages' own and does not matter here.
    let shown = words.iter().map(|word| match word.as_str() {
        "" => "''",
        word if word.contains(' ') => "TEXT",
        word => word,
    });
    Some(shown.collect::<Vec<_>>().join(" "))
}

#[test]
fn command_lines_are_found_in_flattened_text() {
    let found = |text: &str| command_lines(text).into_iter().collect::<Vec<_>>();
    assert_eq!(
        found("oz environment create \\ --name \\ --repo # Add more oz environment update --repo a/b # Done"),
        ["oz environment create --name --repo", "oz environment update --repo a/b"]
    );
    assert_eq!(
        found("Use `oz secret list` or (`oz run list --ancestor-run ID`)."),
        ["oz run list --ancestor-run ID", "oz secret list"]
    );
    assert_eq!(
        found("oz schedule create --name=NAME \\ [--mcp=SPEC] ..."),
        ["oz schedule create --name=NAME --mcp=SPEC"]
    );
    assert_eq!(found("the oz process, ./oz agent, cargo-oz run, oz commands"), [""; 0]);
}

#[test]
fn places_that_were_lost_are_filled() {
    assert_eq!(
        filled("environment create --name --repo --repo a/b"),
        "environment create --name X --repo X --repo a/b"
    );
    assert_eq!(filled("environment get"), "environment get X");
    assert_eq!(filled("agent run --frob"), "agent run --frob");
}
