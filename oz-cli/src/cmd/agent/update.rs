//! `oz agent update`: changes an agent.

use crate::{
    cli::Format,
    cmd::Outcome,
    error::CliError,
    out::{self, identity, jq::JqArgs, table::print_one},
};
use clap::Args;
use oz_client::Client;
use oz_core::{
    api::{GetIdentity, UpdateIdentity},
    config::SecretRef,
};

/// Change an agent.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  oz agent update UID --prompt \"You review changes.\" --base-model claude-sonnet-4-5
  oz agent update UID --add-skill me/app:build --remove-secret NPM_TOKEN")]
pub(crate) struct UpdateArgs {
    /// The agent
    uid: String,
    /// Its name
    #[arg(short, long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", conflicts_with = "remove_description")]
    description: Option<String>,
    /// Remove its description
    #[arg(long)]
    remove_description: bool,
    /// Instructions that come before each prompt
    #[arg(long, value_name = "TEXT", conflicts_with = "remove_prompt")]
    prompt: Option<String>,
    /// Remove its instructions
    #[arg(long)]
    remove_prompt: bool,
    /// The model of its runs
    #[arg(long, value_name = "ID", conflicts_with = "remove_base_model")]
    base_model: Option<String>,
    /// Leave the model to each run
    #[arg(long)]
    remove_base_model: bool,
    /// The environment of its runs
    #[arg(short, long, value_name = "ID", conflicts_with = "remove_environment")]
    environment: Option<String>,
    /// Leave the environment to each run
    #[arg(long)]
    remove_environment: bool,
    /// Give its runs a secret; repeatable
    #[arg(long = "add-secret", value_name = "NAME", conflicts_with = "remove_all_secrets")]
    add_secrets: Vec<String>,
    /// Take a secret away; repeatable
    #[arg(long = "remove-secret", value_name = "NAME", conflicts_with = "remove_all_secrets")]
    remove_secrets: Vec<String>,
    /// Take all secrets away
    #[arg(long)]
    remove_all_secrets: bool,
    /// Add a skill; repeatable
    #[arg(long = "add-skill", value_name = "SPEC", conflicts_with = "remove_all_skills")]
    add_skills: Vec<String>,
    /// Remove a skill; repeatable
    #[arg(long = "remove-skill", value_name = "SPEC", conflicts_with = "remove_all_skills")]
    remove_skills: Vec<String>,
    /// Remove all skills
    #[arg(long)]
    remove_all_skills: bool,
    #[command(flatten)]
    jq: JqArgs,
}

pub(super) async fn run(client: &Client, args: UpdateArgs, format: Format) -> Outcome {
    let filter = args.jq.compile()?;
    let mut request = UpdateIdentity {
        uid: args.uid,
        name: args.name,
        description: unless(args.remove_description, args.description),
        prompt: unless(args.remove_prompt, args.prompt),
        base_model: unless(args.remove_base_model, args.base_model),
        environment_id: unless(args.remove_environment, args.environment),
        secrets: args.remove_all_secrets.then(Vec::new),
        skills: args.remove_all_skills.then(Vec::new),
        ..UpdateIdentity::default()
    };
    let secrets = !args.add_secrets.is_empty() || !args.remove_secrets.is_empty();
    let skills = !args.add_skills.is_empty() || !args.remove_skills.is_empty();
    if secrets || skills {
        let agent = client.send(&GetIdentity { uid: request.uid.clone() }).await?;
        if secrets {
            let names = agent.secrets.into_iter().map(|secret| secret.name).collect();
            let names = changed(names, args.add_secrets, &args.remove_secrets);
            request.secrets = Some(names.into_iter().map(|name| SecretRef { name }).collect());
        }
        if skills {
            request.skills = Some(changed(agent.skills, args.add_skills, &args.remove_skills));
        }
    }
    if request == (UpdateIdentity { uid: request.uid.clone(), ..UpdateIdentity::default() }) {
        return Err(CliError::new("No updates requested"));
    }
    let agent = client.send(&request).await?;
    if !filter.print(&agent)? {
        print_one(&agent, format, identity::card)?;
    }
    Ok(true)
}

/// What to send for a text: nothing to keep it, an empty one to clear it.
fn unless(remove: bool, text: Option<String>) -> Option<String> {
    if remove { Some(String::new()) } else { text }
}

/// A list without some and with others; what is in vain is told.
fn changed(mut list: Vec<String>, add: Vec<String>, remove: &[String]) -> Vec<String> {
    for name in remove.iter().filter(|name| !list.contains(name)) {
        out::note(format!("Warning: it has no '{name}'."));
    }
    list.retain(|name| !remove.contains(name));
    for name in add {
        if !list.contains(&name) {
            list.push(name);
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_what_is_not_named() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let got = changed(list(&["a", "b", "c"]), list(&["d", "a"]), &list(&["b", "x"]));
        assert_eq!(got, list(&["a", "c", "d"]));
    }

    #[test]
    fn an_empty_text_clears() {
        assert_eq!(unless(true, None), Some(String::new()));
        assert_eq!(unless(false, None), None);
    }
}
