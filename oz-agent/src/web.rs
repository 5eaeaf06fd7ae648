//! The agent's way to the web. It fetches pages, but none from a private network: what an agent reads may tell it where
//! to look next.

mod address;
mod page;
mod search;

pub(crate) use address::is_public;
pub(crate) use page::readable;
pub(crate) use search::Hit;

use futures_util::StreamExt as _;
use oz_core::{Error, egress::Network, env};
use reqwest::{Response, header};
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;
use url::Url;

/// How much of a page is read.
const MAX_BYTES: usize = 5 << 20;
/// How long a page may take with all its redirects.
const TIME: Duration = Duration::from_secs(30);
/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;

/// The way to the web.
#[derive(Debug, Default)]
pub(crate) struct Web {
    search: Option<Url>,
    allow_private: bool,
    network: Network,
}

/// What a page's server answered.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where it was at last.
    pub(crate) url: String,
    pub(crate) status: u16,
    /// Its media type, without parameters.
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
    /// Whether there is more of it.
    pub(crate) cut: bool,
}

impl Web {
    /// A way with a search service, if there is one.
    ///
    /// # Errors
    /// When that has no right address.
    pub(crate) fn new(search: Option<&str>, allow_private: bool) -> Result<Self, Error> {
        let search = search.map(|text| {
            parse(text).map_err(|_| {
                Error::invalid_field(
                    env::WEB_SEARCH_URL,
                    text,
                    "an address such as https://search.example.com/search",
                )
            })
        });
        Ok(Self { search: search.transpose()?, allow_private, network: Network::default() })
    }

    /// Fetches only what is on the list of this network.
    pub(crate) fn within_list(self, network: Network) -> Self {
        Self { network, ..self }
    }

    /// Whether there is a search service.
    pub(crate) fn searches(&self) -> bool {
        self.search.is_some()
    }

    /// Fetches a page.
    ///
    /// # Errors
    /// Why not, for the model.
    pub(crate) async fn fetch(&self, url: &str) -> Result<Page, String> {
        self.within(parse(url)?, self.allow_private, &self.network).await
    }

    async fn within(&self, url: Url, allow_private: bool, network: &Network) -> Result<Page, String> {
        match timeout(TIME, get(url, allow_private, network)).await {
            Ok(page) => page,
            Err(_) => Err(format!("it did not answer within {} s", TIME.as_secs())),
        }
    }
}

/// An address of the web.
fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|e| format!("'{text}' is not an address such as https://example.com: {e}"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        scheme => Err(format!("'{scheme}' can't be fetched; only http and https can")),
    }
}

/// Fetches a page and looks at every address on the way before anything is sent there.
async fn get(mut url: Url, allow_private: bool, network: &Network) -> Result<Page, String> {
    for _ in 0..=MAX_REDIRECTS {
        network.check(url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443))?;
        let addresses = address::resolve(&url, allow_private).await?;
        let response = send(&url, &addresses).await?;
        if !response.status().is_redirection() {
            return read(url, response).await;
        }
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let Some(location) = location else { return read(url, response).await };
        let next =
            url.join(location).map_err(|e| format!("it leads to '{location}', which is no address: {e}"))?;
        url = parse(next.as_str()).map_err(|e| format!("it leads elsewhere, but {e}"))?;
    }
    Err(format!("it leads elsewhere more than {MAX_REDIRECTS} times"))
}

async fn send(url: &Url, addresses: &[SocketAddr]) -> Result<Response, String> {
    let failed = |e: &dyn std::fmt::Display| format!("{url} can't be fetched: {e}");
    // To the addresses that were looked at and to no others: a second answer of the name service may be another, and a
    // proxy would ask for itself.
    let client = oz_client::http_builder(url.as_str())
        .map_err(|e| failed(&e))?
        .no_proxy()
        .resolve_to_addrs(url.host_str().unwrap_or_default(), addresses)
        .build()
        .map_err(|e| failed(&e))?;
    let request = client
        .get(url.clone())
        .header(header::ACCEPT, "text/html,text/*;q=0.9,application/json;q=0.9,*/*;q=0.1");
    request.send().await.map_err(|e| failed(&cause(&e)))
}

/// The innermost cause, which says what was wrong.
fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

async fn read(url: Url, response: Response) -> Result<Page, String> {
    let media_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or("text/plain").split(';').next().unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|e| format!("{url} broke off: {}", cause(&e)))?;
        body.extend_from_slice(&piece[..piece.len().min(MAX_BYTES - body.len())]);
        if body.len() >= MAX_BYTES {
            break;
        }
    }
    Ok(Page { url: url.into(), status, media_type, cut: body.len() >= MAX_BYTES, body })
}

#[cfg(test)]
mod tests;
