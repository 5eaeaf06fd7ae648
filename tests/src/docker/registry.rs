//! A registry with one image, for who logs in.

use super::images::{sha256, small};
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Response, StatusCode, header},
    routing::get,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::net::TcpListener;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A registry on loopback. It ends with the value.
pub struct Registry {
    inner: Arc<Inner>,
    port: u16,
    serving: tokio::task::JoinHandle<()>,
}

struct Inner {
    authorization: String,
    /// What it has, by digests and tags, each with its kind.
    content: HashMap<String, (&'static str, Vec<u8>)>,
    served: AtomicUsize,
}

impl Registry {
    /// Serves the image `team/app:1` to this user with this password.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(user: &str, password: &str) -> Self {
        let layer = std::fs::read(small()).expect("archive");
        let architecture = if std::env::consts::ARCH == "x86_64" { "amd64" } else { "arm64" };
        let layer_digest = sha256(&layer);
        let config = json!({ "architecture": architecture, "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [layer_digest] } });
        let config = config.to_string().into_bytes();
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST,
            "config": { "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": config.len(), "digest": sha256(&config) },
            "layers": [{ "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "size": layer.len(), "digest": layer_digest }] });
        let manifest = manifest.to_string().into_bytes();
        let bytes = "application/octet-stream";
        let content = HashMap::from([
            (sha256(&manifest), (MANIFEST, manifest.clone())),
            ("1".to_owned(), (MANIFEST, manifest)),
            (sha256(&config), (bytes, config)),
            (layer_digest, (bytes, layer)),
        ]);
        let authorization = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        let inner = Arc::new(Inner { authorization, content, served: AtomicUsize::new(0) });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("address").port();
        let router = Router::new()
            .route("/v2/", get(|state, headers| answer(state, Path((String::new(), String::new())), headers)))
            .route("/v2/team/app/{kind}/{name}", get(answer))
            .with_state(Arc::clone(&inner));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serving");
        });
        Self { inner, port, serving }
    }

    /// Its name, as logins are kept under.
    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The name of its image.
    #[must_use]
    pub fn image(&self) -> String {
        format!("{}/team/app:1", self.host())
    }

    /// How many requests showed the password.
    #[must_use]
    pub fn served(&self) -> usize {
        self.inner.served.load(Ordering::Relaxed)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response<Body> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let answer = Response::builder();
    if given != Some(inner.authorization.as_str()) {
        let answer = answer.status(StatusCode::UNAUTHORIZED);
        let answer = answer.header(header::WWW_AUTHENTICATE, "Basic realm=\"registry\"");
        return answer.body(Body::empty()).expect("refusal");
    }
    inner.served.fetch_add(1, Ordering::Relaxed);
    if name.is_empty() {
        return answer.body(Body::empty()).expect("answer");
    }
    match inner.content.get(&name) {
        Some((kind, bytes)) => answer
            .header(header::CONTENT_TYPE, *kind)
            .header("Docker-Content-Digest", sha256(bytes))
            .body(Body::from(bytes.clone()))
            .expect("answer"),
        None => answer.status(StatusCode::NOT_FOUND).body(Body::empty()).expect("answer"),
    }
}
