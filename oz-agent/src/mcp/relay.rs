//! Lends a server that talks the older way over HTTP to a client that only talks to programs: `oz mcp-relay` is the
//! program, which passes on messages as they are. It is told of its server by a variable, since everybody on a machine
//! can read command lines, and addresses and headers may hold keys.

use super::{connect::open_sse, sse::Problem};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use oz_core::config::McpServerConfig;
use serde_json::{Value, json};
use std::path::Path;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};

/// The variable that says which server it is, as JSON of its configuration.
const SERVER: &str = "OZ_MCP_SERVER";

/// A program in the place of the server: `oz` as a relay.
pub(crate) fn instead(oz: &Path, server: &McpServerConfig) -> McpServerConfig {
    let McpServerConfig { url, headers, .. } = server.clone();
    let target = json!(McpServerConfig { url, headers, ..McpServerConfig::default() });
    McpServerConfig {
        command: Some(oz.to_string_lossy().into_owned()),
        args: vec!["mcp-relay".to_owned()],
        env: [(SERVER.to_owned(), target.to_string())].into(),
        url: None,
        headers: Default::default(),
        transport: None,
        ..server.clone()
    }
}

/// Relays between the client at `input` and `output`, and the server that `env`, a lookup of variables, names. Ends when
/// the client does.
///
/// # Errors
/// When there is no server, it can't be reached, or it ends first.
pub async fn relay(
    env: impl Fn(&str) -> Option<String>,
    input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
) -> Result<(), String> {
    let target = env(SERVER).ok_or_else(|| format!("{SERVER} does not say which MCP server is meant"))?;
    let server: McpServerConfig =
        serde_json::from_str(&target).map_err(|_| format!("{SERVER} is not the JSON of an MCP server"))?;
    let mut sse = open_sse(&server).await.map_err(|problem| problem.text)?;
    let mut lines = BufReader::new(input).lines();
    let mut posts = FuturesUnordered::new();
    loop {
        let message = tokio::select! {
            line = lines.next_line() => match line.map_err(|e| e.to_string())? {
                Some(line) if line.trim().is_empty() => None,
                Some(line) => {
                    let id = id(&line);
                    let post = sse.post(line.into_bytes());
                    posts.push(async move { post.await.err().and_then(|problem| refusal(id, &problem)) });
                    None
                }
                None => break,
            },
            message = sse.next() => Some(message.ok_or("the MCP server ended the connection")?),
            Some(refusal) = posts.next() => refusal,
        };
        if let Some(message) = message {
            // No string of JSON has a line break as it is, and a message is a line.
            let line = message.replace(['\r', '\n'], " ") + "\n";
            let written = async {
                output.write_all(line.as_bytes()).await?;
                output.flush().await
            };
            written.await.map_err(|e| e.to_string())?;
        }
    }
    // What the client said last, such as that it gives something up, is still for the server.
    while posts.next().await.is_some() {}
    Ok(())
}

/// The id of a request, which somebody waits for.
fn id(message: &str) -> Option<Value> {
    let message: Value = serde_json::from_str(message).ok()?;
    message["method"].as_str()?;
    message.get("id").cloned()
}

/// What the client hears when its request did not reach the server.
fn refusal(id: Option<Value>, problem: &Problem) -> Option<String> {
    let id = id?;
    let error = json!({ "code": -32000, "message": problem.text });
    Some(json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string())
}
