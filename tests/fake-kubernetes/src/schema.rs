//! The published schemas, strict: what they don't know is refused.

use jsonschema::{Validator, error::ValidationErrorKind};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::OnceLock};

const SCHEMAS: &str = include_str!("../schemas/v1.33.json");
const KINDS: &[(&str, &str)] = &[
    ("Job", "io.k8s.api.batch.v1.Job"),
    ("Pod", "io.k8s.api.core.v1.Pod"),
    ("Secret", "io.k8s.api.core.v1.Secret"),
    ("SelfSubjectAccessReview", "io.k8s.api.authorization.v1.SelfSubjectAccessReview"),
    ("DeleteOptions", "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"),
];

fn validators() -> &'static HashMap<&'static str, Validator> {
    static VALIDATORS: OnceLock<HashMap<&'static str, Validator>> = OnceLock::new();
    VALIDATORS.get_or_init(|| {
        let all: Value = serde_json::from_str(SCHEMAS).expect("schemas");
        let validator = |definition: &str| {
            let schema = json!({ "$defs": all["$defs"], "$ref": format!("#/$defs/{definition}") });
            jsonschema::validator_for(&schema).expect("schema")
        };
        KINDS.iter().map(|(kind, definition)| (*kind, validator(definition))).collect()
    })
}

/// What is wrong with an object, as status code and text.
pub(crate) fn check(kind: &str, object: &Value) -> Result<(), (u16, String)> {
    let validator = validators().get(kind).unwrap_or_else(|| panic!("no schema of {kind}"));
    let Some(error) = validator.iter_errors(object).next() else { return Ok(()) };
    let path = dotted(&error.instance_path().to_string());
    Err(match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let dot = if path.is_empty() { "" } else { "." };
            let field = format!("{path}{dot}{}", unexpected.first().map_or("", String::as_str));
            let text = format!(
                "{kind} in version \"v1\" cannot be handled as a {kind}: strict decoding error: unknown field \"{field}\""
            );
            (400, text)
        }
        _ => {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            (422, format!("{kind} \"{name}\" is invalid: {path}: Invalid value: {error}"))
        }
    })
}

/// `/spec/containers/0/image` as the server writes it: `spec.containers[0].image`.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        if part.parse::<usize>().is_ok() {
            path.push_str(&format!("[{part}]"));
        } else {
            let dot = if path.is_empty() { "" } else { "." };
            path.push_str(&format!("{dot}{part}"));
        }
    }
    path
}
