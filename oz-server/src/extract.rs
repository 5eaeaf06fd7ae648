//! Turns an HTTP request into the request type of its endpoint. The type's own schema says which fields of a query are
//! numbers, lists or maps; errors name the field, the value and what would be right.

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts as _, RawPathParams},
    http::{Request, Uri},
};
use oz_core::{
    Error,
    api::{Endpoint, Info},
};
use serde_json::{Map, Value};
use std::{collections::HashMap, sync::Mutex, sync::PoisonError};

/// The largest body that is read. Larger than any legal request, so that an oversized field can be named.
pub(crate) const MAX_BODY: usize = 64 << 20;

/// What a request says, before anybody knows what it means.
pub(crate) struct Fields(Value);

impl Fields {
    /// Reads path, query and body of a request for this endpoint.
    pub(crate) async fn read(info: &Info, request: Request<Body>) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, &())
            .await
            .map_err(|e| Error::invalid(format!("path: {e}")))?;
        let mut fields: Map<String, Value> =
            params.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        if info.in_query() {
            drain(body).await;
            query(info, &parts.uri, &mut fields)?;
        } else {
            let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| too_large())?;
            fields = with_body(&bytes, fields)?;
        }
        Ok(Self(fields.into()))
    }

    /// Decodes and checks the request.
    pub(crate) fn decode<E: Endpoint>(self) -> Result<E, Error> {
        oz_core::api::decode(&self.0)
    }
}

/// The most that is read of a body that nobody wants, and for how long.
const DRAIN: usize = 1 << 20;
const DRAIN_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// Reads away a body that nobody wants. A connection whose body is left unread can't be used again, and a client that
/// still sends it would not see the answer.
pub(crate) async fn drain(body: Body) {
    let _ = tokio::time::timeout(DRAIN_WITHIN, to_bytes(body, DRAIN)).await;
}

pub(crate) fn too_large() -> Error {
    let mut error = Error::invalid(format!("body: it is larger than {MAX_BODY} bytes or was cut off"));
    error.status = Some(413);
    error
}

/// Bodies may be empty or `null`: published clients send both where there is nothing to say.
fn with_body(bytes: &[u8], fields: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let bytes = bytes.trim_ascii();
    if bytes.is_empty() || bytes == b"null" {
        return Ok(fields);
    }
    let body = serde_json::from_slice(bytes)
        .map_err(|e| Error::invalid(format!("body: it is not valid JSON: {e}")))?;
    let Value::Object(mut map) = body else {
        return Err(Error::invalid("body: expected a JSON object"));
    };
    map.extend(fields);
    Ok(map)
}

/// Reads the query into `fields` by the schema of the request type.
fn query(info: &Info, uri: &Uri, fields: &mut Map<String, Value>) -> Result<(), Error> {
    let Some(query) = uri.query().filter(|q| !q.is_empty()) else { return Ok(()) };
    let schema = schema(info);
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let (name, sub) = match key.split_once('[') {
            Some((name, rest)) => (name, Some(rest.trim_end_matches(']'))),
            None => (key.as_ref(), None),
        };
        let Some(property) = schema.get(name) else {
            let mut known: Vec<&str> = schema.keys().map(String::as_str).collect();
            known.sort_unstable();
            return Err(Error::invalid(format!(
                "{name}: there is no such parameter; known ones are {}",
                known.join(", ")
            )));
        };
        match (property, sub) {
            (Kind::List, None | Some("")) => {
                if let Value::Array(list) = fields.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                    list.push(value.into_owned().into());
                }
            }
            (Kind::Map, Some(sub)) if !sub.is_empty() => {
                if let Value::Object(map) = fields.entry(name).or_insert_with(|| Value::Object(Map::new())) {
                    map.insert(sub.to_owned(), value.into_owned().into());
                }
            }
            (Kind::Map, _) => return Err(Error::invalid(format!("{name}: write it as {name}[key]=value"))),
            (_, Some(_)) => return Err(Error::invalid(format!("{key}: {name} takes a plain value"))),
            (kind, None) => {
                if fields.insert(name.to_owned(), scalar(kind, name, &value)?).is_some() {
                    return Err(Error::invalid(format!("{name}: it is given twice")));
                }
            }
        }
    }
    Ok(())
}

fn scalar(kind: &Kind, name: &str, value: &str) -> Result<Value, Error> {
    match kind {
        Kind::Integer => value
            .parse::<i64>()
            .map(Into::into)
            .map_err(|_| Error::invalid_field(name, value, "a whole number")),
        Kind::Boolean => value
            .parse::<bool>()
            .map(Into::into)
            .map_err(|_| Error::invalid_field(name, value, "true or false")),
        Kind::Text | Kind::List | Kind::Map => Ok(value.into()),
    }
}

/// What a query field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Boolean,
    List,
    Map,
}

type Schema = HashMap<String, Kind>;

/// The kinds of the fields of an endpoint, read from its JSON Schema once.
fn schema(info: &Info) -> &'static Schema {
    static KNOWN: Mutex<Option<HashMap<&'static str, &'static Schema>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().entry(info.id).or_insert_with(|| Box::leak(Box::new(read_schema(info))))
}

fn read_schema(info: &Info) -> Schema {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12()
        .with(|s| s.inline_subschemas = true)
        .into_generator();
    let schema = (info.request)(&mut generator).to_value();
    let mut kinds = Schema::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let has = |wanted: &str| match &property["type"] {
            Value::String(t) => t == wanted,
            Value::Array(types) => types.iter().any(|t| t == wanted),
            _ => false,
        };
        let kind = if has("integer") {
            Kind::Integer
        } else if has("boolean") {
            Kind::Boolean
        } else if has("array") {
            Kind::List
        } else if has("object") {
            Kind::Map
        } else {
            Kind::Text
        };
        kinds.insert(name.clone(), kind);
    }
    // Older spellings that the types accept beside their own.
    if kinds.contains_key("skill_spec") {
        kinds.insert("skill".to_owned(), Kind::Text);
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::{RunState, api::ListRuns, api::ReadLog};

    fn list(query_string: &str) -> Result<ListRuns, Error> {
        let mut fields = Map::new();
        let uri: Uri = format!("/x?{query_string}").parse().unwrap();
        query(&ListRuns::INFO, &uri, &mut fields)?;
        Fields(fields.into()).decode()
    }

    #[test]
    fn queries_decode_by_the_schema() {
        let got = list(
            "state=QUEUED&state=IN_PROGRESS&limit=7&metadata%5Bk%5D=v&skill=a%2Fb&created_after=2026-01-01T00:00:00Z",
        );
        let got = got.unwrap();
        assert_eq!(got.state, [RunState::Queued, RunState::InProgress]);
        assert_eq!((got.limit, got.skill_spec.as_deref()), (Some(7), Some("a/b")));
        assert_eq!(got.metadata["k"], "v");
    }

    #[test]
    fn errors_name_field_and_value() {
        for (query, expected) in [
            ("limit=abc", "limit: 'abc' is not valid; expected a whole number"),
            ("limit=0", "limit: '0' is not valid; expected 1 to 500"),
            ("state=DONE", "state: 'DONE' is not valid; expected one of QUEUED"),
            ("sort_by=age", "sort_by: 'age' is not valid"),
            ("colour=red", "colour: there is no such parameter"),
            ("created_after=yesterday", "created_after: "),
            ("ancestor_run_id=7", "ancestor_run_id: "),
            ("metadata=x", "metadata: write it as metadata[key]=value"),
            ("limit=1&limit=2", "limit: it is given twice"),
        ] {
            let error = list(query).unwrap_err();
            assert_eq!(error.http_status(), 400, "{query}");
            assert!(error.detail.starts_with(expected), "{query}: {}", error.detail);
        }
    }

    #[test]
    fn a_bad_id_in_the_path_is_named() {
        let fields = Fields(serde_json::json!({ "run_id": "banana" }));
        let error = fields.decode::<ReadLog>().unwrap_err();
        assert!(
            error.detail.starts_with("run_id: 'banana' is not valid; expected a UUID"),
            "{}",
            error.detail
        );
    }
}
