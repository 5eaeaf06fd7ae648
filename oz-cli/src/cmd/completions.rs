//! `oz completions`: prints a completion script.

use super::Outcome;
use crate::{cli::Cli, error::CliError};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::io;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz completions bash > ~/.local/share/bash-completion/completions/oz
  oz completions zsh > ~/.zfunc/_oz
  oz completions fish > ~/.config/fish/completions/oz.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell; the one of SHELL when absent
    shell: Option<Shell>,
}

pub(crate) fn run(args: &CompletionsArgs) -> Outcome {
    let shell = args.shell.or_else(Shell::from_env).ok_or_else(unknown)?;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "oz", &mut script);
    // A reader that stops early, such as `head`, is no error.
    let _ = io::Write::write_all(&mut io::stdout(), &script);
    Ok(true)
}

fn unknown() -> CliError {
    CliError::new("SHELL names no shell that `oz` can complete for")
        .hint("name one: oz completions bash|elvish|fish|powershell|zsh")
}
