//! Two tools in place of very many: one finds, one calls. A model that is told of hundreds of tools with every request
//! reads little else.

use super::tool::McpTool;
use crate::tool::{Desk, Done, Failed, Tool, arguments, object, schema};
use async_trait::async_trait;
use oz_core::harness::ActionCategory;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How many tools are shown at once.
const SHOWN: usize = 10;

/// The tools of all servers.
pub(super) type All = Arc<Vec<Arc<McpTool>>>;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Words for what the tool should do, such as `create issue`.
    query: String,
}

/// Finds tools.
pub(super) struct FindMcpTools {
    all: All,
    description: String,
}

impl FindMcpTools {
    pub(super) fn new(all: All, servers: &[&str]) -> Self {
        let description = format!(
            "Finds tools of the MCP servers {} by words of their names and descriptions, and tells their arguments. \
             Use call_mcp_tool to call one.",
            servers.join(", ")
        );
        Self { all, description }
    }
}

#[async_trait]
impl Tool for FindMcpTools {
    fn name(&self) -> &str {
        "find_mcp_tools"
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn schema(&self) -> Value {
        schema::<Wanted>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Search
    }

    async fn run(&self, _: &Desk, input: Value) -> Result<Done, Failed> {
        let Wanted { query } = arguments(input)?;
        let found = best(&query, &self.all);
        let tools: Vec<Value> = found
            .iter()
            .map(|tool| {
                json!({ "name": tool.name(), "description": tool.description(), "input_schema": tool.schema() })
            })
            .collect();
        let names: Vec<&str> = found.iter().map(|tool| tool.name()).collect();
        let output = object([("tools", json!(names))]);
        let content = if tools.is_empty() {
            let all: Vec<&str> = self.all.iter().map(|tool| tool.name()).collect();
            super::content::cut(format!("nothing fits these words; there are {}", all.join(", ")))
        } else {
            super::content::cut(Value::Array(tools).to_string())
        };
        Ok(Done { content, output, ..Done::default() })
    }
}

/// The tools that fit best, those with a word in the name before those with one in the description.
fn best(query: &str, all: &[Arc<McpTool>]) -> Vec<Arc<McpTool>> {
    let query = query.to_lowercase();
    let words: Vec<&str> =
        query.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let score = |tool: &McpTool| {
        let (name, about) = (tool.name().to_lowercase(), tool.description().to_lowercase());
        words
            .iter()
            .map(|w| 3 * usize::from(name.contains(w)) + usize::from(about.contains(w)))
            .sum::<usize>()
    };
    let mut scored: Vec<(usize, &Arc<McpTool>)> =
        all.iter().map(|tool| (score(tool), tool)).filter(|(score, _)| *score > 0).collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().take(SHOWN).map(|(_, tool)| Arc::clone(tool)).collect()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Call {
    /// The tool's name, as find_mcp_tools tells it.
    name: String,
    /// Its arguments.
    #[serde(default)]
    input: Map<String, Value>,
}

/// Calls a tool by its name.
pub(super) struct CallMcpTool(pub(super) All);

#[async_trait]
impl Tool for CallMcpTool {
    fn name(&self) -> &str {
        "call_mcp_tool"
    }

    fn description(&self) -> &str {
        "Calls a tool of an MCP server. Find it and its arguments with find_mcp_tools first."
    }

    fn schema(&self) -> Value {
        json!({ "type": "object", "required": ["name"], "properties": {
            "name": { "type": "string", "description": "The tool's name, as find_mcp_tools tells it." },
            "input": { "type": "object", "description": "Its arguments.", "properties": {}, "additionalProperties": true },
        } })
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Integration
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Call { name, input } = arguments(input)?;
        match self.0.iter().find(|tool| tool.name() == name) {
            Some(tool) => tool.call(desk, input).await,
            None => Err(format!("there is no tool '{name}'; find the right name with find_mcp_tools").into()),
        }
    }
}
