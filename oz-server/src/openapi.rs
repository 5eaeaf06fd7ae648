//! The OpenAPI document, made from the endpoint table.

use oz_core::api::{ALL, Auth, BASE, Info};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The document.
pub(crate) fn document() -> Value {
    let mut generator = SchemaSettings::openapi3().into_generator();
    let problem = generator.subschema_for::<oz_core::error::Problem>();
    let mut paths: Map<String, Value> = Map::new();
    for info in ALL {
        let operation = operation(info, &mut generator);
        let path = paths.entry(format!("{BASE}{}", info.path)).or_insert_with(|| json!({}));
        path[info.method.as_str().to_lowercase()] = operation;
    }
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Oz, open", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "Apache-2.0 OR MIT" } },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "responses": { "Problem": { "description": "What went wrong", "content": { "application/problem+json": { "schema": problem } } } },
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "An API key" },
                "workload": { "type": "http", "scheme": "bearer", "description": "The token of one run" }
            }
        }
    })
}

fn operation(info: &Info, generator: &mut SchemaGenerator) -> Value {
    let request = fields(info);
    let success = if info.status == 204 {
        json!({ "description": "Done" })
    } else {
        let response = (info.response)(generator);
        json!({ "description": "Success", "content": { "application/json": { "schema": response } } })
    };
    let mut operation = json!({
        "operationId": info.id,
        "summary": info.doc.trim(),
        "responses": {
            info.status.to_string(): success,
            "default": { "$ref": "#/components/responses/Problem" }
        },
        "security": match info.auth {
            Auth::Open => json!([]),
            Auth::Any => json!([{ "key": [] }, { "workload": [] }]),
            Auth::Key | Auth::User | Auth::Admin => json!([{ "key": [] }]),
            Auth::Workload => json!([{ "workload": [] }]),
        }
    });
    let required = request["required"].as_array().cloned().unwrap_or_default();
    let in_path: Vec<&str> = info.path_fields().collect();
    let mut parameters = Vec::new();
    for (name, schema) in request["properties"].as_object().into_iter().flatten() {
        let place = if in_path.contains(&name.as_str()) {
            "path"
        } else if info.in_query() {
            "query"
        } else {
            continue;
        };
        let mut parameter = json!({
            "name": name, "in": place, "required": place == "path" || required.iter().any(|r| r == name), "schema": schema,
        });
        if schema["type"] == "object" {
            parameter["style"] = "deepObject".into();
        }
        if let Some(description) = schema.get("description") {
            parameter["description"] = description.clone();
        }
        parameters.push(parameter);
    }
    operation["parameters"] = parameters.into();
    if !info.in_query() {
        let schema = if in_path.is_empty() {
            (info.request)(generator).to_value()
        } else {
            without(&request, &in_path)
        };
        let needed = needs_body(&request, &in_path);
        operation["requestBody"] =
            json!({ "required": needed, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

/// Whether a body must be sent: some of its fields can't be left out.
fn needs_body(request: &Value, in_path: &[&str]) -> bool {
    let required = request["required"].as_array().into_iter().flatten();
    required.filter_map(Value::as_str).any(|name| !in_path.contains(&name))
}

/// The fields of a request type, with everything they refer to in place.
fn fields(info: &Info) -> Value {
    let mut generator = SchemaSettings::openapi3().with(|s| s.inline_subschemas = true).into_generator();
    (info.request)(&mut generator).to_value()
}

/// The body's part of a request whose other fields stand in the path.
fn without(request: &Value, in_path: &[&str]) -> Value {
    let mut body = request.clone();
    if let Some(properties) = body["properties"].as_object_mut() {
        properties.retain(|name, _| !in_path.contains(&name.as_str()));
    }
    if let Some(required) = body["required"].as_array_mut() {
        required.retain(|name| !in_path.iter().any(|p| name == p));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_documented() {
        let document = document();
        for info in ALL {
            let operation =
                &document["paths"][format!("{BASE}{}", info.path)][info.method.as_str().to_lowercase()];
            assert_eq!(operation["operationId"], info.id);
            assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{} has no doc", info.id);
        }
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(
                document["components"]["schemas"].get(name).is_some(),
                "{name} is referred to but not defined"
            );
        }
    }
}
