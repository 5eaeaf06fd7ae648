//! The state machine and the checks of configurations, for who has only names and JSON.

use crate::Failure;
use oz_core::{
    RunState,
    api::{ALL, parse},
    config::AgentConfig,
    environment::EnvironmentConfig,
    run::machine::{self, Cause},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The types that [`validate`] knows, beside the requests of the endpoint table.
pub const TYPES: &[&str] = &["AgentConfig", "EnvironmentConfig"];

/// Whether anything can bring a run from one state directly to the other; states are written as on the wire.
#[must_use]
pub fn can_transition(from: &str, to: &str) -> bool {
    machine::can_transition(&RunState::from(from), &RunState::from(to))
}

/// The state that follows when `cause`, such as `claim` or `follow_up`, happens to a run.
///
/// # Errors
/// `invalid_request` when there is no such cause; `conflict` when it can't happen to such a run.
pub fn next_state(from: &str, cause: &str) -> Result<String, Failure> {
    let name = |cause: &Cause| snake(&format!("{cause:?}"));
    let Some(found) = Cause::ALL.into_iter().find(|known| name(known) == cause) else {
        let known: Vec<String> = Cause::ALL.iter().map(name).collect();
        let expected = format!("one of {}", known.join(", "));
        return Err(oz_core::Error::invalid_field("cause", cause, &expected).into());
    };
    let next = machine::next(&RunState::from(from), found).map_err(oz_core::Error::from)?;
    Ok(next.to_string())
}

/// Checks a value of a type, and returns it as the type writes it: without what it does not know, with its defaults. Types
/// are those of [`TYPES`], and the requests of the endpoint table, which come back as they are.
///
/// # Errors
/// `invalid_request` that names the field, the value and what would be right.
pub fn validate(type_name: &str, json: &[u8]) -> Result<Vec<u8>, Failure> {
    let value: Value = serde_json::from_slice(json)
        .map_err(|e| oz_core::Error::invalid(format!("it is not valid JSON: {e}")))?;
    match type_name {
        "AgentConfig" => written::<AgentConfig>(&value, AgentConfig::validate),
        "EnvironmentConfig" => written::<EnvironmentConfig>(&value, EnvironmentConfig::validate),
        _ => {
            let Some(row) = ALL.iter().find(|row| row.id == type_name) else {
                let expected = format!("one of {}, or a request such as CreateRun", TYPES.join(", "));
                return Err(oz_core::Error::invalid_field("type_name", type_name, &expected).into());
            };
            (row.check)(&value)?;
            Ok(json.to_vec())
        }
    }
}

fn written<T: DeserializeOwned + Serialize>(
    value: &Value,
    check: fn(&T) -> Result<(), oz_core::Error>,
) -> Result<Vec<u8>, Failure> {
    let value: T = parse(value)?;
    check(&value)?;
    serde_json::to_vec(&value).map_err(|e| oz_core::Error::internal(e.to_string()).into())
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
