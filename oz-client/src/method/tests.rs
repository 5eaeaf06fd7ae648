//! The list against the sources and the table: what is missing in it, no other language gets.

use super::*;
use serde_json::json;
use std::{collections::BTreeSet, fs, path::Path};
use syn::{ImplItem, Item, Type, Visibility};

/// What only Rust has: it is about types of Rust, or about what a binding does in its own way.
const RUST_ONLY: &[&str] = &[
    "Client.new",
    "Client.send",
    "Client.send_once",
    "Client.send_raw",
    "Client.send_row",
    "Client.server_url",
    "Client.watch_with",
    "Client.with_options",
    "Client.with_source",
    "Client.with_workload_token",
];

/// The public methods in `impl` blocks of `types`, as they stand in the sources.
fn written(types: &BTreeSet<&str>) -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files =
        [source.clone(), source.join("resources")].into_iter().flat_map(|dir| fs::read_dir(dir).unwrap());
    let mut found = BTreeSet::new();
    for path in
        files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "rs"))
    {
        let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
        for item in file.items {
            let Item::Impl(block) = item else { continue };
            let Type::Path(of) = &*block.self_ty else { continue };
            let of = of.path.segments.last().unwrap().ident.to_string();
            if !types.contains(of.as_str()) {
                continue;
            }
            for item in block.items {
                let ImplItem::Fn(function) = item else { continue };
                if matches!(function.vis, Visibility::Public(_)) {
                    found.insert(format!("{of}.{}", function.sig.ident));
                }
            }
        }
    }
    found
}

#[test]
fn every_public_method_is_listed() {
    let types: BTreeSet<&str> = nouns().iter().map(|noun| noun.type_name).collect();
    let mut written = written(&types);
    assert!(written.len() > RUST_ONLY.len(), "the sources were not found");
    for name in RUST_ONLY {
        assert!(written.remove(*name), "{name} is there no more");
    }
    let listed = nouns()
        .iter()
        .flat_map(|noun| noun.by_hand.iter().map(|method| format!("{}.{}", noun.type_name, method.name)));
    assert_eq!(listed.collect::<BTreeSet<_>>(), written, "left: listed; right: in the sources");
}

#[test]
fn every_row_that_a_user_calls_has_a_method() {
    let rows = oz_core::api::ALL.iter().filter(|row| !row.path.starts_with("/harness-support/"));
    let rows: BTreeSet<&str> = rows.map(|row| row.id).collect();
    let covered: Vec<&str> = all().filter_map(Method::row).map(|row| row.id).collect();
    assert_eq!(
        covered.iter().copied().collect::<BTreeSet<_>>(),
        rows,
        "left: what has a method; right: the table"
    );
    assert_eq!(covered.len(), rows.len(), "a row has two methods");
}

#[test]
fn methods_are_found_by_their_names() {
    let mut names = BTreeSet::new();
    for method in all() {
        let name = method.full_name();
        assert!(
            std::ptr::eq(find(&name).unwrap(), method) && names.insert(name.clone()),
            "{name} is there twice"
        );
        assert!(!method.summary().is_empty() && !method.summary().contains("```"), "{name}");
    }
    assert!(find("runs.creat").is_none());
}

#[cfg(feature = "schema")]
#[test]
fn methods_say_what_they_take() {
    for method in all() {
        let name = method.full_name();
        let mut generator = SchemaGenerator::default();
        (method.request)(&mut generator);
        let schema = serde_json::to_value(generator.definitions()).unwrap();
        let fields: BTreeSet<&String> = schema
            .as_object()
            .unwrap()
            .values()
            .flat_map(|definition| {
                definition["properties"].as_object().into_iter().flatten().map(|(field, _)| field)
            })
            .collect();
        for argument in method.arguments {
            assert!(fields.iter().any(|field| *field == argument), "{name} takes no {argument}");
        }
    }
}

#[tokio::test]
async fn a_request_that_does_not_fit_is_told_by_its_field_and_not_sent() {
    // Nothing listens there: who gets that far fails otherwise.
    let client = Client::new("http://127.0.0.1:1", None).unwrap();
    for (name, request, expected) in [
        ("runs.get", json!({ "run_id": "banana" }), "run_id: 'banana' is not valid; expected a UUID"),
        ("runs.create", json!({ "prompt": 7 }), "prompt: invalid type: integer `7`"),
        ("runs.list", json!({ "limit": 0 }), "limit: '0' is not valid; expected 1 to 500"),
        ("runs.cancel", json!({ "run_id": 7 }), "run_id: "),
        ("runs.create", json!([]), "request: expected an object"),
    ] {
        let error = find(name).unwrap().call(&client, request).await.unwrap_err();
        assert!(error.status() == Some(400) && error.to_string().starts_with(expected), "{name}: {error}");
    }
    for (name, request, expected) in [
        ("watch", json!({ "run_id": "x" }), "run_id: "),
        ("runs.list_all", json!({ "limit": 0 }), "limit: '0'"),
    ] {
        let error = find(name).unwrap().stream(&client, request).err().unwrap();
        assert!(error.to_string().starts_with(expected), "{name}: {error}");
    }
    let error = find("watch").unwrap().call(&client, json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "the method 'watch' is no call but: Stream");
}
