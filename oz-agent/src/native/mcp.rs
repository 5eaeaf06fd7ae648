//! The MCP servers of an agent: they start before it does, and it waits for none that it can't have.

use super::agent::{Agent, End};
use crate::mcp::Servers;
use oz_core::{ErrorCode, config::McpServerConfig, harness::McpStartup};
use std::collections::BTreeMap;

impl Agent {
    /// Starts the servers, then works.
    pub(super) async fn with_servers(
        mut self,
        configs: BTreeMap<String, McpServerConfig>,
        startup: &McpStartup,
    ) {
        if !configs.is_empty() {
            let starting = Servers::start(configs, &self.desk, &self.events, startup.patience);
            // An agent that is to end notices that as it begins.
            let started = self.bounded(starting).await;
            if let Ok((servers, left_out)) = started {
                if startup.strict && !left_out.is_empty() {
                    let end = End::Failed(ErrorCode::EnvironmentSetupFailed, left_out.join("; "));
                    return self.end(end).await;
                }
                self.tools.connect(servers);
            }
        }
        self.work().await;
    }
}
