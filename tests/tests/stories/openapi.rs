//! The served OpenAPI document keeps what the published one promises, of which `wire/published.json` holds the facts:
//! per operation its success status, and the fields of its query, request and response. `$` is the whole value, `[]` an
//! element of a list, `{}` a value of a map. Ours may have more of everything.

use oz_core::api::BASE;
use oz_tests::{World, world::Options};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    net::TcpStream,
};

const PUBLISHED: &str = include_str!("../../wire/published.json");

/// Differences that are meant: a part of their lines, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("POST /agent/run: missing", "an older spelling of POST /agent/runs; documented once"),
    ("GET /agent/runs query $.skill: missing", "an older spelling of skill_spec; documented once"),
    ("GET /agent/runs/{}/transcript: missing", "a redirect, which the endpoint table can't hold"),
    (".steps[].summary: missing", "optional; steps are not summed up"),
    (".steps[].messages[].message_ids: missing", "optional; transcript entries have numbers, not ids"),
    (
        ".steps[].messages[].content[].message_id: missing",
        "optional; transcript entries have numbers, not ids",
    ),
    (".steps[].messages[].request_id: missing", "optional; requests to models have no ids"),
    (".agent_skill.bundled_skill_id: missing", "optional; every skill is a file of a repository"),
];

/// Whether a value goes to the server or comes from it.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    In,
    Out,
}

/// A document whose references can be followed.
struct Document(Value);

impl Document {
    /// The schemas without combinations that a schema is made of, without the one of `null`.
    fn leaves<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.0.pointer(reference.trim_start_matches('#'));
            return self.leaves(target.unwrap_or_else(|| panic!("{reference} leads nowhere")));
        }
        let combined = ["allOf", "anyOf", "oneOf"].iter().filter_map(|k| schema[*k].as_array()).flatten();
        let values = combined.filter(|s| s["enum"] != json!([null]));
        let mut leaves: Vec<_> = values.flat_map(|s| self.leaves(s)).collect();
        if leaves.is_empty() || ["type", "properties", "enum"].iter().any(|k| schema.get(*k).is_some()) {
            leaves.push(schema);
        }
        leaves
    }

    /// The schemas at a path below this one.
    fn at<'a>(&'a self, schema: &'a Value, path: &str) -> Vec<&'a Value> {
        let path = path.replace("[]", ".[]").replace("{}", ".{}");
        path.split('.').skip(1).fold(self.leaves(schema), |found, step| {
            let child = |s: &'a Value| match step {
                "[]" => s.get("items"),
                "{}" => s.get("additionalProperties"),
                name => s["properties"].get(name),
            };
            found.into_iter().filter_map(child).flat_map(|s| self.leaves(s)).collect()
        })
    }

    /// Operations by method and path, without the names of path parameters.
    fn operations(&self) -> BTreeMap<String, &Value> {
        let mut operations = BTreeMap::new();
        for (path, methods) in self.0["paths"].as_object().expect("paths") {
            let path = path.strip_prefix(BASE).unwrap_or(path);
            let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
            let path = parts.collect::<Vec<_>>().join("/");
            for (method, operation) in methods.as_object().expect("methods") {
                operations.insert(format!("{} {path}", method.to_uppercase()), operation);
            }
        }
        operations
    }
}

/// The query parameters of an operation as one object.
fn query(operation: &Value) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "query") {
        let name = parameter["name"].as_str().expect("name").to_owned();
        if parameter["required"] == true {
            required.push(name.clone());
        }
        properties.insert(name, parameter["schema"].clone());
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// The strings of a list.
fn strings(list: &Value) -> BTreeSet<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What every schema requires that `defines` accepts.
fn required<'a>(schemas: &[&'a Value], defines: impl Fn(&Value) -> bool) -> BTreeSet<&'a str> {
    let of_each = schemas.iter().filter(|s| defines(s)).map(|s| strings(&s["required"]));
    of_each.reduce(|a, b| &a & &b).unwrap_or_default()
}

/// Compares the fields of a query, a request or a response.
fn fields(published: &Map<String, Value>, ours: &Document, schema: &Value, way: Way) -> Vec<String> {
    let mut found = Vec::new();
    let mut missing: Vec<&String> = Vec::new();
    for (path, fact) in published {
        let below = |above: &&String| {
            path.strip_prefix(above.as_str()).is_some_and(|p| p.starts_with(['.', '[', '{']))
        };
        if missing.iter().any(below) {
            continue;
        }
        let schemas = ours.at(schema, path);
        if schemas.is_empty() {
            found.push(format!("{path}: missing"));
            missing.push(path);
            continue;
        }
        found.extend(value(fact, &schemas, way).map(|what| format!("{path}: {what}")));
        let parent = path.rsplit_once('.').filter(|(_, name)| !name.ends_with(['}', ']']));
        match (way, parent) {
            (Way::Out, Some((parent, name))) if fact["required"] == true => {
                let defines = |s: &Value| s["properties"].get(name).is_some();
                if !required(&ours.at(schema, parent), defines).contains(name) {
                    found.push(format!("{path}: must be required"));
                }
            }
            (Way::In, _) => {
                let needed = required(&schemas, |s| s.get("properties").is_some());
                let sent = |name: &&str| {
                    published.get(&format!("{path}.{name}")).is_some_and(|f| f["required"] == true)
                };
                found.extend(
                    needed.iter().filter(|n| !sent(n)).map(|n| format!("{path}.{n}: must not be required")),
                );
            }
            _ => {}
        }
    }
    found
}

/// What is wrong with the type of a value.
fn value(fact: &Value, ours: &[&Value], way: Way) -> Option<String> {
    let wanted = fact["type"].as_str().expect("type");
    let fits = |s: &&Value| match s["type"].as_str() {
        None => way == Way::In,
        Some(have) => have == wanted || (way == Way::Out && (have, wanted) == ("integer", "number")),
    };
    let good = if way == Way::In { ours.iter().any(fits) } else { ours.iter().all(fits) };
    if !good {
        let have: Vec<_> = ours.iter().map(|s| s["type"].as_str().unwrap_or("of no type")).collect();
        return Some(format!("is {}, must be {wanted}", have.join(" or ")));
    }
    let known: BTreeSet<&str> = ours.iter().flat_map(|s| strings(&s["enum"])).collect();
    let closed = ours.iter().all(|s| s.get("enum").is_some());
    let values = strings(&fact["enum"]);
    let absent: Vec<&str> = values.difference(&known).copied().collect();
    match (fact.get("enum").is_some(), closed) {
        (true, true) if !absent.is_empty() => Some(format!("lacks the values {}", absent.join(", "))),
        (true, false) if way == Way::Out => Some("does not list its values".into()),
        (false, true) if way == Way::In => Some("takes only some values".into()),
        _ if way == Way::Out
            && fact.get("format").is_some_and(|f| ours.iter().any(|s| s["format"] != *f)) =>
        {
            Some(format!("must be a {}", fact["format"].as_str().unwrap_or_default()))
        }
        _ => None,
    }
}

/// Compares an operation.
fn operation(published: &Value, ours: &Document, operation: &Value) -> Vec<String> {
    let status = published["status"].to_string();
    let Some(response) = operation["responses"].get(&status) else {
        let have: Vec<&String> = operation["responses"].as_object().into_iter().flat_map(Map::keys).collect();
        return vec![format!(": answers {have:?}, must answer {status}")];
    };
    let json = |body: &Value| body["content"]["application/json"]["schema"].clone();
    let parts = [
        ("query", query(operation), Way::In),
        ("request", json(&operation["requestBody"]), Way::In),
        ("response", json(response), Way::Out),
    ];
    let mut found = Vec::new();
    for (name, schema, way) in parts {
        let Some(facts) = published[name].as_object() else { continue };
        if schema.is_null() {
            found.push(format!(" {name}: missing"));
        } else {
            found.extend(fields(facts, ours, &schema, way).into_iter().map(|line| format!(" {name} {line}")));
        }
    }
    found
}

/// Everything in which a document falls short of the published one.
fn differences(published: &Value, ours: &Document) -> Vec<String> {
    let operations = ours.operations();
    let mut found = Vec::new();
    for (name, facts) in published.as_object().expect("operations") {
        match operations.get(name) {
            Some(ours_of) => {
                found.extend(operation(facts, ours, ours_of).into_iter().map(|line| format!("{name}{line}")));
            }
            None => found.push(format!("{name}: missing")),
        }
    }
    found
}

/// The document that a server serves to anybody.
fn served() -> Value {
    let world = World::start(Options { embedded_worker: false, ..Default::default() });
    let mut socket = TcpStream::connect(world.url().trim_start_matches("http://")).unwrap();
    socket.write_all(b"GET /openapi.json HTTP/1.0\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"), "{head}");
    serde_json::from_str(body).unwrap()
}

#[test]
fn the_document_keeps_what_the_published_one_promises() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let found = differences(&published, &Document(served()));
    let allowed = |line: &String| ALLOWED.iter().any(|(part, _)| line.contains(part));
    let wrong: Vec<String> = found.iter().filter(|line| !allowed(line)).cloned().collect();
    assert!(
        wrong.is_empty(),
        "{} differences from the published document:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    for (part, reason) in ALLOWED {
        assert!(found.iter().any(|line| line.contains(part)), "no longer needed: {part} ({reason})");
    }
}
