//! Runners by their id or name.

use crate::error::CliError;
use oz_client::Error;
use oz_core::{ErrorCode, api::Runner};

/// The runner with this id, or the only one with this name where no id is given.
pub(super) fn runner(
    runners: Vec<Runner>,
    uid: Option<&str>,
    name: Option<&str>,
) -> Result<Runner, CliError> {
    let wanted = uid.or(name).unwrap_or_default();
    let matches = |runner: &Runner| match uid {
        Some(uid) => runner.uid == uid,
        None => Some(&*runner.config.name) == name,
    };
    let mut found = runners.into_iter().filter(matches);
    match (found.next(), found.next()) {
        (Some(runner), None) => Ok(runner),
        (None, _) => Err(CliError::new(format!("Runner '{wanted}' not found"))),
        (Some(_), Some(_)) => {
            Err(CliError::new(format!("Multiple runners match '{wanted}'; specify the runner by UID")))
        }
    }
}

/// Says of a runner that is not there what all commands say.
pub(super) fn missing(e: Error, uid: &str) -> CliError {
    match e.code() {
        Some(ErrorCode::ResourceNotFound) => CliError::new(format!("Runner '{uid}' not found")),
        _ => e.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn ids_and_names_are_told_apart() {
        let one = |uid: &str, name: &str| -> Runner {
            from_value(json!({ "uid": uid, "config": { "name": name }, "created_at": "2026-03-02T08:00:00Z",
                "last_updated": "2026-03-02T08:00:00Z", "revision": 1 }))
            .unwrap()
        };
        let all = || vec![one("r1", "small"), one("r2", "twice"), one("r3", "twice"), one("small", "x")];
        let found = |uid, name| runner(all(), uid, name).map(|runner| runner.uid).map_err(|e| e.to_string());
        assert_eq!(found(None, Some("small")), Ok("r1".into()));
        assert_eq!(found(Some("small"), None), Ok("small".into()));
        assert_eq!(found(Some("r1"), Some("twice")), Ok("r1".into()));
        assert_eq!(found(Some("twice"), None), Err("Error: Runner 'twice' not found".into()));
        let several = "Error: Multiple runners match 'twice'; specify the runner by UID";
        assert_eq!(found(None, Some("twice")), Err(several.into()));
    }
}
