//! What services offer beside answers: lists of models, counts of tokens. And what somebody else's client asks on the side,
//! such as a title for its conversation, which no script needs to know.

use crate::{
    Turn,
    check::header,
    service::Service,
    wire::{Wire, list},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;

/// Bytes of a request that make about one token.
const BYTES_PER_TOKEN: usize = 4;

/// An answer that does no harm: a text, or the smallest object of the form that was asked for.
pub(crate) fn harmless(body: &Value) -> Turn {
    let forms =
        ["/output_config/format/schema", "/text/format/schema", "/generationConfig/responseJsonSchema"];
    let form = forms.iter().find_map(|at| body.pointer(at));
    Turn::text(&form.map_or_else(|| "A task".to_owned(), |schema| smallest(schema).to_string()))
}

/// The smallest value of a JSON Schema.
fn smallest(schema: &Value) -> Value {
    if let Some(first) = list(schema, "enum").first() {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object" | "OBJECT") => {
            let needed = list(schema, "required").iter().filter_map(Value::as_str);
            needed.map(|name| (name.to_owned(), smallest(&schema["properties"][name]))).collect()
        }
        Some("array" | "ARRAY") => json!([]),
        Some("boolean" | "BOOLEAN") => json!(false),
        Some("integer" | "number" | "INTEGER" | "NUMBER") => json!(1),
        _ => json!(""),
    }
}

/// A count of a request's tokens, in the field in which the service gives it.
pub(crate) async fn count<W: Wire>(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    if let Err(refused) = service.admit::<W>(&headers, &uri) {
        return refused;
    }
    Json(W::count(body.len() / BYTES_PER_TOKEN)).into_response()
}

/// The models there are, as the caller's kind of service lists them.
pub(crate) async fn models(headers: HeaderMap, uri: Uri) -> Json<Value> {
    // Codex says which version it is and wants to know more of each model than the public interface tells; it has that
    // itself for the models that it is made for.
    if uri.query().is_some_and(|q| q.contains("client_version=")) {
        return Json(json!({ "models": [] }));
    }
    Json(match header(&headers, "anthropic-version") {
        "" => {
            json!({ "object": "list", "data": [{ "id": "fake", "object": "model", "created": 0, "owned_by": "fake" }] })
        }
        _ => json!({
            "data": [{ "type": "model", "id": "fake", "display_name": "Fake", "created_at": "2026-01-01T00:00:00Z" }],
            "first_id": "fake", "last_id": "fake", "has_more": false,
        }),
    })
}

/// The models of a server on one's own machine.
pub(crate) async fn tags() -> Json<Value> {
    let details = json!({ "family": "fake", "parameter_size": "1B" });
    Json(json!({ "models": [{ "name": "fake:1b", "model": "fake:1b", "size": 1, "details": details }] }))
}

/// What clients ask to see whether anybody is there.
pub(crate) async fn alive() -> StatusCode {
    StatusCode::OK
}
