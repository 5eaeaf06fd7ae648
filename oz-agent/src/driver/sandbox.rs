//! What a run asks of its sandbox, and whether anybody sees to it. A limit is never passed over in silence.

use oz_core::{config::Sandbox, env};
use std::collections::BTreeMap;

/// Refuses limits that nobody holds.
pub(super) fn check(sandbox: Option<&Sandbox>, host: &BTreeMap<String, String>) -> Result<(), String> {
    let Some(sandbox) = sandbox else { return Ok(()) };
    let limits = [
        ("memory_mb", sandbox.memory_mb.is_some()),
        ("cpus", sandbox.cpus.is_some()),
        ("max_processes", sandbox.max_processes.is_some()),
    ];
    match limits.iter().find(|(_, asked)| *asked) {
        Some((name, _)) if !host.contains_key(env::SANDBOX_LIMITED) => Err(format!(
            "config.sandbox.{name} can't be enforced here: the agent was not started in a control group; \
             use a worker that can make one, or leave the limit out"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_refused_by_name() {
        let limits = |text: &str| -> Sandbox { serde_json::from_str(text).unwrap() };
        let (none, held) = (BTreeMap::new(), [(env::SANDBOX_LIMITED.to_owned(), "1".to_owned())].into());
        for (asked, name) in [
            (r#"{"memory_mb": 64}"#, "config.sandbox.memory_mb"),
            (r#"{"cpus": 0.5}"#, "config.sandbox.cpus"),
            (r#"{"max_processes": 9}"#, "config.sandbox.max_processes"),
        ] {
            assert!(check(Some(&limits(asked)), &none).unwrap_err().starts_with(name), "{asked}");
            assert_eq!(check(Some(&limits(asked)), &held), Ok(()));
        }
        assert_eq!((check(None, &none), check(Some(&Sandbox::default()), &none)), (Ok(()), Ok(())));
    }
}
