//! What an agent prints: always read, so that it never blocks, kept only for the last lines, in bounded memory.
//! Secrets are hidden before a line is kept or logged.

use crate::redact::Secrets;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};
use tokio::io::{AsyncRead, AsyncReadExt};

const LINES: usize = 50;
const LONGEST_LINE: usize = 4096;
/// Twice the longest line, so that a secret at the cut is still seen whole.
const LONGEST_RAW_LINE: usize = 2 * LONGEST_LINE;
const LONGEST_TEXT: usize = 32 * 1024;

/// The last lines of an agent's output.
pub(crate) struct Tail {
    secrets: Secrets,
    lines: Mutex<VecDeque<String>>,
}

impl Tail {
    pub(crate) fn new(secrets: Secrets) -> Self {
        Self { secrets, lines: Mutex::default() }
    }

    /// Reads until the end.
    pub(crate) async fn drain(&self, mut source: impl AsyncRead + Unpin) {
        let mut buffer = [0; 4096];
        let mut line = Vec::new();
        while let Ok(count @ 1..) = source.read(&mut buffer).await {
            for piece in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
                let room = LONGEST_RAW_LINE - line.len();
                line.extend_from_slice(&piece[..piece.len().min(room)]);
                if piece.ends_with(b"\n") {
                    self.keep(&line);
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            self.keep(&line);
        }
    }

    /// Reads both outputs of a command until their ends.
    pub(crate) async fn drain_both(
        &self,
        stdout: Option<impl AsyncRead + Unpin>,
        stderr: Option<impl AsyncRead + Unpin>,
    ) {
        let stdout = async {
            if let Some(stdout) = stdout {
                self.drain(stdout).await;
            }
        };
        let stderr = async {
            if let Some(stderr) = stderr {
                self.drain(stderr).await;
            }
        };
        tokio::join!(stdout, stderr);
    }

    fn keep(&self, raw: &[u8]) {
        let text = self.secrets.hide(String::from_utf8_lossy(raw).trim_end());
        let mut text: String = text.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        text.truncate(text.floor_char_boundary(LONGEST_LINE));
        tracing::debug!(target: "oz_worker::agent", "{text}");
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(text);
    }

    /// `what`, followed by the last lines if there are any.
    pub(crate) fn explain(&self, what: &str) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let joined = lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        let shown = &joined[joined.ceil_char_boundary(joined.len().saturating_sub(LONGEST_TEXT))..];
        if shown.trim().is_empty() {
            format!("{what} and printed nothing")
        } else {
            format!("{what}; its last output:\n{shown}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn tail(output: &[u8]) -> String {
        let tail = Tail::new(Secrets::among([("A_TOKEN", "top-secret")]));
        tail.drain(output).await;
        tail.explain("it ended")
    }

    #[tokio::test]
    async fn the_last_lines_are_kept() {
        let text: String = (1..=60).map(|n| format!("line {n}\n")).collect();
        let shown = tail(text.as_bytes()).await;
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!((lines.len(), lines[1], lines[50]), (51, "line 11", "line 60"));
        assert_eq!(tail(b"").await, "it ended and printed nothing");
        assert_eq!(tail(b"no newline").await, "it ended; its last output:\nno newline");
    }

    #[tokio::test]
    async fn long_lines_binary_and_secrets_are_tamed() {
        let mut output = vec![b'x'; LONGEST_LINE - 4];
        output.extend_from_slice(b"top-secret");
        output.extend_from_slice(&vec![b'y'; 100_000]);
        output.extend_from_slice(b"\n\x1b[31m\xff\xfe top-secret\r\n");
        let shown = tail(&output).await;
        assert!(!shown.contains("top-") && shown.len() < 2 * LONGEST_LINE, "{shown}");
        assert!(shown.ends_with("[31m\u{fffd}\u{fffd} [redacted]"), "{shown}");
    }

    #[tokio::test]
    async fn the_whole_text_is_bounded() {
        let line = "ä".repeat(LONGEST_LINE / 2 - 1) + "\n";
        assert!(tail(line.repeat(80).as_bytes()).await.len() < LONGEST_TEXT + 100);
    }
}
