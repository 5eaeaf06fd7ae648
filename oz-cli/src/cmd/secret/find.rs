//! Which secret a name means.

use crate::{error::CliError, out};
use clap::Args;
use oz_client::Client;
use oz_core::{api::Secret, principal::ScopeType};

/// Whose secret is meant, where two have the same name.
#[derive(Debug, Default, Args)]
pub(super) struct Whose {
    /// The team's
    #[arg(long, conflicts_with = "personal")]
    team: bool,
    /// Your own
    #[arg(long)]
    personal: bool,
}

/// The secret with this name.
pub(super) async fn find(client: &Client, name: &str, whose: &Whose) -> Result<Secret, CliError> {
    choose(client.secrets().list().await?.secrets, name, whose)
}

fn choose(secrets: Vec<Secret>, name: &str, whose: &Whose) -> Result<Secret, CliError> {
    let meant = |kind: &ScopeType| match kind {
        ScopeType::Team => !whose.personal,
        ScopeType::User => !whose.team,
        ScopeType::Unknown(_) => !whose.team && !whose.personal,
    };
    let mut found: Vec<_> =
        secrets.into_iter().filter(|secret| secret.name == name && meant(&secret.scope.kind)).collect();
    let shown = out::one_line(name, 128);
    match (found.pop(), found.is_empty()) {
        (Some(secret), true) => Ok(secret),
        (Some(_), false) => Err(CliError::new(format!(
            "there are two secrets called '{shown}', one of the team (Team) and one of your own (Personal)"
        ))
        .hint("say which with --team or --personal")),
        (None, _) => {
            let scope = match (whose.team, whose.personal) {
                (true, _) => " among the team's",
                (_, true) => " among your own",
                _ => "",
            };
            Err(CliError::new(format!("Secret '{shown}' not found{scope}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn secret(name: &str, scope: &str) -> Secret {
        from_value(json!({ "uid": format!("{name}-{scope}"), "name": name, "type": "RAW_VALUE",
            "scope": { "type": scope, "uid": "x" }, "created_at": "2026-03-02T08:00:00Z",
            "updated_at": "2026-03-02T08:00:00Z", "last_used_at": null }))
        .unwrap()
    }

    #[test]
    fn a_name_means_one_secret_or_none() {
        let all = || vec![secret("A", "Team"), secret("B", "Team"), secret("B", "User"), secret("C", "User")];
        let chosen = |name, team, personal| {
            choose(all(), name, &Whose { team, personal })
                .map(|secret| secret.uid)
                .map_err(|e| e.to_string().lines().next().unwrap_or_default().to_owned())
        };
        assert_eq!(chosen("A", false, false).unwrap(), "A-Team");
        assert_eq!(chosen("C", false, false).unwrap(), "C-User");
        assert_eq!(chosen("B", true, false).unwrap(), "B-Team");
        assert_eq!(chosen("B", false, true).unwrap(), "B-User");
        let both =
            "Error: there are two secrets called 'B', one of the team (Team) and one of your own (Personal)";
        assert_eq!(chosen("B", false, false).unwrap_err(), both);
        assert_eq!(chosen("A", false, true).unwrap_err(), "Error: Secret 'A' not found among your own");
        assert_eq!(chosen("C", true, false).unwrap_err(), "Error: Secret 'C' not found among the team's");
        assert_eq!(chosen("X", false, false).unwrap_err(), "Error: Secret 'X' not found");
    }
}
