//! What `--mcp` takes: the id or name of a shared server, a file, or JSON.

use crate::error::CliError;
use oz_core::config::McpServerConfig;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fs, path::Path};
use uuid::Uuid;

/// MCP servers by name.
pub(in crate::cmd) type Servers = BTreeMap<String, McpServerConfig>;

/// Where configuration files of other tools keep their servers.
const WRAPPERS: [&str; 4] = ["/mcp/servers", "/servers", "/mcpServers", "/mcp_servers"];

/// Reads several; the same name twice is refused.
pub(in crate::cmd) fn servers(specs: &[String]) -> Result<Servers, CliError> {
    let mut all = Servers::new();
    for spec in specs {
        for (name, server) in read(spec)? {
            if all.insert(name.clone(), server).is_some() {
                let message = format!("Duplicate MCP server name '{name}' specified multiple times");
                return Err(CliError::new(message));
            }
        }
    }
    Ok(all)
}

fn read(spec: &str) -> Result<Servers, CliError> {
    let shared = || McpServerConfig { warp_id: Some(spec.to_owned()), ..McpServerConfig::default() };
    if Uuid::parse_str(spec).is_ok() {
        return Ok([(spec.to_owned(), shared())].into());
    }
    if Path::new(spec).is_file() {
        let text = fs::read_to_string(spec)
            .map_err(|e| CliError::new(format!("the MCP configuration '{spec}' can't be read: {e}")))?;
        return json(&text).map_err(|e| CliError::new(format!("the MCP configuration '{spec}': {e}")));
    }
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !spec.is_empty() && spec.chars().all(word) {
        return Ok([(spec.to_owned(), shared())].into());
    }
    json(spec).map_err(|e| {
        CliError::new(format!("--mcp: {e}")).hint(
            "pass the id of a shared server, a file, or JSON such as {\"name\": {\"command\": \"server\"}}",
        )
    })
}

/// A server alone, a wrapper of servers, or servers by name. The outer braces may be left out. A name may be there once.
fn json(text: &str) -> Result<Servers, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let parsed = serde_json::from_str(text)
        .or_else(|e| serde_json::from_str(&format!("{{{text}}}")).map_err(|_| e))
        .map_err(|e| format!("it is not valid JSON: {e}"))?;
    let Value::Object(mut map) = parsed else { return Err("it is not a JSON object".to_owned()) };
    if map.get("command").or(map.get("url")).or(map.get("serverUrl")).is_some_and(Value::is_string) {
        let name = Uuid::new_v4().to_string();
        return Ok([(name.clone(), server(&name, Value::Object(map))?)].into());
    }
    let whole = Value::Object(map.clone());
    if let Some(Value::Object(inner)) = WRAPPERS.into_iter().find_map(|at| whole.pointer(at)) {
        map = inner.clone();
    }
    named(map)
}

/// Servers by name.
pub(in crate::cmd) fn named(map: Map<String, Value>) -> Result<Servers, String> {
    let read = |(name, value): (String, Value)| {
        if name.trim().is_empty() {
            return Err("an MCP server needs a name that is not empty".to_owned());
        }
        let server = server(&name, value)?;
        Ok((name, server))
    };
    map.into_iter().map(read).collect()
}

fn server(name: &str, mut value: Value) -> Result<McpServerConfig, String> {
    if let Some(map) = value.as_object_mut() {
        alias(map);
    }
    // The parser's own message may quote a value, which may be a secret.
    let server: McpServerConfig = serde_path_to_error::deserialize(value)
        .map_err(|e| format!("the MCP server '{name}': {} is not of the right type", e.path()))?;
    let given: Vec<_> = [&server.warp_id, &server.command, &server.url].into_iter().flatten().collect();
    match given[..] {
        [text] if !text.trim().is_empty() => {}
        _ => return Err(format!("the MCP server '{name}' needs exactly one of command, url and warp_id")),
    }
    let local = !server.args.is_empty() || !server.env.is_empty() || server.working_directory.is_some();
    if server.command.is_none() && local {
        return Err(format!("the MCP server '{name}': args, env and working_directory go with command only"));
    }
    if server.url.is_none() && !server.headers.is_empty() {
        return Err(format!("the MCP server '{name}': headers go with url only"));
    }
    Ok(server)
}

/// Other tools call the address `serverUrl`.
fn alias(map: &mut Map<String, Value>) {
    if let Some(url) = map.remove("serverUrl") {
        map.entry("url").or_insert(url);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(spec: &str) -> Vec<String> {
        read(spec).unwrap().into_keys().collect()
    }

    #[test]
    fn every_form_is_read() {
        let id = "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11";
        assert_eq!(read(id).unwrap()[id].warp_id.as_deref(), Some(id));
        assert_eq!(read("linear").unwrap()["linear"].warp_id.as_deref(), Some("linear"));
        let inner = r#"{"a": {"command": "x", "args": ["1"], "env": {"K": "{{V}}"}}, "b": {"serverUrl": "http://y"}}"#;
        for spec in [
            inner.to_owned(),
            inner[1..inner.len() - 1].to_owned(),
            format!(r#"{{"mcp": {{"servers": {inner}}}}}"#),
            format!(r#"{{"servers": {inner}}}"#),
            format!(r#"{{"mcpServers": {inner}}}"#),
            format!(r#"{{"mcp_servers": {inner}}}"#),
        ] {
            assert_eq!(names(&spec), ["a", "b"], "{spec}");
            assert_eq!(read(&spec).unwrap()["b"].url.as_deref(), Some("http://y"), "{spec}");
        }
        let alone = names(r#"{"command": "x"}"#);
        assert!(Uuid::parse_str(&alone[0]).is_ok() && alone.len() == 1, "{alone:?}");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mcp.json");
        fs::write(&file, inner).unwrap();
        assert_eq!(names(file.to_str().unwrap()), ["a", "b"]);
        assert!(names("{}").is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        for (spec, expected) in [
            ("", "it is empty"),
            ("{bad", "not valid JSON"),
            ("[1]", "not a JSON object"),
            (r#"{"a": {}}"#, "'a' needs exactly one"),
            (r#"{"a": {"command": ""}}"#, "'a' needs exactly one"),
            (r#"{"a": {"command": "x", "url": "y"}}"#, "'a' needs exactly one"),
            (r#"{"a": {"command": "x", "args": "y"}}"#, "'a'"),
        ] {
            let error = read(spec).unwrap_err().to_string();
            assert!(error.contains(expected), "{spec}: {error}");
        }
        let error = servers(&["a".to_owned(), r#"{"a": {"command": "x"}}"#.to_owned()]).unwrap_err();
        assert!(error.to_string().contains("Duplicate MCP server name 'a'"), "{error}");
    }
}
