//! The API server's routes.

use crate::{
    lists::merge,
    schema, semantics,
    state::{Kind, Shared},
    watches,
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query, State as Extract},
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

type Parameters = HashMap<String, String>;
/// Namespace, plural, name, and what belongs to the object.
type Place = (String, String, Option<String>, Option<String>);

/// Which objects of a kind are meant.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    namespace: String,
    labels: Vec<(String, String)>,
    uid: Option<String>,
}

impl Selection {
    fn of(namespace: &str, parameters: &Parameters) -> Self {
        let selector = parameters.get("labelSelector").map(String::as_str).unwrap_or_default();
        let pairs = selector.split(',').filter_map(|pair| pair.split_once('='));
        let fields = parameters.get("fieldSelector").map(String::as_str).unwrap_or_default();
        Self {
            namespace: namespace.to_owned(),
            labels: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            uid: fields.strip_prefix("involvedObject.uid=").map(str::to_owned),
        }
    }

    pub(crate) fn holds(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        object["metadata"]["namespace"] == *self.namespace
            && self.labels.iter().all(|(name, value)| labels[name] == **value)
            && self.uid.as_ref().is_none_or(|uid| object["involvedObject"]["uid"] == **uid)
    }
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/version", get(|| async { json_answer(200, &json!({ "major": "1", "minor": "33", "gitVersion": "v1.33.0",
            "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": "" })) }))
        .route("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", post(review))
        .route("/apis/batch/v1/namespaces/{namespace}/{plural}", any(|s, Path((n, p)): Path<(String, String)>, q, m: Method, b| call(s, (n, p, None, None), q, m, b)))
        .route("/apis/batch/v1/namespaces/{namespace}/{plural}/{name}", any(|s, Path((n, p, o)): Path<(String, String, String)>, q, m: Method, b| call(s, (n, p, Some(o), None), q, m, b)))
        .route("/api/v1/namespaces/{namespace}/{plural}", any(|s, Path((n, p)): Path<(String, String)>, q, m: Method, b| call(s, (n, p, None, None), q, m, b)))
        .route("/api/v1/namespaces/{namespace}/{plural}/{name}", any(|s, Path((n, p, o)): Path<(String, String, String)>, q, m: Method, b| call(s, (n, p, Some(o), None), q, m, b)))
        .route("/api/v1/namespaces/{namespace}/{plural}/{name}/{sub}", any(|s, Path((n, p, o, u)): Path<(String, String, String, String)>, q, m: Method, b| call(s, (n, p, Some(o), Some(u)), q, m, b)))
        .with_state(shared)
}

async fn review(Extract(shared): Extract<Arc<Shared>>, body: Bytes) -> Response {
    let mut review: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Err((code, text)) = schema::check("SelfSubjectAccessReview", &review) {
        shared.change(|state| state.complaints.push(text.clone()));
        return refusal(code, "Invalid", &text);
    }
    let asked = &review["spec"]["resourceAttributes"];
    let part = |name: &str| asked[name].as_str().unwrap_or_default();
    let slash = if part("subresource").is_empty() { "" } else { "/" };
    let right = format!("{} {}{slash}{}", part("verb"), part("resource"), part("subresource"));
    review["status"] = json!({ "allowed": shared.read(|state| !state.denied.contains(&right)) });
    json_answer(201, &review)
}

async fn call(
    Extract(shared): Extract<Arc<Shared>>,
    (namespace, plural, name, sub): Place,
    Query(parameters): Query<Parameters>,
    method: Method,
    body: Bytes,
) -> Response {
    let Some(kind) = Kind::of(&plural) else { return missing(&plural, "") };
    let watching = parameters.get("watch").is_some_and(|w| w == "true");
    let resource = sub.as_ref().map_or(plural.clone(), |sub| format!("{plural}/{sub}"));
    let (verb, what) = match (&method, &name) {
        (&Method::GET, None) if watching => ("watch", "WATCH".to_owned()),
        (&Method::GET, None) => ("list", "LIST".to_owned()),
        (&Method::GET, Some(_)) => ("get", "GET".to_owned()),
        (&Method::POST, _) => ("create", "POST".to_owned()),
        (&Method::DELETE, _) => ("delete", "DELETE".to_owned()),
        (&Method::PATCH, _) => ("patch", "PATCH".to_owned()),
        _ => return refusal(405, "MethodNotAllowed", "the server does not allow this method"),
    };
    let what = format!("{what} {resource}");
    if let Some(answer) =
        stopped(&shared, &what, verb, &resource, kind, &namespace, name.as_deref().unwrap_or_default())
    {
        return answer;
    }
    let chosen = Selection::of(&namespace, &parameters);
    let number =
        |name: &str, default: u64| parameters.get(name).and_then(|n| n.parse().ok()).unwrap_or(default);
    match (verb, name) {
        ("watch", _) => {
            let bookmarks = parameters.get("allowWatchBookmarks").is_some_and(|b| b == "true");
            let body = watches::body(
                &shared,
                kind,
                chosen,
                number("resourceVersion", 0),
                number("timeoutSeconds", 300),
                bookmarks,
            );
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        ("list", _) => shared.read(|state| {
            let items: Vec<&Value> = state.all(kind).filter(|object| chosen.holds(object)).collect();
            json_answer(
                200,
                &json!({ "kind": format!("{}List", kind.name()), "apiVersion": kind.api_version(),
                "metadata": { "resourceVersion": state.version.to_string() }, "items": items }),
            )
        }),
        ("get", Some(name)) if sub.is_some() => shared.read(|state| {
            let container = parameters.get("container").map(String::as_str).unwrap_or_default();
            match (state.get(kind, &name), state.logs.get(container)) {
                (Some(_), Some(text)) => tail(text, parameters.get("tailLines")).into_response(),
                (Some(_), None) => refusal(
                    400,
                    "BadRequest",
                    &format!("container \"{container}\" in pod \"{name}\" is waiting to start"),
                ),
                (None, _) => missing(&plural, &name),
            }
        }),
        ("get", Some(name)) => shared.read(|state| match state.get(kind, &name) {
            Some(object) => json_answer(200, object),
            None => missing(&plural, &name),
        }),
        ("create", _) => create(&shared, kind, &namespace, &body, parameters.contains_key("dryRun")),
        ("delete", Some(name)) => delete(&shared, kind, &name, &body),
        ("patch", Some(name)) => patch(&shared, kind, &name, &body),
        _ => missing(&plural, ""),
    }
}

/// What a test has put in the way of a call.
fn stopped(
    shared: &Shared,
    what: &str,
    verb: &str,
    resource: &str,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Option<Response> {
    shared.change(|state| {
        state.asked.push(what.to_owned());
        if state.denied.contains(&format!("{verb} {resource}")) {
            let group = kind.group();
            let dot = if group.is_empty() { "" } else { "." };
            let object = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
            return Some(refusal(403, "Forbidden", &format!(
                "{}{dot}{group}{object} is forbidden: User \"system:serviceaccount:oz:worker\" cannot {verb} resource \
                 \"{resource}\" in API group \"{group}\" in the namespace \"{namespace}\"", kind.plural()
            )));
        }
        let fault = state.faults.iter_mut().find(|fault| fault.what == what && fault.times > 0)?;
        fault.times -= 1;
        let mut answer = refusal(fault.status, "Failure", "a fault of the test");
        if fault.status == 429 {
            answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        Some(answer)
    })
}

fn create(shared: &Shared, kind: Kind, namespace: &str, body: &[u8], dry_run: bool) -> Response {
    let Ok(mut object) = serde_json::from_slice::<Value>(body) else {
        return refusal(400, "BadRequest", "not JSON");
    };
    let checked = schema::check(kind.name(), &object).and_then(|()| {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        semantics::check(kind.name(), &object)
            .map_err(|text| (422, format!("{} \"{name}\" is invalid: {text}", kind.name())))
    });
    if let Err((code, text)) = checked {
        shared.change(|state| state.complaints.push(format!("{text}\n{object}")));
        return refusal(code, "Invalid", &text);
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    merge(&mut object, &json!({ "metadata": { "namespace": namespace } }));
    shared.change(|state| {
        if dry_run {
            return json_answer(201, &object);
        }
        if state.get(kind, &name).is_some() {
            return refusal(409, "AlreadyExists", &format!("{} \"{name}\" already exists", kind.plural()));
        }
        json_answer(201, &state.create(kind, object))
    })
}

fn delete(shared: &Shared, kind: Kind, name: &str, body: &[u8]) -> Response {
    let options: Value = serde_json::from_slice(body).unwrap_or_else(|_| json!({}));
    if let Err((code, text)) = schema::check("DeleteOptions", &options) {
        shared.change(|state| state.complaints.push(text.clone()));
        return refusal(code, "Invalid", &text);
    }
    shared.change(|state| {
        let Some(object) = state.get(kind, name).cloned() else { return missing(kind.plural(), name) };
        state.delete(kind, name, options["propagationPolicy"] == "Foreground");
        json_answer(200, &object)
    })
}

fn patch(shared: &Shared, kind: Kind, name: &str, body: &[u8]) -> Response {
    let Ok(change) = serde_json::from_slice::<Value>(body) else {
        return refusal(400, "BadRequest", "not JSON");
    };
    shared.change(|state| match state.update(kind, name, &change) {
        Some(object) => json_answer(200, &object),
        None => missing(kind.plural(), name),
    })
}

fn tail(text: &str, lines: Option<&String>) -> String {
    let all: Vec<&str> = text.lines().collect();
    let wanted = lines.and_then(|lines| lines.parse().ok()).unwrap_or(all.len());
    all[all.len().saturating_sub(wanted)..].join("\n")
}

fn missing(plural: &str, name: &str) -> Response {
    refusal(404, "NotFound", &format!("{plural} \"{name}\" not found"))
}

fn refusal(code: u16, reason: &str, message: &str) -> Response {
    json_answer(
        code,
        &json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code }),
    )
}

fn json_answer(code: u16, value: &Value) -> Response {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (code, [(header::CONTENT_TYPE, "application/json")], Body::from(value.to_string())).into_response()
}
