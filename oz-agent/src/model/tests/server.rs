//! An HTTP server of a few lines: it answers every request with the same pieces.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What the server sends, piece by piece, before it closes or falls silent.
pub(super) struct Answer {
    pub(super) pieces: Vec<Vec<u8>>,
    pub(super) hang: bool,
}

impl Answer {
    /// A head and a body in one piece.
    pub(super) fn whole(head: &str, body: &str) -> Self {
        Self {
            pieces: vec![format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n{body}").into_bytes()],
            hang: false,
        }
    }

    /// A stream of events.
    pub(super) fn stream(body: &str) -> Self {
        Self::whole("200 OK\r\nContent-Type: text/event-stream", body)
    }

    /// The same bytes, `size` at a time.
    pub(super) fn in_pieces(mut self, size: usize) -> Self {
        self.pieces = self.pieces.concat().chunks(size).map(<[u8]>::to_vec).collect();
        self
    }

    pub(super) fn then_silence(mut self) -> Self {
        self.hang = true;
        self
    }
}

/// Starts a server for one request. Returns its address and, in the end, the request's text.
pub(super) async fn serve(answer: Answer) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let request = read(&mut socket).await;
        for piece in answer.pieces {
            // The client may have hung up already.
            let _ = socket.write_all(&piece).await;
            let _ = socket.flush().await;
            tokio::task::yield_now().await;
        }
        if answer.hang {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        request
    });
    (url, task)
}

async fn read(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let n = socket.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        assert_ne!(n, 0, "the request ended early");
    }
}
