//! Who may know whom: the dependency edges between the rooms.

use super::Violation;
use serde_json::Value;

/// Each room with all the rooms that it may know.
const EDGES: &[(&str, &[&str])] = &[
    ("oz-core", &[]),
    ("oz-client", &["oz-core"]),
    ("oz-bridge", &["oz-core", "oz-client", "oz-server", "oz-worker", "oz-agent"]),
    ("oz-server", &["oz-core"]),
    ("oz-worker", &["oz-core"]),
    ("oz-agent", &["oz-core", "oz-client"]),
    ("oz-cli", &["oz-core", "oz-client", "oz-server", "oz-worker", "oz-agent"]),
    (
        "oz-tests",
        &["oz-core", "oz-client", "oz-server", "oz-worker", "oz-agent", "fake-kubernetes", "fake-model"],
    ),
    ("fake-kubernetes", &[]),
    ("fake-model", &[]),
    ("oz-node", &["oz-bridge"]),
    ("oz-python", &["oz-bridge"]),
    ("xtask", &["oz-core", "oz-client"]),
];
/// What a room may know besides, for its own tests.
const FOR_TESTS: &[&str] = &["fake-kubernetes", "fake-model"];

/// What cargo knows of the workspace.
pub(super) fn metadata() -> Result<Value, String> {
    let output = crate::cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

/// Checks every edge.
pub(super) fn check(metadata: &Value) -> Vec<Violation> {
    let mut wrong = Vec::new();
    for package in list(&metadata["packages"]) {
        let name = text(&package["name"]);
        let manifest = manifest(metadata, package);
        let Some((_, known)) = EDGES.iter().find(|(room, _)| *room == name) else {
            wrong.push(Violation::new(
                &manifest,
                1,
                "edges",
                "a new room needs a row in xtask/src/tidy/edges.rs",
            ));
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            let other = text(&dependency["name"]);
            let ours = EDGES.iter().any(|(room, _)| *room == other);
            let for_tests = dependency["kind"] == "dev" && FOR_TESTS.contains(&other);
            if ours && !known.contains(&other) && !for_tests {
                let advice =
                    format!("{name} must not know {other}; see \"Who may know whom\" in ARCHITECTURE.md");
                wrong.push(Violation::new(&manifest, 1, "edges", advice));
            }
        }
    }
    wrong
}

fn manifest(metadata: &Value, package: &Value) -> String {
    let path = text(&package["manifest_path"]);
    path.strip_prefix(text(&metadata["workspace_root"])).unwrap_or(path).trim_start_matches('/').to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn room(name: &str, knows: &str, kind: &Value) -> Vec<String> {
        let dependency = json!({ "name": knows, "kind": kind });
        let package = json!({ "name": name, "manifest_path": format!("/w/{name}/Cargo.toml"), "dependencies": [dependency] });
        let metadata = json!({ "workspace_root": "/w", "packages": [package] });
        check(&metadata).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_the_edges_of_the_table_are_legal() {
        let (normal, dev, build) = (Value::Null, json!("dev"), json!("build"));
        for (name, knows, kind) in [
            ("oz-client", "oz-core", &normal),
            ("oz-cli", "oz-server", &normal),
            ("oz-tests", "oz-server", &normal),
            ("oz-agent", "fake-model", &dev),
            ("oz-core", "serde", &normal),
        ] {
            assert!(room(name, knows, kind).is_empty(), "{name} may know {knows}");
        }
        for (name, knows, kind) in [
            ("oz-core", "oz-client", &normal),
            ("oz-worker", "oz-agent", &normal),
            ("oz-agent", "oz-server", &dev),
            ("oz-client", "oz-server", &build),
            ("oz-agent", "fake-model", &normal),
            ("oz-server", "xtask", &dev),
        ] {
            let wrong = room(name, knows, kind);
            assert_eq!(wrong.len(), 1, "{name} must not know {knows}");
            assert!(
                wrong[0].starts_with(&format!("{name}/Cargo.toml:1: edges: {name} must not know {knows}"))
            );
        }
        assert!(room("oz-new", "serde", &normal)[0].contains("a new room needs a row"));
    }
}
