//! A model service of a few lines that speaks Chat Completions: it answers what it is told to and hands out what it was
//! asked.

use super::*;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What the service says.
pub(super) struct Said {
    status: u16,
    deltas: Vec<Value>,
    input_tokens: u64,
    hang: bool,
    cut: bool,
}

impl Said {
    pub(super) fn text(text: &str) -> Self {
        let pieces = text.split_inclusive(' ').map(|piece| json!({ "content": piece }));
        Self { status: 200, deltas: pieces.collect(), input_tokens: 10, hang: false, cut: false }
    }

    /// The beginning of an answer that never ends.
    pub(super) fn half(text: &str) -> Self {
        Self { hang: true, ..Self::text(text) }
    }

    /// The beginning of an answer that breaks off.
    pub(super) fn cut(text: &str) -> Self {
        Self { cut: true, ..Self::text(text) }
    }

    pub(super) fn call(id: &str, name: &str, arguments: &Value) -> Self {
        let function = json!({ "name": name, "arguments": arguments.to_string() });
        let deltas = vec![json!({ "tool_calls": [{ "index": 0, "id": id, "function": function }] })];
        Self { deltas, ..Self::text("") }
    }

    /// As if the request had this many tokens.
    pub(super) fn read(self, input_tokens: u64) -> Self {
        Self { input_tokens, ..self }
    }

    pub(super) fn error(status: u16) -> Self {
        Self { status, ..Self::text("") }
    }

    fn body(&self) -> String {
        let chunk = |value: Value| format!("data: {value}\n\n");
        let mut body: String =
            self.deltas.iter().map(|delta| chunk(json!({ "choices": [{ "delta": delta }] }))).collect();
        if !self.hang && !self.cut {
            let usage = json!({ "prompt_tokens": self.input_tokens, "completion_tokens": 1 });
            body.push_str(&chunk(
                json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }], "usage": usage }),
            ));
            body.push_str("data: [DONE]\n\n");
        }
        body
    }
}

/// Where the service is.
pub(super) struct Service {
    url: String,
    _task: AbortOnDropHandle<()>,
}

impl Service {
    /// A harness that uses it, with these variables besides.
    pub(super) fn harness(&self, more: &[(&str, &str)]) -> Arc<NativeHarness> {
        let mut env: std::collections::BTreeMap<String, String> =
            more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (name, value) in
            [("OPENAI_BASE_URL", self.url.as_str()), ("OPENAI_API_KEY", "k"), ("OZ_MODEL", "local-model")]
        {
            env.insert(name.to_owned(), value.to_owned());
        }
        Arc::new(NativeHarness::new(move |name| env.get(name).cloned()))
    }
}

/// Starts a service that answers request number `n`, from 0.
pub(super) async fn serve(answer: impl Fn(usize, &Value) -> Said + Send + Sync + 'static) -> Service {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut open = Vec::new();
        for n in 0.. {
            let (mut socket, _) = listener.accept().await.unwrap();
            let request = read(&mut socket).await;
            let said = answer(n, &request);
            let head =
                format!("HTTP/1.1 {} X\r\nContent-Type: text/event-stream\r\nConnection: close", said.status);
            let _ = socket.write_all(format!("{head}\r\n\r\n{}", said.body()).as_bytes()).await;
            if said.hang {
                open.push(socket);
            }
        }
    });
    Service { url, _task: AbortOnDropHandle::new(task) }
}

async fn read(socket: &mut TcpStream) -> Value {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = vec![0; 64 << 10];
        let n = socket.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && let Ok(request) = serde_json::from_str(body)
        {
            return request;
        }
        assert_ne!(n, 0, "the request ended early");
    }
}
