//! The least HTTP that a load generator needs: one kept-alive connection, JSON in, bytes out. A real client would
//! spend more of the two cores than the server under test.

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

pub(crate) struct Http {
    stream: BufReader<TcpStream>,
}

impl Http {
    pub(crate) async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Sends a request; returns status and body.
    pub(crate) async fn send(&mut self, method: &str, path: &str, key: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let (status, length) = self.head().await;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        (status, String::from_utf8(body).unwrap())
    }

    /// Reads the head of an answer; returns status and content length.
    pub(crate) async fn head(&mut self) -> (u16, usize) {
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line).await.unwrap();
            let text = line.trim_end();
            if text.is_empty() {
                return (status, length);
            }
            if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(rest) = text.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = rest.parse().unwrap();
            }
        }
    }

    /// Starts an event stream and reads its head.
    pub(crate) async fn watch(&mut self, path: &str, key: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let (status, _) = self.head().await;
        assert_eq!(status, 200);
    }

    pub(crate) async fn post(&mut self, path: &str, key: &str, body: &str) -> String {
        let (status, body) = self.send("POST", path, key, body).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}
