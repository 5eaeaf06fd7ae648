//! `oz agent profile update`: changes a profile.

use super::settings::{self, Settings};
use crate::{
    cli::Format,
    cmd::Outcome,
    error::CliError,
    out::{self, table::print_one},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::{GetProfile, Profile, UpdateProfile};

/// Change a profile. Settings that are not named stay.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  oz agent profile update ID --set base_model=claude-sonnet-4-5 --unset command_denylist
  oz agent profile update ID -n careful")]
pub(crate) struct UpdateArgs {
    /// The profile
    id: String,
    /// Its name
    #[arg(short, long)]
    name: Option<String>,
    #[command(flatten)]
    settings: Settings,
    /// Remove a setting, which then has its default; repeatable
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
}

pub(super) async fn run(client: &Client, args: UpdateArgs, format: Format) -> Outcome {
    let before = client.send(&GetProfile { uid: args.id.clone() }).await?;
    print_one(&client.send(&request(before, args)?).await?, format, |profile| {
        format!("Profile {} updated", profile.uid)
    })?;
    Ok(true)
}

/// The profile with the file over it, the flags over that, and what is to be removed taken away.
fn request(before: Profile, args: UpdateArgs) -> Result<UpdateProfile, CliError> {
    let settings::Read { name, settings: over } = args.settings.read()?;
    let mut settings = before.settings.clone();
    settings.extend(over);
    for key in &args.unset {
        if settings.remove(key).is_none() {
            out::note(format!("Warning: there is no setting '{key}'."));
        }
    }
    let name = args.name.or(name).unwrap_or_else(|| before.name.clone());
    if name == before.name && settings == before.settings {
        return Err(CliError::new("No updates requested"));
    }
    Ok(UpdateProfile { uid: before.uid, name, settings, revision: Some(before.revision) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn what_is_not_named_stays() {
        let before = || -> Profile {
            from_value(json!({ "uid": "p1", "name": "n", "revision": 4, "created_at": "2026-03-02T08:00:00Z",
                "last_updated": "2026-03-02T08:00:00Z",
                "settings": { "execute_commands": "Never", "base_model": "a", "of_a_newer_server": 1 } }))
            .unwrap()
        };
        let settings = Settings { set: vec![("base_model".into(), "b".into())], ..Settings::default() };
        let unset = vec!["execute_commands".into(), "x".into()];
        let args = UpdateArgs { settings, unset, ..UpdateArgs::default() };
        assert_eq!(
            serde_json::to_value(request(before(), args).unwrap()).unwrap(),
            json!({ "uid": "p1", "name": "n", "revision": 4,
                "settings": { "base_model": "b", "of_a_newer_server": 1 } })
        );
        let error = request(before(), UpdateArgs::default()).unwrap_err().to_string();
        assert!(error.contains("No updates requested"), "{error}");
    }
}
