//! `oz agent skills`: the skills in the repositories that runs have used.

use crate::{cli::Format, cmd::Outcome, error::CliError, out::identity};
use clap::Args;
use oz_client::Client;
use oz_core::api::ListSkills;

/// List the skills in the repositories that runs have used.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz agent skills
  oz agent skills -r me/app
  oz agent skills --all --output-format json")]
pub(crate) struct SkillsArgs {
    /// Only those of this repository
    #[arg(short, long, value_name = "OWNER/REPO")]
    repo: Option<String>,
    /// Also those whose files can't be read, with what is wrong
    #[arg(short, long)]
    all: bool,
}

pub(super) async fn run(client: &Client, args: SkillsArgs, format: Format) -> Outcome {
    let repo = args.repo.as_deref().map(repository).transpose()?;
    let list = client
        .send(&ListSkills {
            repo,
            include_malformed_skills: args.all.then_some(true),
            ..ListSkills::default()
        })
        .await?;
    identity::SKILLS.print(&list, &list.agents, format)?;
    Ok(true)
}

/// `owner/repo`, also out of an `https://` address.
fn repository(text: &str) -> Result<String, CliError> {
    let path = match text.split_once("://") {
        Some(("https", rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        Some(_) => "",
        None => text,
    };
    let path = path.trim_end_matches('/').trim_end_matches(".git");
    match path.split_once('/') {
        Some((owner, repo)) if !owner.is_empty() && !repo.is_empty() && !repo.contains('/') => {
            Ok(path.to_owned())
        }
        _ => Err(CliError::new(format!(
            "Invalid repo format: '{text}'. Expected 'owner/repo' or an https:// address of a repository"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_named_or_addressed() {
        for good in ["a/b", "https://github.com/a/b", "https://github.com/a/b.git", "https://github.com/a/b/"]
        {
            assert_eq!(repository(good).unwrap(), "a/b", "{good}");
        }
        for bad in ["", "a", "a/", "/b", "a/b/c", "https://github.com/a", "ssh://git@github.com/a/b"] {
            assert!(repository(bad).unwrap_err().to_string().contains(&format!("'{bad}'")), "{bad}");
        }
    }
}
