//! A git host: git's own `http-backend` behind HTTP, for repositories that want a token.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, StatusCode, Uri, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{io::AsyncWriteExt as _, net::TcpListener, process::Command};

/// A git host on loopback. It ends with the value.
pub struct GitHost {
    inner: Arc<Inner>,
    port: u16,
    serving: tokio::task::JoinHandle<()>,
}

struct Inner {
    root: PathBuf,
    token: String,
    welcomed: AtomicUsize,
    refused: AtomicUsize,
}

impl GitHost {
    /// Serves the repositories in `root` to who shows `token` as password, whatever the user name.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(root: &Path, token: &str) -> Self {
        let (welcomed, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let inner = Arc::new(Inner { root: root.to_owned(), token: token.to_owned(), welcomed, refused });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("address").port();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serving");
        });
        Self { inner, port, serving }
    }

    /// Its name with its port, as credentials name it.
    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The address of a repository.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.host())
    }

    /// How many requests showed the token, and how many did not.
    #[must_use]
    pub fn requests(&self) -> (usize, usize) {
        (self.inner.welcomed.load(Ordering::Relaxed), self.inner.refused.load(Ordering::Relaxed))
    }
}

impl Drop for GitHost {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn shows_token(headers: &HeaderMap, token: &str) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let basic = value.and_then(|value| value.strip_prefix("Basic "));
    let pair = basic.and_then(|text| BASE64_STANDARD.decode(text).ok());
    let pair = pair.and_then(|bytes| String::from_utf8(bytes).ok());
    pair.is_some_and(|pair| pair.split_once(':').is_some_and(|(_, password)| password == token))
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if !shows_token(&headers, &inner.token) {
        inner.refused.fetch_add(1, Ordering::Relaxed);
        let refusal = Response::builder().status(StatusCode::UNAUTHORIZED);
        let refusal = refusal.header(header::WWW_AUTHENTICATE, "Basic realm=\"git\"");
        return refusal.body(Body::from("a token is needed\n")).expect("refusal");
    }
    inner.welcomed.fetch_add(1, Ordering::Relaxed);
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut backend = Command::new("git");
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &inner.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "http.receivepack")
        .env("GIT_CONFIG_VALUE_0", "true")
        .env("GIT_CONFIG_KEY_1", "safe.directory")
        .env("GIT_CONFIG_VALUE_1", "*")
        .env("REQUEST_METHOD", method.as_str())
        .env("PATH_INFO", uri.path())
        .env("QUERY_STRING", uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", text(header::CONTENT_TYPE))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", text(header::CONTENT_ENCODING))
        .env("HTTP_GIT_PROTOCOL", text(header::HeaderName::from_static("git-protocol")))
        .env("REMOTE_USER", "agent")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = backend.spawn().expect("git http-backend");
    let mut stdin = child.stdin.take().expect("stdin");
    let feeding = tokio::spawn(async move {
        let _ = stdin.write_all(&body).await;
    });
    let output = child.wait_with_output().await.expect("git http-backend");
    let _ = feeding.await;
    cgi(&output.stdout)
}

/// The answer of a CGI program: its headers, one of which may be the status, an empty line and the body.
fn cgi(output: &[u8]) -> Response<Body> {
    let end = output.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(output.len());
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        response = match name {
            "Status" => response.status(value.split(' ').next().and_then(|s| s.parse().ok()).unwrap_or(500)),
            _ => response.header(name, value),
        };
    }
    let body = output.get(end + 4..).unwrap_or_default().to_vec();
    response.body(Body::from(body)).expect("answer")
}
