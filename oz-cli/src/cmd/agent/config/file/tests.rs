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
        "snapshot_disabled": true,
        "snapshot_upload_timeout_secs": 5, "snapshot_script_timeout_secs": 6, "source_repos": [{ "url": "/a", "checkout_ref": "main" }],
        "setup_commands": ["make"], "docker_image": "rust:1",
        "limits": { "max_turns": 1, "max_tokens": 2, "max_seconds": 3, "max_cost_usd": 4.0 },
        "secrets": [{ "name": "S" }], "git_credentials": [{ "host": "h", "secret": "S", "username": "u" }],
        "environment_variables": { "K": "V" }, "setup_timeout_seconds": 60,
        "providers": { "aws": { "role_arn": "arn:x" } }, "fallback_model_ids": ["f"],
        "permissions": { "execute_commands": "always_ask" }, "sandbox": { "memory_mb": 512 },
        "worker_labels": { "gpu": "a100" }, "instance_shape": { "vcpus": 8, "memory_gb": 64 }
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
        ("a.yaml", "mcp_servers: { a: { command: x, args: hunter2 } }"),
    ] {
        let error = read(name, text).unwrap_err();
        shown.push(error.lines().next().unwrap().to_owned());
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    Error: Invalid YAML in config file 'a.yaml': unknown key 'environment' (did you mean 'environment_id'?) at line 2, column 1
    Error: Invalid YAML in config file 'a.yaml': unknown key 'system_prompt' (did you mean 'base_prompt'?) at line 1, column 1
    Error: Invalid JSON in config file 'a.json': unknown key 'nmae' (did you mean 'name'?) at line 2 column 8
    Error: Invalid JSON in config file 'a.json': EOF while parsing a value at line 3 column 0
    Error: Invalid YAML in config file 'a.yaml': unclosed bracket '[' at line 1, column 7
    Error: Invalid YAML in config file 'a.yaml': expected sequence start at line 2, column 17
    Error: Invalid JSON in config file 'a.json': invalid type: string "yes", expected a boolean at line 1 column 30
    Error: Invalid YAML in config file 'a.yaml': limits: unknown key 'max_turn' (did you mean 'max_turns'?); expected max_turns, max_tokens, max_seconds, max_cost_usd
    Error: Invalid YAML in config file 'a.yaml': source_repos: unknown key 'ref'; expected url, checkout_ref
    Error: Invalid YAML in config file 'a': expected mapping start at line 1, column 1
    Error: Invalid mcp_servers in 'a.json': the MCP server 'a' needs exactly one of command, url and warp_id
    Error: Invalid mcp_servers in 'a.json': expected servers by name
    Error: Invalid mcp_servers in 'a.yaml': the MCP server 'a': args is not what is expected: a list of texts
    "#);
    assert!(shown.iter().all(|line| !line.contains("hunter2")));
    let error = read("a.yaml", "nmae: x").unwrap_err();
    insta::assert_snapshot!(error, @"
    Error: Invalid YAML in config file 'a.yaml': unknown key 'nmae' (did you mean 'name'?) at line 1, column 1
    => supported keys: base_prompt, computer_use_enabled, computer_use_model_id, credential_strategy, docker_image, environment_id, environment_variables, fallback_model_ids, git_credentials, harness, harness_auth_secrets, host, idle_timeout_minutes, inference_providers, instance_shape, limits, mcp_servers, memory_stores, model_id, name, permissions, profile_id, prompt, providers, runner_id, sandbox, secrets, session_sharing, setup_commands, setup_timeout_seconds, skill_spec, skills, snapshot_disabled, snapshot_script_timeout_secs, snapshot_upload_timeout_secs, source_repos, worker_host, worker_labels
    ");
    let error = ConfigFile::read(Path::new("/nonexistent/a.yaml")).unwrap_err().to_string();
    assert!(error.starts_with("Error: Failed to read config file '/nonexistent/a.yaml': "), "{error}");
    let words = "mcp_servers: { a: { command: y, env: { PORT: 80 } } }";
    assert_eq!(
        read("a.yaml", words).unwrap()["mcp_servers"],
        json!({ "a": { "command": "y", "env": { "PORT": "80" } } })
    );
    assert_eq!(read("a.yaml", "# nothing\n").unwrap()["prompt"], Value::Null);
}
