//! A tool of a server among the agent's own.

use super::{content, server::Server};
use crate::tool::{Desk, Done, Failed, Tool};
use async_trait::async_trait;
use oz_core::harness::ActionCategory;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The longest description, in bytes; the model reads it again with every request.
const DESCRIPTION: usize = 4 << 10;

/// A tool of a server.
pub(super) struct McpTool {
    server: Arc<Server>,
    /// The server's name for it.
    theirs: String,
    name: String,
    description: String,
    schema: Value,
}

impl McpTool {
    pub(super) fn new(server: Arc<Server>, name: String, tool: rmcp::model::Tool) -> Self {
        let mut description =
            tool.description.or(tool.title.map(Into::into)).unwrap_or_default().into_owned();
        description.truncate(description.floor_char_boundary(DESCRIPTION));
        if description.trim().is_empty() {
            description = format!("The tool '{}' of the MCP server '{}'.", tool.name, server.name);
        }
        let schema = legal(Map::clone(&tool.input_schema));
        Self { server, theirs: tool.name.into_owned(), name, description, schema }
    }

    /// Calls it.
    pub(super) async fn call(&self, desk: &Desk, arguments: Map<String, Value>) -> Result<Done, Failed> {
        content::called(self.server.call(desk, &self.theirs, arguments).await?)
    }
}

/// A schema as model services take it: of an object that says so.
fn legal(mut schema: Map<String, Value>) -> Value {
    schema.remove("$schema");
    schema.insert("type".to_owned(), "object".into());
    schema.entry("properties").or_insert_with(|| json!({}));
    schema.into()
}

#[async_trait]
impl Tool for McpTool {
    fn name(&self) -> &str {
        &self.name
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn schema(&self) -> Value {
        self.schema.clone()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Integration
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        match input {
            Value::Object(arguments) => self.call(desk, arguments).await,
            _ => Err("the arguments are not a JSON object".to_owned().into()),
        }
    }
}
