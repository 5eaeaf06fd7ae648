//! The Gemini API.

use crate::{
    check::{Check, header},
    service::{Service, answer, unknown},
    side,
    wire::{Answer, Said, Stop, Wire, halves, list, text},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;

/// What proves that a call is the model's own.
const SIGNATURE: &str = "c2lnbmVk";

/// What the service takes in its place for calls of other models.
const UNSIGNED: &str = "skip_thought_signature_validator";

pub(crate) struct Gemini;

/// What is asked of a model: its name and the method stand in the path, as `MODEL:METHOD`.
pub(crate) async fn method(
    service: State<Arc<Service>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    match uri.path().rsplit_once(':') {
        Some((_, "generateContent" | "streamGenerateContent")) => {
            answer::<Gemini>(service, headers, uri, body).await
        }
        Some((_, "countTokens")) => side::count::<Gemini>(service, headers, uri, body).await,
        _ => unknown(service, Method::POST, uri).await.into_response(),
    }
}

impl Wire for Gemini {
    const PATH: &str = "/v1beta/models/{call}";

    fn read(uri: &Uri, mut body: Value) -> Value {
        let (model, method) =
            uri.path().rsplit('/').next().and_then(|c| c.split_once(':')).unwrap_or_default();
        if let Some(body) = body.as_object_mut() {
            body.insert("model".to_owned(), model.into());
            body.insert("stream".to_owned(), (method == "streamGenerateContent").into());
        }
        body
    }

    fn caller(headers: &HeaderMap, check: &mut Check) {
        check.must(!header(headers, "x-goog-api-key").is_empty(), "x-goog-api-key is missing");
    }

    fn check(body: &Value, check: &mut Check) {
        check.required(body, "model");
        check.tokens(&body["generationConfig"], "maxOutputTokens", 1);
        for tool in declarations(body) {
            let schema = ["parametersJsonSchema", "parameters"].map(|field| &tool[field]);
            let schema = schema.into_iter().find(|s| !s.is_null());
            let none = json!({ "type": "object" });
            let mut schema = schema.unwrap_or(&none).clone();
            schema["type"] = text(&schema, "type").to_lowercase().into();
            check.tool(&tool["name"], &schema);
        }
        let contents = list(body, "contents");
        check.must(!contents.is_empty(), "there are no contents");
        // Calls and results are paired by their names and order; an id is optional.
        let mut asked: Vec<&str> = Vec::new();
        for (i, content) in contents.iter().enumerate() {
            let role = text(content, "role");
            check.must(matches!(role, "user" | "model"), format!("the role '{role}' is not legal"));
            check.must(i > 0 || role == "user", "the first content is not the user's");
            let parts = list(content, "parts");
            check.must(!parts.is_empty(), format!("content {i} has no parts"));
            let names = |field: &str| -> Vec<&str> {
                let found = parts.iter().map(|p| &p[field]).filter(|f| !f.is_null());
                found.map(|f| text(f, "name")).collect()
            };
            let (calls, results) = (names("functionCall"), names("functionResponse"));
            check.must(
                results == asked,
                format!("content {i} has the results {results:?} after the calls {asked:?}"),
            );
            check.must(calls.is_empty() || role == "model", "a call that is not the model's");
            asked = calls;
            for part in parts.iter().filter(|p| !p["functionCall"].is_null()) {
                check.must(part["functionCall"]["args"].is_object(), "the args of a call are no object");
                let signed =
                    part["thoughtSignature"].as_str().is_none_or(|s| [SIGNATURE, UNSIGNED].contains(&s));
                check.must(signed, "the thoughtSignature of a call does not fit it");
            }
        }
        check.must(asked.is_empty(), format!("the calls {asked:?} have no results"));
    }

    fn tools(body: &Value) -> usize {
        declarations(body).count()
    }

    fn said(body: &Value) -> Vec<Said> {
        let said = |content: &Value| match text(content, "role") {
            "model" => Said::Model,
            _ => Said::User(list(content, "parts").iter().map(|p| text(p, "text")).collect()),
        };
        list(body, "contents").iter().map(said).collect()
    }

    fn whole(answer: &Answer<'_>) -> Value {
        let turn = answer.turn;
        let mut parts = Vec::new();
        if !turn.reasoning.is_empty() {
            parts.push(json!({ "text": turn.reasoning, "thought": true }));
        }
        if !turn.text.is_empty() {
            parts.push(json!({ "text": turn.text }));
        }
        parts.extend(calls(answer));
        response(answer, &parts, Some(finish(answer)))
    }

    fn events(answer: &Answer<'_>) -> Vec<String> {
        let turn = answer.turn;
        let mut parts: Vec<Value> = Vec::new();
        if !turn.reasoning.is_empty() {
            parts.extend(halves(&turn.reasoning).map(|part| json!({ "text": part, "thought": true })));
        }
        parts.extend(turn.text.split_inclusive(' ').map(|word| json!({ "text": word })));
        parts.extend(calls(answer));
        let mut events: Vec<Value> = parts.into_iter().map(|part| response(answer, &[part], None)).collect();
        events.push(response(answer, &[json!({ "text": "" })], Some(finish(answer))));
        events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect()
    }

    fn error(status: u16, message: &str) -> Value {
        let name = match status {
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            503 => "UNAVAILABLE",
            400..=499 => "INVALID_ARGUMENT",
            _ => "INTERNAL",
        };
        json!({ "error": { "code": status, "message": message, "status": name } })
    }

    /// A wrong key is a wrong argument to this service.
    fn wrong_key() -> Response {
        let mut error = Self::error(400, "API key not valid. Please pass a valid API key.");
        error["error"]["details"] = json!([{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
            "domain": "googleapis.com", "metadata": { "service": "generativelanguage.googleapis.com" },
        }]);
        (StatusCode::BAD_REQUEST, Json(error)).into_response()
    }

    fn count(tokens: usize) -> Value {
        json!({ "totalTokens": tokens })
    }

    fn too_long() -> Value {
        Self::error(
            400,
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        )
    }

    fn overloaded() -> String {
        format!("data: {}\r\n\r\n", Self::error(503, "The model is overloaded. Please try again later."))
    }
}

/// The functions that a request declares.
fn declarations(body: &Value) -> impl Iterator<Item = &Value> {
    list(body, "tools").iter().flat_map(|tool| list(tool, "functionDeclarations"))
}

/// The calls of an answer. Arguments are no text here, so calls with broken or cut ones are left out.
fn calls(answer: &Answer<'_>) -> Vec<Value> {
    let turn = answer.turn;
    if answer.broken || answer.stop == Stop::Length {
        return Vec::new();
    }
    let call = |(i, id, name): (usize, String, &str)| {
        let mut part = json!({ "functionCall": { "id": id, "name": name, "args": turn.calls[i].1 } });
        if i == 0 {
            part["thoughtSignature"] = SIGNATURE.into();
        }
        part
    };
    answer.calls("call").map(call).collect()
}

fn finish(answer: &Answer<'_>) -> &'static str {
    match answer.stop {
        Stop::Refusal => "SAFETY",
        Stop::Length => "MAX_TOKENS",
        Stop::Said if answer.broken => "MALFORMED_FUNCTION_CALL",
        Stop::Said => "STOP",
    }
}

fn response(answer: &Answer<'_>, parts: &[Value], finish: Option<&str>) -> Value {
    let (read, written) = answer.turn.tokens;
    let mut candidate = json!({ "content": { "role": "model", "parts": parts }, "index": 0 });
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    json!({
        "candidates": [candidate], "modelVersion": answer.body["model"], "responseId": format!("r{}", answer.number),
        "usageMetadata": { "promptTokenCount": read, "candidatesTokenCount": written, "totalTokenCount": read + written },
    })
}
