//! From JSON to the types of requests. What does not fit is told by its field, with what would be right.

use super::Endpoint;
use crate::Error;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The request of an endpoint from its fields, checked.
///
/// # Errors
/// `invalid_request` that names the field, the value and what would be right.
pub fn decode<E: Endpoint>(fields: &Value) -> Result<E, Error> {
    let request: E = serde_path_to_error::deserialize(fields).map_err(|e| {
        let field = e.path().to_string();
        // A bad path field is nearly always a bad id; say so with the value.
        match fields.get(&field).and_then(Value::as_str) {
            Some(value) if E::INFO.path_fields().any(|name| name == field) => {
                Error::invalid_field(&field, value, "a UUID such as 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e")
            }
            _ => misfit(&e),
        }
    })?;
    request.validate()?;
    Ok(request)
}

/// A value of any type from JSON.
///
/// # Errors
/// `invalid_request` that names the field and what would be right.
pub fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(value).map_err(|e| misfit(&e))
}

fn misfit(e: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    match e.path().to_string().as_str() {
        "." | "?" => Error::invalid(e.inner().to_string()),
        field => Error::invalid(format!("{field}: {}", e.inner())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ALL, CreateRun, GetRun};
    use serde_json::json;

    #[test]
    fn what_does_not_fit_is_named() {
        let told = |error: Error| (error.http_status(), error.detail);
        let (status, detail) = told(decode::<GetRun>(&json!({ "run_id": "banana" })).unwrap_err());
        assert!(
            status == 400 && detail.starts_with("run_id: 'banana' is not valid; expected a UUID"),
            "{detail}"
        );
        let (_, detail) = told(decode::<CreateRun>(&json!({ "prompt": 7 })).unwrap_err());
        assert!(detail.starts_with("prompt: invalid type: integer `7`, expected a string"), "{detail}");
        let (_, detail) = told(decode::<CreateRun>(&json!([])).unwrap_err());
        assert!(!detail.starts_with('.'), "{detail}");
        assert_eq!(decode::<CreateRun>(&json!({ "prompt": "x" })).unwrap().prompt.as_deref(), Some("x"));
    }

    #[test]
    fn every_row_refuses_what_is_no_object() {
        for row in ALL {
            assert!((row.check)(&json!("text")).is_err(), "{}", row.id);
        }
    }
}
