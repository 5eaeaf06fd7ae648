//! What the commands of an agent may ask the driver of their run: git logins and identity tokens. They have no token of
//! the run, so `oz git-credential` and `oz federate …` ask here.
//!
//! The driver listens on the unix socket that `OZ_GIT_SOCKET` names. A caller writes one line of JSON, reads one line of
//! JSON, and the connection is over:
//!
//! ```text
//! {"kind":"git-login","protocol":"https","host":"github.com"}
//! {"kind":"git-login","username":"x-access-token","password":"…"}
//!
//! {"kind":"git-login","protocol":"https","host":"example.com","username":"me"}
//! {"kind":"none"}
//!
//! {"kind":"identity-token","audience":"sts.amazonaws.com","requested_duration_seconds":900,"subject_template":["run_id"]}
//! {"kind":"identity-token","token":"…","expires_at":"2026-03-02T09:00:00Z","issuer":"https://oz.example.com"}
//!
//! {"kind":"identity-token","audience":""}
//! {"kind":"error","error":{"type":"…/invalid_request","title":"…","status":400,"detail":"…","error":"…"}}
//! ```

use oz_core::{
    Error, ErrorCode,
    api::{IdentityToken, IssueIdentityToken},
    env,
    error::Problem,
};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
    time::timeout,
};

/// The longest line of either side.
pub(crate) const MAX_LINE: u64 = 64 << 10;
/// How long an answer may take; the driver itself gives up earlier.
const LIMIT: Duration = Duration::from_secs(60);

/// What is asked.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// What logs git in to a host.
    GitLogin {
        protocol: String,
        host: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<String>,
    },
    /// A token that proves which run it is.
    IdentityToken(IssueIdentityToken),
}

/// What is answered.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Answer {
    GitLogin {
        username: String,
        password: String,
    },
    /// The run has no login for the host.
    None,
    IdentityToken(IdentityToken),
    Error {
        error: Problem,
    },
}

/// The way to the driver of the run in which this process is.
#[derive(Debug, Clone)]
pub struct Local {
    socket: PathBuf,
}

impl Local {
    /// The driver whose socket `env`, a lookup of environment variables, names. `None` outside of runs.
    pub fn of(env: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let socket = env(env::GIT_SOCKET).filter(|path| !path.is_empty())?;
        Some(Self { socket: socket.into() })
    }

    /// Answers git, which runs a credential helper with an operation and tells it what it wants to log in to
    /// (gitcredentials(7)). The text is for git; it is empty where the run has no login, and git looks further.
    ///
    /// # Errors
    /// When the driver can't be asked.
    pub async fn answer_git(&self, operation: &str, attributes: &str) -> Result<String, Error> {
        let attribute = |name: &str| {
            let mut lines = attributes.lines().take_while(|line| !line.is_empty());
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        let (Some(protocol), Some(host), "get") = (attribute("protocol"), attribute("host"), operation)
        else {
            return Ok(String::new());
        };
        match self.ask(&Request::GitLogin { protocol, host, username: attribute("username") }).await? {
            Answer::GitLogin { username, password } => {
                Ok(format!("username={username}\npassword={password}\n"))
            }
            _ => Ok(String::new()),
        }
    }

    /// Gets a token that proves which run this is.
    ///
    /// # Errors
    /// When the driver can't be asked or the control plane refuses.
    pub async fn identity_token(&self, request: &IssueIdentityToken) -> Result<IdentityToken, Error> {
        match self.ask(&Request::IdentityToken(request.clone())).await? {
            Answer::IdentityToken(token) => Ok(token),
            _ => Err(Error::internal("the driver of the run gave an answer to another question")),
        }
    }

    async fn ask(&self, request: &Request) -> Result<Answer, Error> {
        let away = |problem: String| {
            let text =
                format!("the driver of the run can't be asked at '{}': {problem}", self.socket.display());
            Error::new(ErrorCode::ResourceUnavailable, text)
        };
        let asking = async {
            let mut socket = UnixStream::connect(&self.socket).await?;
            let mut line = serde_json::to_vec(request)?;
            line.push(b'\n');
            socket.write_all(&line).await?;
            let mut answer = Vec::new();
            BufReader::new(socket.take(MAX_LINE)).read_until(b'\n', &mut answer).await?;
            Ok::<_, std::io::Error>(serde_json::from_slice(&answer)?)
        };
        match timeout(LIMIT, asking).await {
            Ok(Ok(Answer::Error { error })) => Err(error.into()),
            Ok(answer) => answer.map_err(|e| away(e.to_string())),
            Err(_) => Err(away(format!("it did not answer within {} s", LIMIT.as_secs()))),
        }
    }
}
