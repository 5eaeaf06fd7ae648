//! One server: its connection, its tools, and how a call of one goes. A connection that is lost is made anew once; a
//! server that is gone after that stays gone.

use super::connect::{Link, connect};
use crate::tool::Desk;
use oz_core::config::{McpServerConfig, McpTransport};
use rmcp::{
    ClientHandler, Peer, RoleClient, ServiceError,
    model::{
        CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, Implementation, JsonObject,
        PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResult, Resource, Tool,
    },
    service::NotificationContext,
};
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex, time::timeout};

/// How long a start and a call may take, in seconds, unless the configuration says otherwise.
const SECONDS: u64 = 60;
/// How many pages of a list are read.
const PAGES: usize = 100;
/// How many entries a list may have.
const ENTRIES: usize = 5000;
/// How long a connection lives on after a call was given up, so that the server can hear of it.
const FAREWELL: Duration = Duration::from_millis(200);

/// A server.
pub(super) struct Server {
    pub(super) name: String,
    config: McpServerConfig,
    limit: Duration,
    ears: Ears,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    link: Option<Arc<Link>>,
    /// Whether it was made anew since it last did any good.
    renewed: bool,
}

/// What is heard from a server beside answers.
#[derive(Clone, Default)]
pub(super) struct Ears {
    tools: Arc<RwLock<Arc<Vec<Tool>>>>,
    /// Counts the changes of any server's tools.
    changes: Arc<AtomicU64>,
}

impl Ears {
    pub(super) fn new(changes: Arc<AtomicU64>) -> Self {
        Self { tools: Arc::default(), changes }
    }

    fn learn(&self, tools: Vec<Tool>) {
        *self.tools.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tools);
        self.changes.fetch_add(1, Ordering::Release);
    }
}

impl ClientHandler for Ears {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(ClientCapabilities::default(), Implementation::new("oz", env!("CARGO_PKG_VERSION")))
    }

    async fn on_tool_list_changed(&self, context: NotificationContext<RoleClient>) {
        match timeout(Duration::from_secs(SECONDS), tools(&context.peer)).await {
            Ok(Ok(tools)) => self.learn(tools),
            Ok(Err(_)) | Err(_) => tracing::warn!("an MCP server does not tell its changed tools"),
        }
    }
}

/// The tools of a server.
async fn tools(peer: &Peer<RoleClient>) -> Result<Vec<Tool>, ServiceError> {
    let offers = peer.peer_info().is_some_and(|info| info.capabilities.tools.is_some());
    let (mut all, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES * usize::from(offers) {
        let page = peer.list_tools(Some(PaginatedRequestParams::default().with_cursor(cursor))).await?;
        all.extend(page.tools);
        cursor = page.next_cursor;
        if cursor.is_none() || all.len() > ENTRIES {
            break;
        }
    }
    all.truncate(ENTRIES);
    Ok(all)
}

/// Keeps a connection for a moment when a call is given up.
struct Farewell(Option<Arc<Link>>);

impl Drop for Farewell {
    fn drop(&mut self) {
        if let (Some(link), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                tokio::time::sleep(FAREWELL).await;
                drop(link);
            });
        }
    }
}

impl Server {
    pub(super) fn new(name: String, config: McpServerConfig, changes: Arc<AtomicU64>) -> Self {
        let limit = Duration::from_secs(config.timeout_seconds.unwrap_or(SECONDS).max(1));
        Self { name, config, limit, ears: Ears::new(changes), line: Mutex::default() }
    }

    /// Connects for the first time. Answers with how many tools it has.
    pub(super) async fn start(&self, desk: &Desk) -> Result<usize, String> {
        let mut line = self.line.lock().await;
        line.link = Some(self.open(desk).await?);
        Ok(self.tools().len())
    }

    async fn open(&self, desk: &Desk) -> Result<Arc<Link>, String> {
        let link = connect(&self.config, desk, self.ears.clone(), self.limit).await?;
        let found = match timeout(self.limit, tools(link.service.peer())).await {
            Ok(Ok(found)) => found,
            Ok(Err(e)) if !link.is_alive() => return Err(format!("{}: {}", told(&e), link.obituary())),
            Ok(Err(e)) => return Err(format!("it does not tell its tools: {}", told(&e))),
            Err(_) => return Err(format!("it did not tell its tools within {} s", self.limit.as_secs())),
        };
        self.ears.learn(found);
        Ok(Arc::new(link))
    }

    /// The tools that may be used.
    pub(super) fn tools(&self) -> Vec<Tool> {
        let McpServerConfig { allowed_tools: allowed, denied_tools: denied, .. } = &self.config;
        let listed = |list: &[String], tool: &Tool| list.iter().any(|name| *name == tool.name);
        let may = |tool: &&Tool| (allowed.is_empty() || listed(allowed, tool)) && !listed(denied, tool);
        let tools = Arc::clone(&self.ears.tools.read().unwrap_or_else(PoisonError::into_inner));
        tools.iter().filter(may).cloned().collect()
    }

    /// A live connection.
    async fn link(&self, desk: &Desk) -> Result<Arc<Link>, String> {
        let mut line = self.line.lock().await;
        let gone = match &line.link {
            Some(link) if link.is_alive() => return Ok(Arc::clone(link)),
            Some(link) => link.obituary(),
            None => "it never started".to_owned(),
        };
        if line.renewed {
            return Err(format!("the MCP server '{}' is gone: {gone}; its tools can't be used", self.name));
        }
        line.renewed = true;
        match self.open(desk).await {
            Ok(link) => {
                line.link = Some(Arc::clone(&link));
                Ok(link)
            }
            Err(e) => Err(format!(
                "the MCP server '{}' is gone: {gone}; it can't be started again: {e}; its tools can't be used",
                self.name
            )),
        }
    }

    /// Asks something of the server within its time.
    async fn ask<T>(
        &self,
        desk: &Desk,
        question: impl AsyncFnOnce(&Link) -> Result<T, ServiceError>,
    ) -> Result<T, String> {
        let link = self.link(desk).await?;
        let mut farewell = Farewell(Some(Arc::clone(&link)));
        let answer = timeout(self.limit, question(&link)).await;
        let name = &self.name;
        match answer {
            Ok(Ok(answer)) => {
                farewell.0 = None;
                self.line.lock().await.renewed = false;
                Ok(answer)
            }
            Ok(Err(e)) => {
                farewell.0 = None;
                if link.is_alive() {
                    return Err(format!("the MCP server '{name}' refuses: {}", told(&e)));
                }
                Err(format!("the MCP server '{name}' died during the call: {}", link.obituary()))
            }
            Err(_) => {
                let seconds = self.limit.as_secs();
                Err(format!(
                    "the MCP server '{name}' did not answer within {seconds} s; the call was cancelled"
                ))
            }
        }
    }

    /// Calls a tool.
    pub(super) async fn call(
        &self,
        desk: &Desk,
        tool: &str,
        arguments: JsonObject,
    ) -> Result<CallToolResult, String> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        self.ask(desk, async |link| link.service.call_tool(params).await).await
    }

    /// How it is reached.
    pub(super) async fn transport(&self) -> Option<McpTransport> {
        self.line.lock().await.link.as_ref().map(|link| link.transport.clone())
    }

    /// Whether it has resources.
    pub(super) async fn has_resources(&self) -> bool {
        let line = self.line.lock().await;
        let info = line.link.as_ref().and_then(|link| link.service.peer().peer_info());
        info.is_some_and(|info| info.capabilities.resources.is_some())
    }

    /// Its resources.
    pub(super) async fn resources(&self, desk: &Desk) -> Result<Vec<Resource>, String> {
        self.ask(desk, async |link| {
            let (mut all, mut cursor) = (Vec::new(), None);
            for _ in 0..PAGES {
                let params = PaginatedRequestParams::default().with_cursor(cursor);
                let page = link.service.peer().list_resources(Some(params)).await?;
                all.extend(page.resources);
                cursor = page.next_cursor;
                if cursor.is_none() || all.len() > ENTRIES {
                    break;
                }
            }
            Ok(all)
        })
        .await
    }

    /// Reads a resource.
    pub(super) async fn read(&self, desk: &Desk, uri: &str) -> Result<ReadResourceResult, String> {
        let params = ReadResourceRequestParams::new(uri);
        self.ask(desk, async |link| link.service.read_resource(params).await).await
    }
}

fn told(error: &ServiceError) -> String {
    match error {
        ServiceError::McpError(e) => e.message.to_string(),
        ServiceError::TransportSend(e) => super::connect::chain(e.error.as_ref()),
        other => other.to_string(),
    }
}
