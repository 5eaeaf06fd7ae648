//! The driver's side of [`crate::local`]: what the commands of the agent may ask, and the answers.

use super::{admission, git::Logins};
use crate::local::{Answer, MAX_LINE, Request};
use oz_client::Client;
use oz_core::{
    Error, ErrorCode, Redactor,
    api::{IdentityToken, IssueIdentityToken, Validate as _},
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

const NAME: &str = "socket";
/// How long a caller may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers the commands of one run.
pub(super) struct Desk {
    pub(super) logins: Logins,
    /// Where identity tokens come from.
    pub(super) client: Option<Client>,
    /// Told of every token before anybody else.
    pub(super) redactor: Redactor,
}

/// Listens as long as it lives.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) path: PathBuf,
    _serving: AbortOnDropHandle<()>,
}

impl Socket {
    /// Listens in `directory`, into which nobody else can look.
    pub(super) fn open(directory: &Path, desk: Arc<Desk>) -> io::Result<Self> {
        let path = directory.join(NAME);
        let listener = UnixListener::bind(&path)?;
        let serving = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((socket, _)) => {
                        let desk = Arc::clone(&desk);
                        tokio::spawn(async move {
                            if let Err(error) = desk.serve(socket).await {
                                tracing::debug!(%error, "a question of a command was not answered");
                            }
                        });
                    }
                    // Too many open files, for example: it passes.
                    Err(error) => {
                        tracing::warn!(%error, "the commands of the agent can't ask for logins");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        });
        Ok(Self { path, _serving: AbortOnDropHandle::new(serving) })
    }
}

impl Desk {
    async fn serve(&self, mut socket: UnixStream) -> io::Result<()> {
        let mut line = Vec::new();
        let (reader, mut writer) = socket.split();
        timeout(PATIENCE, BufReader::new(reader.take(MAX_LINE)).read_until(b'\n', &mut line)).await??;
        let answer = match serde_json::from_slice(&line) {
            Ok(request) => self.answer(request).await,
            Err(e) => Err(Error::invalid(format!("the question is not understood: {e}"))),
        };
        let answer = answer.unwrap_or_else(|error| Answer::Error { error: error.problem("") });
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        writer.write_all(&line).await
    }

    async fn answer(&self, request: Request) -> Result<Answer, Error> {
        Ok(match request {
            Request::GitLogin { protocol, host, username } => {
                match self.logins.find(&protocol, &host, username.as_deref()) {
                    Some(login) => {
                        let login = login.clone();
                        Answer::GitLogin { username: login.username, password: login.password }
                    }
                    None => Answer::None,
                }
            }
            Request::IdentityToken(request) => Answer::IdentityToken(self.identity_token(&request).await?),
        })
    }

    /// A token that proves which run this is.
    pub(super) async fn identity_token(&self, request: &IssueIdentityToken) -> Result<IdentityToken, Error> {
        request.validate()?;
        let Some(client) = &self.client else {
            let text = "this run has no record at a control plane, which alone can issue identity tokens";
            return Err(Error::unsupported(text));
        };
        let issued = match admission::within(client, request).await {
            Ok(issued) => issued,
            Err(oz_client::Error::Api { error, .. }) if error.http_status() == 404 => {
                return Err(Error::unsupported("this control plane issues no identity tokens"));
            }
            Err(oz_client::Error::Api { error, .. }) => return Err(error),
            Err(error) => return Err(Error::new(ErrorCode::ResourceUnavailable, error.to_string())),
        };
        self.redactor.add([issued.token.clone()]);
        Ok(issued)
    }
}
