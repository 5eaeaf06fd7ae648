//! `oz environment init`: looks at checkouts on this machine and proposes an environment for them. What it sees of them
//! is in `checkout`; everything else decides from that alone.

mod checkout;
mod command;
mod image;
mod language;
mod origin;
mod propose;
mod tree;

use super::create;
use crate::{
    cli::{Format, Global, Owner},
    cmd::{Outcome, confirm::confirm_unless},
    connection,
    error::CliError,
    out::{
        self,
        table::{self, Listing},
    },
};
use clap::Args;
use oz_core::api::{CreateEnvironment, Validate as _};
use propose::{Proposal, Reason};
use serde::Serialize;
use std::path::PathBuf;

/// Propose an environment for the checkouts on this machine: their repositories, an image that has their languages, and
/// the commands that install what they depend on. Nothing of them is run. Without --create nothing is made.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz environment init
  oz environment init ~/app ~/lib --name shop
  oz environment init --create --yes --output-format json")]
pub(crate) struct InitArgs {
    /// A checkout; the current directory when there is none
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Name of the environment; that of the first repository when absent
    #[arg(short, long)]
    name: Option<String>,
    /// Make the environment
    #[arg(long)]
    create: bool,
    /// Don't ask before it is made
    #[arg(short, long, requires = "create")]
    yes: bool,
    #[command(flatten)]
    owner: Owner,
}

/// What programs get to read.
#[derive(Serialize)]
struct Answer<'a> {
    config: &'a oz_core::environment::EnvironmentConfig,
    reasons: &'a [Reason],
    command: String,
}

const REASONS: Listing<Reason, 3> = Listing {
    header: ["WHAT", "CHOICE", "WHY"],
    whole: 1,
    row: |reason| {
        let choice = reason.choice.clone().unwrap_or_else(|| "-".to_owned());
        [reason.what.to_owned(), choice, reason.why.clone()]
    },
    none: "There is nothing to propose.",
};

pub(super) async fn run(args: InitArgs, global: &Global) -> Outcome {
    let format = global.output_format;
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths };
    let mut checkouts = Vec::new();
    for path in &paths {
        let checkout = checkout::look(path).await?;
        if checkouts.iter().all(|other: &checkout::Checkout| other.root != checkout.root) {
            checkouts.push(checkout);
        }
    }
    let proposal = propose::propose(args.name.as_deref(), &checkouts)?;
    if !args.create {
        show(&proposal, format)?;
        return Ok(true);
    }
    let request = CreateEnvironment { config: proposal.config.clone(), team: args.owner.team() };
    request.validate()?;
    if !args.yes {
        out::note(text(&proposal, Format::Pretty));
        if !confirm_unless(false, "--yes", "create", "environment", &proposal.config.name)? {
            return Ok(true);
        }
    }
    create::made(&connection::of(global).client()?, &request, format).await
}

fn show(proposal: &Proposal, format: Format) -> Result<(), CliError> {
    if format.is_json() {
        let command = command::words(&proposal.config).join(" ");
        return out::json(format, &Answer { config: &proposal.config, reasons: &proposal.reasons, command });
    }
    out::line(text(proposal, format));
    Ok(())
}

fn text(proposal: &Proposal, format: Format) -> String {
    let command = command::words(&proposal.config).join(" \\\n  ");
    let reasons = match format {
        Format::Text => REASONS.text(&proposal.reasons, format),
        _ => {
            let row = |reason: &Reason| {
                let choice = reason.choice.as_ref().map_or_else(String::new, |choice| format!("{choice}\n"));
                (reason.what, format!("{choice}{}", reason.why))
            };
            table::card(&proposal.reasons.iter().map(row).collect::<Vec<_>>())
        }
    };
    format!("{reasons}\n\n{}", out::plain(&command))
}

#[cfg(test)]
mod tests;
