//! Resources of servers: what there is, and what it says.

use super::{content, server::Server};
use crate::tool::{Desk, Done, Failed, Tool, arguments, object, schema};
use async_trait::async_trait;
use oz_core::harness::ActionCategory;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The servers that have resources.
pub(super) type Holders = Arc<Vec<Arc<Server>>>;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// Only those of this server.
    server: Option<String>,
}

/// Lists resources.
pub(super) struct ListMcpResources(pub(super) Holders);

#[async_trait]
impl Tool for ListMcpResources {
    fn name(&self) -> &str {
        "list_mcp_resources"
    }

    fn description(&self) -> &str {
        "Lists what MCP servers offer to be read: documents, tables, records."
    }

    fn schema(&self) -> Value {
        schema::<Listed>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Integration
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Listed { server: only } = arguments(input)?;
        let meant = |server: &&Arc<Server>| only.as_ref().is_none_or(|name| *name == server.name);
        let mut lines = Vec::new();
        for server in self.0.iter().filter(meant) {
            match server.resources(desk).await {
                Ok(resources) => lines.extend(resources.into_iter().map(|resource| {
                    json!({ "server": server.name, "uri": resource.uri, "name": resource.name,
                        "description": resource.description, "mime_type": resource.mime_type })
                    .to_string()
                })),
                Err(e) => lines.push(e),
            }
        }
        let output = object([("count", lines.len().into())]);
        let content = if lines.is_empty() { "there are none".to_owned() } else { lines.join("\n") };
        Ok(Done { content: content::cut(content), output, ..Done::default() })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Read {
    /// The server.
    server: String,
    /// The resource, as list_mcp_resources tells it.
    uri: String,
}

/// Reads a resource.
pub(super) struct ReadMcpResource(pub(super) Holders);

#[async_trait]
impl Tool for ReadMcpResource {
    fn name(&self) -> &str {
        "read_mcp_resource"
    }

    fn description(&self) -> &str {
        "Reads a resource of an MCP server."
    }

    fn schema(&self) -> Value {
        schema::<Read>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Integration
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Read { server: name, uri } = arguments(input)?;
        match self.0.iter().find(|server| server.name == name) {
            Some(server) => Ok(content::read(server.read(desk, &uri).await?)),
            None => {
                let names: Vec<&str> = self.0.iter().map(|server| server.name.as_str()).collect();
                let names = names.join(", ");
                Err(format!("no MCP server '{name}' has resources; those of {names} can be read").into())
            }
        }
    }
}
