//! The connection to an engine, and what kind of engine it is.

use super::address::{self, Address};
use crate::Error;
use bollard::{ClientVersion, Docker, models::SystemInfoCgroupVersionEnum};
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// How long an engine may take to answer at the start.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long one request may take, bringing a big sidecar included.
const REQUEST_LIMIT_SECONDS: u64 = 600;
const CLIENT: &ClientVersion = bollard::API_DEFAULT_VERSION;

/// An engine that can run agents.
#[derive(Clone)]
pub(super) struct Engine {
    pub(super) client: Docker,
    /// `amd64` or `arm64`.
    pub(super) architecture: String,
    /// Whether containers see a control group of their own, with its counters.
    pub(super) cgroup_v2: bool,
    /// The path of its socket, when it has one.
    pub(super) socket: Option<String>,
}

impl Engine {
    /// Connects to the engine that the `docker` command would use.
    pub(super) async fn connect() -> Result<Self, Error> {
        let variable = |name: &str| std::env::var(name).ok();
        let address = address::find(variable).map_err(failed)?;
        let wrong = |why: String| {
            failed(format!("the engine at '{}' can't be used: {why}; see `docker info`", address.host))
        };
        let client = client(&address, variable("DOCKER_API_VERSION")).await.map_err(&wrong)?;
        let version = answer(client.version()).await.map_err(&wrong)?;
        let (os, architecture) = (version.os.unwrap_or_default(), version.arch.unwrap_or_default());
        if os != "linux" || !matches!(architecture.as_str(), "amd64" | "arm64") {
            return Err(wrong(format!(
                "it runs containers of {os}/{architecture}; linux/amd64 or linux/arm64 is needed"
            )));
        }
        let info = answer(client.info()).await.map_err(&wrong)?;
        let cgroup_v2 = info.cgroup_version == Some(SystemInfoCgroupVersionEnum::_2);
        let name = version.version.unwrap_or_default();
        tracing::info!(engine = %address.host, version = %name, %architecture, "containers run here");
        let socket = address.host.strip_prefix("unix://").map(str::to_owned);
        Ok(Self { client, architecture, cgroup_v2, socket })
    }

    /// What images must be for.
    pub(super) fn platform(&self) -> String {
        format!("linux/{}", self.architecture)
    }
}

/// Why the backend can't be used.
pub(super) fn failed(problem: String) -> Error {
    Error::Backend { backend: "docker", problem }
}

async fn client(address: &Address, version: Option<String>) -> Result<Docker, String> {
    let host = address.host.as_str();
    let pinned = version.map(|text| {
        let (major, minor) = text.trim_start_matches('v').split_once('.').unwrap_or_default();
        match (major.parse(), minor.parse()) {
            (Ok(major_version), Ok(minor_version)) => Ok(ClientVersion { major_version, minor_version }),
            _ => Err(format!("DOCKER_API_VERSION: '{text}' is not valid; expected one such as 1.41")),
        }
    });
    let pinned = pinned.transpose()?;
    let spoken = pinned.as_ref().unwrap_or(CLIENT);
    let connected = match (host.split_once("://"), &address.certificates) {
        (Some(("unix", _)), _) => Docker::connect_with_unix(host, REQUEST_LIMIT_SECONDS, spoken),
        (Some(("tcp" | "http" | "https", _)), Some(dir)) => {
            let file = |name: &str| Path::new(dir).join(name);
            let (key, certificate, ca) = (file("key.pem"), file("cert.pem"), file("ca.pem"));
            Docker::connect_with_ssl(host, &key, &certificate, &ca, REQUEST_LIMIT_SECONDS, spoken)
        }
        (Some(("tcp" | "http", _)), None) => Docker::connect_with_http(host, REQUEST_LIMIT_SECONDS, spoken),
        (Some(("https", _)), None) => {
            return Err(
                "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the directory with its certificates".into(),
            );
        }
        _ => return Err("expected an address with unix:// or tcp://".into()),
    };
    let client = connected.map_err(|e| e.to_string())?;
    answer(client.ping()).await?;
    if pinned.is_some() { Ok(client) } else { answer(client.negotiate_version()).await }
}

async fn answer<T>(asked: impl Future<Output = Result<T, bollard::errors::Error>>) -> Result<T, String> {
    match timeout(ANSWER_LIMIT, asked).await {
        Ok(answer) => answer.map_err(|error| words(&error)),
        Err(_) => Err(format!("no answer within {} s", ANSWER_LIMIT.as_secs())),
    }
}

/// An engine's own words, or what went wrong on the way to it.
pub(super) fn words(error: &bollard::errors::Error) -> String {
    use bollard::errors::Error as E;
    match error {
        E::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        E::DockerStreamError { error } => error.trim().to_owned(),
        other => {
            // The first says only that something failed, and some repeat the next.
            let mut text = other.to_string();
            let mut cause = std::error::Error::source(other);
            while let Some(next) = cause {
                let more = next.to_string();
                if !text.ends_with(&more) {
                    text = format!("{text}: {more}");
                }
                cause = next.source();
            }
            text
        }
    }
}

/// The status of an engine's answer.
pub(super) fn status(error: &bollard::errors::Error) -> Option<u16> {
    match error {
        bollard::errors::Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}
