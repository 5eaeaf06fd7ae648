//! The core's rules and lists, for who has only names and JSON.

use crate::client::thrown;
use napi_derive::napi;
use oz_bridge::method::{self, Method};
use serde_json::{Value, json};

/// Whether anything can bring a run from one state directly to the other.
#[napi]
#[must_use]
pub fn can_transition(from: String, to: String) -> bool {
    oz_bridge::can_transition(&from, &to)
}

/// The state that follows when a cause happens to a run.
///
/// # Errors
/// The failure as JSON, when there is no such cause or it can't happen.
#[napi]
pub fn next_state(from: String, cause: String) -> napi::Result<String> {
    oz_bridge::next_state(&from, &cause).map_err(thrown)
}

/// Checks a value of a type and gives it back as the type writes it, both as JSON.
///
/// # Errors
/// The failure as JSON, which names the field.
#[napi]
pub fn validate(type_name: String, value: String) -> napi::Result<String> {
    let written = oz_bridge::validate(&type_name, value.as_bytes()).map_err(thrown)?;
    String::from_utf8(written).map_err(|e| napi::Error::from_reason(e.to_string()))
}

/// Every method of the client, as JSON, for the test that misses none.
#[napi]
#[must_use]
pub fn methods() -> String {
    let described = |method: &Method| json!({ "noun": method.noun, "name": method.name, "kind": method.kind(), "arguments": method.arguments });
    Value::from_iter(method::all().map(described)).to_string()
}

/// The schemas of the types of the hooks, as JSON, for the test of what is declared.
#[napi]
#[must_use]
pub fn schemas() -> String {
    oz_bridge::schemas().to_string()
}
