//! `oz man`: manual pages.

use super::Outcome;
use crate::{cli::Cli, error::CliError, out};
use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Print the manual page, or write a page for each command.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz man | man -l -                             read it
  oz man ~/.local/share/man/man1                then `man oz-agent-run` works")]
pub(crate) struct ManArgs {
    /// Where to write a page for each command; oz(1) goes to standard output when absent
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs) -> Outcome {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        Man::new(tree()).render(&mut page)?;
        // A reader that stops early, such as `head`, is no error.
        let _ = io::stdout().write_all(&page);
        return Ok(true);
    };
    let written = write(dir).map_err(|e| CliError::new(format!("{}: {e}", dir.display())))?;
    out::line(format!("Wrote {written} pages to {}.", dir.display()));
    Ok(true)
}

fn tree() -> Command {
    let mut oz = Cli::command().version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    oz.build();
    oz
}

/// Writes a page for each command that help shows. Returns how many.
fn write(dir: &Path) -> io::Result<usize> {
    fs::create_dir_all(dir)?;
    let mut written = 0;
    let mut left = vec![tree()];
    while let Some(command) = left.pop() {
        let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
        left.extend(shown.cloned());
        Man::new(command).generate_to(dir)?;
        written += 1;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_help_shows_has_a_page() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("share/man1");
        let written = write(&deep).unwrap();
        assert_eq!(fs::read_dir(&deep).unwrap().count(), written);
        let page = |name: &str| fs::read_to_string(deep.join(name)).unwrap();
        for (name, expected) in [
            ("oz.1", "quickstart"),
            ("oz-agent.1", "oz\\-agent\\-run"),
            ("oz-agent-run-cloud.1", "\\-\\-prompt"),
            ("oz-run-message-send.1", "Examples"),
        ] {
            assert!(page(name).contains(expected), "{name}:\n{}", page(name));
        }
        assert!(!deep.join("oz-harness-support.1").exists());
        assert!(page("oz-agent-run-cloud.1").contains("oz agent run\\-cloud"), "the whole command line");
    }
}
