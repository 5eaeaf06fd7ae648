//! How a server is reached: the transport that its configuration says, or that is found out.

use super::{
    server::Ears,
    sse::{Problem, Sse},
    stdio::{self, Program},
};
use crate::tool::Desk;
use oz_core::{
    config::{McpServerConfig, McpTransport},
    egress::Network,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rmcp::{
    RoleClient, ServiceExt as _,
    service::{ClientInitializeError, RunningService},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use std::{error::Error, time::Duration};
use tokio::time::timeout;

/// How long the newer way over HTTP may take when the older one could be meant.
const FIRST: Duration = Duration::from_secs(20);

type Service = RunningService<RoleClient, Ears>;

/// A connection to a server.
pub(super) struct Link {
    pub(super) service: Service,
    /// How it is reached.
    pub(super) transport: McpTransport,
    program: Option<std::sync::Mutex<Program>>,
}

impl Link {
    /// Whether the server still listens.
    pub(super) fn is_alive(&self) -> bool {
        !self.service.is_closed() && !self.service.peer().is_transport_closed()
    }

    /// What is known of why it does not.
    pub(super) fn obituary(&self) -> String {
        let Some(program) = &self.program else { return "the connection ended".to_owned() };
        let mut program = program.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        buried(&mut program)
    }
}

fn buried(program: &mut Program) -> String {
    let ended = program.ended();
    let ended =
        ended.map_or_else(|| "it closed its output".to_owned(), |status| format!("it ended ({status})"));
    match program.last_words() {
        Some(words) => format!("{ended}; its last words: {words}"),
        None => ended,
    }
}

/// Connects within `limit`.
pub(super) async fn connect(
    config: &McpServerConfig,
    desk: &Desk,
    ears: Ears,
    limit: Duration,
) -> Result<Link, String> {
    let late = || format!("it did not start within {} s", limit.as_secs());
    match (&config.command, &config.url) {
        (Some(command), _) => {
            let (transport, mut program) = stdio::start(command, config, desk)
                .map_err(|e| format!("its program '{command}' can't be started: {e}"))?;
            match timeout(limit, ears.serve(transport)).await {
                Ok(Ok(service)) => {
                    Ok(Link { service, transport: McpTransport::Stdio, program: Some(program.into()) })
                }
                Ok(Err(e)) => {
                    let ended = program.settle().await;
                    Err(match e {
                        ClientInitializeError::ConnectionClosed(_) => buried(&mut program),
                        _ if ended => buried(&mut program),
                        e => with_words(reason(&e), &program),
                    })
                }
                Err(_) => Err(with_words(late(), &program)),
            }
        }
        (None, Some(url)) => {
            let connecting = timeout(limit, over_http(config, url, ears, &desk.network));
            let (service, transport) = connecting.await.map_err(|_| late())??;
            Ok(Link { service, transport, program: None })
        }
        (None, None) => Err("it has neither a command nor an url".to_owned()),
    }
}

fn with_words(reason: String, program: &Program) -> String {
    match program.last_words() {
        Some(words) => format!("{reason}; its last words: {words}"),
        None => reason,
    }
}

async fn over_http(
    config: &McpServerConfig,
    url: &str,
    ears: Ears,
    network: &Network,
) -> Result<(Service, McpTransport), String> {
    if let Ok(parsed) = url::Url::parse(url) {
        let port = parsed.port_or_known_default().unwrap_or(443);
        network.check(parsed.host_str().unwrap_or_default(), port)?;
    }
    let older = async |ears: Ears| match open_sse(config).await {
        Ok(sse) => match ears.serve(sse).await {
            Ok(service) => Ok((service, McpTransport::Sse)),
            Err(e) => Err(explain(reason(&e), e.is_authorization_required())),
        },
        Err(Problem { text, login }) => Err(explain(text, login)),
    };
    let client = oz_client::http_client(url).map_err(|e| e.to_string())?;
    let headers = headers(config)?;
    let newer = async |ears: Ears| {
        let named = headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        let settings = StreamableHttpClientTransportConfig::with_uri(url).custom_headers(named.collect());
        let service =
            ears.serve(StreamableHttpClientTransport::with_client(client.clone(), settings)).await?;
        Ok::<_, ClientInitializeError>((service, McpTransport::Http))
    };
    match &config.transport {
        Some(McpTransport::Sse) => return older(ears).await,
        Some(McpTransport::Http) => {
            return newer(ears).await.map_err(|e| explain(reason(&e), e.is_authorization_required()));
        }
        _ => {}
    }
    let first = match timeout(FIRST, newer(ears.clone())).await {
        Ok(Ok(service)) => return Ok(service),
        Ok(Err(e)) if e.is_authorization_required() => return Err(explain(reason(&e), true)),
        Ok(Err(e)) => reason(&e),
        Err(_) => "it does not answer".to_owned(),
    };
    // What the newer way says is what matters where neither works.
    older(ears).await.map_err(|second| if second.contains("oz mcp login") { second } else { first })
}

/// Connects the older way.
pub(super) async fn open_sse(config: &McpServerConfig) -> Result<Sse, Problem> {
    let url = config.url.as_deref().unwrap_or_default();
    let client = oz_client::http_client(url).map_err(|e| Problem::new(e.to_string()))?;
    Sse::open(client, url, headers(config).map_err(Problem::new)?).await
}

fn explain(reason: String, login: bool) -> String {
    if login {
        "it wants a login: use `oz mcp login`, or give it a header such as Authorization".to_owned()
    } else {
        reason
    }
}

fn headers(config: &McpServerConfig) -> Result<HeaderMap, String> {
    let mut all = HeaderMap::new();
    for (name, value) in &config.headers {
        let key: HeaderName = name.parse().map_err(|_| format!("its header '{name}' has no legal name"))?;
        let mut value: HeaderValue =
            value.parse().map_err(|_| format!("its header '{name}' has no legal value"))?;
        value.set_sensitive(true);
        all.insert(key, value);
    }
    Ok(all)
}

/// Why a connection failed, without what only programmers want to know.
fn reason(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::TransportError { error, .. } => chain(error.error.as_ref()),
        ClientInitializeError::ConnectionClosed(_) => "it closed the connection".to_owned(),
        ClientInitializeError::JsonRpcError(e) => format!("it refuses: {}", e.message),
        other => other.to_string(),
    }
}

/// An error with its causes.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = cause.source();
    }
    text
}
