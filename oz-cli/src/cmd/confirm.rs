//! The question before what can't be undone.

use crate::{error::CliError, out};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Asks whether to `act` (such as `delete`) on `what` (such as `environment`), unless `force`. `false` means that the
/// person does not want to, which is no failure. Where nobody can answer, nothing is done.
pub(super) fn confirm(act: &str, what: &str, name: &str, force: bool) -> Result<bool, CliError> {
    confirm_unless(force, "--force", act, what, name)
}

/// The same for a command whose option to go on unasked has another name.
pub(super) fn confirm_unless(
    told: bool,
    flag: &str,
    act: &str,
    what: &str,
    name: &str,
) -> Result<bool, CliError> {
    if told {
        return Ok(true);
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(CliError::new(format!(
            "Refusing to {act} {what} without confirmation in non-interactive mode (use {flag} to bypass)"
        )));
    }
    let mut stderr = anstream::stderr();
    write!(stderr, "{}", question(act, what, name))?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let yes = is_yes(&answer);
    if !yes {
        out::note("Nothing was done.");
    }
    Ok(yes)
}

fn question(act: &str, what: &str, name: &str) -> String {
    let mut chars = act.chars();
    let act: String = chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect();
    format!("{act} {what} '{}'? [y/N] ", out::one_line(name, 100))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_is_the_default() {
        insta::assert_snapshot!(question("delete", "environment", "a\u{1b}[2J"), @"Delete environment 'a'? [y/N] ");
        assert!(["y\n", "YES"].into_iter().all(is_yes));
        assert!(!["", "\n", "n", "yep"].into_iter().any(is_yes));
    }
}
