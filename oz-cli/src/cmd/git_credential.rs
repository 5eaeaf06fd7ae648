//! `oz git-credential`: logs git in inside of a run. Git calls it; it asks the driver of the run.

use super::Outcome;
use crate::error::CliError;
use clap::Args;
use oz_agent::local::Local;
use std::io::{self, Read as _, Write as _};

/// More can't come from git.
const LONGEST: u64 = 64 << 10;

/// Log git in, inside of a run: a credential helper that git calls itself.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  git -c credential.helper='!oz git-credential' fetch")]
pub(crate) struct GitCredentialArgs {
    /// What git wants: get, store or erase
    #[arg(value_name = "OPERATION")]
    operation: String,
}

pub(crate) async fn run(args: GitCredentialArgs) -> Outcome {
    let mut attributes = String::new();
    io::stdin().take(LONGEST).read_to_string(&mut attributes)?;
    let Some(local) = Local::of(|name| std::env::var(name).ok()) else {
        let text = "this is for git inside of a run; there is no run here, since OZ_GIT_SOCKET is not set";
        return Err(CliError::new(text));
    };
    let answer = local.answer_git(&args.operation, &attributes).await.map_err(CliError::new)?;
    io::stdout().write_all(answer.as_bytes())?;
    Ok(true)
}
