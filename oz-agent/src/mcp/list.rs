//! The servers of one agent, side by side.

use super::{
    find::{CallMcpTool, FindMcpTools},
    name::name,
    resource::{ListMcpResources, ReadMcpResource},
    server::Server,
    tool::McpTool,
};
use crate::tool::{Desk, Tool};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use oz_core::{config::McpServerConfig, harness::HarnessEvent};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

/// The step under which the transcript tells how each server started.
const STAGE: &str = "mcp_server_startup";
/// How many tools a model is told of, the agent's own among them; beyond that it finds those of servers when it needs
/// them.
const TOLD: usize = 60;

/// The servers of an agent.
#[derive(Default)]
pub(crate) struct Servers {
    all: Vec<Arc<Server>>,
    /// Those of them that have resources.
    holders: Arc<Vec<Arc<Server>>>,
    changes: Arc<AtomicU64>,
}

impl Servers {
    /// Starts all servers at once; `events` hears how each went. Those that don't start, within `patience` where
    /// that is given, are left out; answers with what is wrong with them, too.
    pub(crate) async fn start(
        configs: BTreeMap<String, McpServerConfig>,
        desk: &Desk,
        events: &mpsc::Sender<HarnessEvent>,
        patience: Option<Duration>,
    ) -> (Self, Vec<String>) {
        let changes = Arc::new(AtomicU64::new(0));
        let mut starting: FuturesUnordered<_> = configs
            .into_iter()
            .map(|(name, config)| {
                let server = Server::new(name, config, Arc::clone(&changes));
                async move {
                    let began = Instant::now();
                    let started = match patience {
                        Some(limit) => timeout(limit, server.start(desk)).await.unwrap_or_else(|_| {
                            Err(format!("it did not start within {limit:?}, which is all that it was given"))
                        }),
                        None => server.start(desk).await,
                    };
                    (server, began.elapsed(), started)
                }
            })
            .collect();
        let (mut all, mut left_out) = (Vec::new(), Vec::new());
        while let Some((server, took, started)) = starting.next().await {
            let shown = &server.name;
            let (ok, detail) = match &started {
                Ok(1) => (true, format!("{shown}: 1 tool")),
                Ok(n) => (true, format!("{shown}: {n} tools")),
                Err(reason) => (false, format!("the MCP server '{shown}' is left out: {reason}")),
            };
            let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let name = STAGE.to_owned();
            if !ok {
                left_out.push(detail.clone());
            }
            // When nobody listens any more, the agent is about to be dropped.
            let _ = events.send(HarnessEvent::Stage { name, ok, duration_ms, detail: Some(detail) }).await;
            if ok {
                all.push(Arc::new(server));
            }
        }
        drop(starting);
        // The same tools come in the same order in every run.
        all.sort_by(|a, b| a.name.cmp(&b.name));
        let mut holders = Vec::new();
        for server in &all {
            if server.has_resources().await {
                holders.push(Arc::clone(server));
            }
        }
        (Self { all, holders: Arc::new(holders), changes }, left_out)
    }

    /// Starts servers for an agent that will do so itself, and ends them again: it gets those that start, each with the
    /// way to talk to it. `patience` and the second part of the answer are as for [`start`](Self::start).
    pub(crate) async fn tried(
        mut configs: BTreeMap<String, McpServerConfig>,
        desk: &Desk,
        events: &mpsc::Sender<HarnessEvent>,
        patience: Option<Duration>,
    ) -> (BTreeMap<String, McpServerConfig>, Vec<String>) {
        let (started, left_out) = Self::start(configs.clone(), desk, events, patience).await;
        let mut good = BTreeMap::new();
        for server in &started.all {
            if let Some((name, mut config)) = configs.remove_entry(&server.name) {
                config.transport = server.transport().await;
                good.insert(name, config);
            }
        }
        (good, left_out)
    }

    /// Grows whenever the tools change.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Their tools as they are now, for an agent that has `own` tools.
    pub(crate) fn tools(&self, own: usize) -> Vec<Arc<dyn Tool>> {
        let mut taken = HashSet::new();
        let mut theirs = Vec::new();
        for server in &self.all {
            for tool in server.tools() {
                let name = name(&server.name, &tool.name, &taken);
                if taken.insert(name.clone()) {
                    theirs.push(Arc::new(McpTool::new(Arc::clone(server), name, tool)));
                }
            }
        }
        let mut tools: Vec<Arc<dyn Tool>> = if own + theirs.len() > TOLD {
            let names: Vec<&str> = self.all.iter().map(|server| server.name.as_str()).collect();
            let theirs = Arc::new(theirs);
            vec![Arc::new(FindMcpTools::new(Arc::clone(&theirs), &names)), Arc::new(CallMcpTool(theirs))]
        } else {
            theirs.into_iter().map(|tool| tool as Arc<dyn Tool>).collect()
        };
        if !self.holders.is_empty() {
            tools.push(Arc::new(ListMcpResources(Arc::clone(&self.holders))));
            tools.push(Arc::new(ReadMcpResource(Arc::clone(&self.holders))));
        }
        tools
    }
}
