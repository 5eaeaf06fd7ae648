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

/// What a SPEC is. The order counts: a word may name a file, too.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Shared,
    File,
    Json,
}

fn kind(spec: &str, is_file: bool) -> Kind {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match spec {
        spec if Uuid::parse_str(spec).is_ok() => Kind::Shared,
        _ if is_file => Kind::File,
        spec if !spec.is_empty() && spec.chars().all(word) => Kind::Shared,
        _ => Kind::Json,
    }
}

fn read(spec: &str) -> Result<Servers, CliError> {
    match kind(spec, Path::new(spec).is_file()) {
        Kind::Shared => {
            let shared = McpServerConfig { warp_id: Some(spec.to_owned()), ..McpServerConfig::default() };
            Ok([(spec.to_owned(), shared)].into())
        }
        Kind::File => {
            let text = fs::read_to_string(spec)
                .map_err(|e| CliError::new(format!("the MCP configuration '{spec}' can't be read: {e}")))?;
            json(&text).map_err(|e| CliError::new(format!("the MCP configuration '{spec}': {e}")))
        }
        Kind::Json => json(spec).map_err(|e| {
            CliError::new(format!("--mcp: {e}")).hint(
                "pass the id of a shared server, a file, or JSON such as {\"name\": {\"command\": \"server\"}}",
            )
        }),
    }
}

/// A server alone, a wrapper of servers, or servers by name. The outer braces may be left out.
fn json(text: &str) -> Result<Servers, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    // No JSON looks like this; and it may be shown, for it holds no value of a variable.
    if text.contains(['/', '.']) && !text.contains(['{', '[', '"', ':']) {
        return Err(format!("there is no file '{text}'"));
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
    let is_server = |inner: &Map<String, Value>| {
        ["command", "url", "serverUrl", "warp_id"]
            .iter()
            .any(|key| inner.get(*key).is_some_and(Value::is_string))
    };
    let inner = WRAPPERS.into_iter().find_map(|at| whole.pointer(at)?.as_object());
    if let Some(inner) = inner.filter(|inner| !is_server(inner)) {
        map = inner.clone();
    }
    named(map)
}

/// Servers by name.
pub(in crate::cmd) fn named(map: Map<String, Value>) -> Result<Servers, String> {
    let read = |(name, value): (String, Value)| {
        let server = server(&name, value)?;
        Ok((name, server))
    };
    map.into_iter().map(read).collect()
}

fn server(name: &str, value: Value) -> Result<McpServerConfig, String> {
    // The parser's own message may quote a value, which may be a secret.
    let server: McpServerConfig = serde_path_to_error::deserialize(value)
        .map_err(|e| format!("the MCP server '{name}': {}", mistyped(&e.path().to_string())))?;
    check(name, &server)?;
    Ok(server)
}

/// Checks what the types can't.
pub(in crate::cmd) fn check(name: &str, server: &McpServerConfig) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("an MCP server needs a name that is not empty".to_owned());
    }
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
    Ok(())
}

fn mistyped(path: &str) -> String {
    let expected = match path.split(['.', '[']).next().unwrap_or_default() {
        "args" => "a list of texts",
        "env" | "headers" => "texts by name",
        "" => return "it is not a JSON object".to_owned(),
        _ => "a text",
    };
    format!("{path} is not what is expected: {expected}")
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
    fn a_word_may_be_a_file() {
        let id = "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11";
        for (spec, is_file, expected) in [
            (id, true, Kind::Shared),
            ("linear", true, Kind::File),
            ("linear", false, Kind::Shared),
            ("mcp.json", true, Kind::File),
            ("mcp.json", false, Kind::Json),
            ("a b", false, Kind::Json),
            ("", false, Kind::Json),
            ("{}", true, Kind::File),
        ] {
            assert_eq!(kind(spec, is_file), expected, "{spec} {is_file}");
        }
    }

    #[test]
    fn wrappers_are_tried_in_order() {
        let one = |name: &str| format!(r#"{{"{name}": {{"command": "x"}}}}"#);
        let all = [
            format!(r#""mcp": {{"servers": {}}}"#, one("first")),
            format!(r#""servers": {}"#, one("second")),
            format!(r#""mcpServers": {}"#, one("third")),
            format!(r#""mcp_servers": {}"#, one("fourth")),
        ];
        for (i, expected) in ["first", "second", "third", "fourth"].into_iter().enumerate() {
            assert_eq!(names(&format!("{{{}}}", all[i..].join(","))), [expected]);
            assert_eq!(names(&all[i..].join(",")), [expected]);
        }
        // A server may be called like a wrapper.
        assert_eq!(names(r#"{"servers": {"command": "x"}}"#), ["servers"]);
        assert_eq!(names(r#"{"serverUrl": "http://x"}"#).len(), 1);
    }

    #[test]
    fn everything_that_a_server_has_is_kept() {
        let spec = r#"{"a": {"type": "stdio", "command": "x", "args": ["1"], "env": {"K": "V"}, "working_directory": "/w"}}"#;
        assert_eq!(
            serde_json::to_value(read(spec).unwrap()).unwrap(),
            serde_json::json!({ "a": { "transport": "stdio", "command": "x", "args": ["1"], "env": { "K": "V" }, "working_directory": "/w" } })
        );
    }

    #[test]
    fn mistakes_are_named() {
        let specs = [
            "",
            "{bad",
            "[1]",
            r#"{"a": {}}"#,
            r#"{"a": 1}"#,
            r#"{"": {"command": "x"}}"#,
            r#"{"a": {"command": " "}}"#,
            "./nope.json",
            r#"{"a": {"command": "x", "url": "y"}}"#,
            r#"{"a": {"command": "x", "args": "hunter2"}}"#,
            r#"{"a": {"command": "x", "env": {"K": 1}}}"#,
            r#"{"a": {"command": "x", "headers": {"K": "hunter2"}}}"#,
            r#"{"a": {"url": "x", "args": ["1"]}}"#,
        ];
        let shown = specs.map(|spec| {
            format!("{:58} {}", spec, read(spec).unwrap_err().to_string().lines().next().unwrap())
        });
        assert!(shown.iter().all(|line| !line[58..].contains("hunter2")));
        insta::assert_snapshot!(shown.join("\n"), @r#"
                                                                   Error: --mcp: it is empty
        {bad                                                       Error: --mcp: it is not valid JSON: key must be a string at line 1 column 2
        [1]                                                        Error: --mcp: it is not a JSON object
        {"a": {}}                                                  Error: --mcp: the MCP server 'a' needs exactly one of command, url and warp_id
        {"a": 1}                                                   Error: --mcp: the MCP server 'a': it is not a JSON object
        {"": {"command": "x"}}                                     Error: --mcp: an MCP server needs a name that is not empty
        {"a": {"command": " "}}                                    Error: --mcp: the MCP server 'a' needs exactly one of command, url and warp_id
        ./nope.json                                                Error: --mcp: there is no file './nope.json'
        {"a": {"command": "x", "url": "y"}}                        Error: --mcp: the MCP server 'a' needs exactly one of command, url and warp_id
        {"a": {"command": "x", "args": "hunter2"}}                 Error: --mcp: the MCP server 'a': args is not what is expected: a list of texts
        {"a": {"command": "x", "env": {"K": 1}}}                   Error: --mcp: the MCP server 'a': env.K is not what is expected: texts by name
        {"a": {"command": "x", "headers": {"K": "hunter2"}}}       Error: --mcp: the MCP server 'a': headers go with url only
        {"a": {"url": "x", "args": ["1"]}}                         Error: --mcp: the MCP server 'a': args, env and working_directory go with command only
        "#);
        let error = servers(&["a".to_owned(), r#"{"a": {"command": "x"}}"#.to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "Error: Duplicate MCP server name 'a' specified multiple times");
    }
}
