use super::*;
use serde_json::json;

fn read(name: &str, text: &str) -> Result<Value, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    let file = ConfigFile::read(&path).map_err(|e| e.to_string().replace(&*path.to_string_lossy(), name))?;
    let mut value = serde_json::to_value(file.config).unwrap();
    value["prompt"] = json!(file.prompt);
    Ok(value)
}

/// Every field of an agent's configuration, as the wire has it.
fn whole() -> Value {
    json!({
        "name": "n", "model_id": "m", "base_prompt": "b", "environment_id": "e", "skills": ["s"],
        "mcp_servers": { "a": { "command": "x", "args": ["1"], "env": { "K": "{{V}}" }, "working_directory": "w" },
            "b": { "url": "http://y", "headers": { "A": "b" } }, "c": { "warp_id": "linear" } },
        "computer_use_enabled": true, "idle_timeout_minutes": 5, "worker_host": "h",
        "harness": { "type": "codex", "model_id": "m", "reasoning_level": "high" },
        "harness_auth_secrets": { "codex_auth_secret_name": "S" }, "credential_strategy": "EXECUTOR",
        "inference_providers": { "aws": { "region": "r" } },
        "memory_stores": [{ "uid": "u", "access": "read_only", "instructions": "i" }], "runner_id": "r",
        "session_sharing": { "public_access": "VIEWER" }, "computer_use_model_id": "c", "profile_id": "p",
        "snapshot_disabled": true, "source_repos": [{ "url": "/a", "checkout_ref": "main" }],
        "setup_commands": ["make"], "docker_image": "rust:1",
        "limits": { "max_turns": 1, "max_tokens": 2, "max_seconds": 3, "max_cost_usd": 4.0 },
        "secrets": [{ "name": "S" }], "git_credentials": [{ "host": "h", "secret": "S", "username": "u" }],
        "environment_variables": { "K": "V" }, "setup_timeout_seconds": 60,
        "providers": { "aws": { "role_arn": "arn:x" } }, "fallback_model_ids": ["f"]
    })
}

#[test]
fn every_field_of_a_configuration_is_read() {
    let mut expected = whole();
    expected["prompt"] = json!("do it");
    let mut file = expected.clone();
    let map = file.as_object_mut().unwrap();
    let host = map.remove("worker_host").unwrap();
    map.insert("host".to_owned(), host);
    assert_eq!(read("a.json", &file.to_string()).unwrap(), expected);
    assert_eq!(read("a", &file.to_string()).unwrap(), expected);
    assert_eq!(read("a.yaml", &serde_saphyr::to_string(&file).unwrap()).unwrap(), expected);
    // The list above is whole: a new field has to be added to it.
    let mut named: Vec<String> = whole().as_object().unwrap().keys().cloned().collect();
    named.extend(["host", "prompt", "skill_spec"].map(str::to_owned));
    named.sort_unstable();
    assert_eq!(named, keys::all());
}

#[test]
fn mistakes_are_located() {
    let mut shown = Vec::new();
    for (name, text) in [
        ("a.yaml", "name: x\nenvironment: e\n"),
        ("a.yaml", "system_prompt: s"),
        ("a.json", "{\n  \"nmae\": \"x\"\n}"),
        ("a.json", "{\n  \"name\": \n"),
        ("a.yaml", "name: [x"),
        ("a.yaml", "name: x\nsetup_commands: 3\n"),
        ("a.json", "{\"computer_use_enabled\": \"yes\"}"),
        ("a.yaml", "limits: { max_turn: 3 }"),
        ("a.yaml", "source_repos: [{ url: /a, ref: main }]"),
        ("a", "- a"),
        ("a.json", "{\"mcp_servers\": {\"a\": {\"command\": \"x\", \"url\": \"y\"}}}"),
        ("a.json", "{\"mcp_servers\": [1]}"),
    ] {
        let error = read(name, text).unwrap_err();
        shown.push(error.lines().next().unwrap().to_owned());
    }
    insta::assert_snapshot!(shown.join("\n"), @"");
    let error = read("a.yaml", "nmae: x").unwrap_err();
    insta::assert_snapshot!(error, @"");
    let error = ConfigFile::read(Path::new("/nonexistent/a.yaml")).unwrap_err().to_string();
    assert!(error.starts_with("Error: Failed to read config file '/nonexistent/a.yaml': "), "{error}");
    assert_eq!(read("a.yaml", "# nothing\n").unwrap()["prompt"], Value::Null);
}
