//! What is between the engine and a program: its standard input and its outputs.

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::ChildStdin,
    sync::mpsc,
};

/// Writes to the program in its own time, so that one that does not read holds up nothing. Its input ends when the
/// answer is dropped.
pub(super) fn writer(stdin: Option<ChildStdin>, first: Option<String>) -> mpsc::UnboundedSender<String> {
    let (sender, mut texts) = mpsc::unbounded_channel::<String>();
    tokio::spawn(async move {
        let Some(mut stdin) = stdin else { return };
        let mut next = match first {
            Some(first) => Some(first),
            None => texts.recv().await,
        };
        while let Some(text) = next {
            // A program that has ended reads nothing more; how it ended is told elsewhere.
            if stdin.write_all(text.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
                return;
            }
            next = texts.recv().await;
        }
    });
    sender
}

/// One output of the program.
pub(super) struct Output<R> {
    from: Option<R>,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Output<R> {
    pub(super) fn of(from: Option<R>) -> Self {
        Self { from, buffer: vec![0; 64 << 10] }
    }

    pub(super) fn open(&self) -> bool {
        self.from.is_some()
    }

    /// What came; nothing at its end. May be given up at any time.
    pub(super) async fn read(&mut self) -> &[u8] {
        let Some(from) = &mut self.from else { return &[] };
        let count = from.read(&mut self.buffer).await.unwrap_or(0);
        if count == 0 {
            self.from = None;
        }
        &self.buffer[..count]
    }
}
