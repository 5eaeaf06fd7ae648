//! The MCP servers of an agent: they start before it does, and it waits for none that it can't have.

use super::agent::Agent;
use crate::mcp::Servers;
use oz_core::config::McpServerConfig;
use std::collections::BTreeMap;

impl Agent {
    /// Starts the servers, then works.
    pub(super) async fn with_servers(mut self, configs: BTreeMap<String, McpServerConfig>) {
        if !configs.is_empty() {
            let starting = Servers::start(configs, &self.desk, &self.events);
            // An agent that is to end notices that as it begins.
            let started = self.bounded(starting).await;
            if let Ok(servers) = started {
                self.tools.connect(servers);
            }
        }
        self.work().await;
    }
}
