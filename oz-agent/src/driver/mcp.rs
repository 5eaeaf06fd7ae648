//! The MCP servers of a run, ready to be used: placeholders filled in, logins made fresh. Every harness gets the same.

use super::{end::End, keys::Keys, session::Session};
use crate::{
    job::Jobs,
    mcp::Servers,
    oauth,
    process::Household,
    tool::{Desk, Workspace},
};
use futures_util::future::{join, join_all};
use oz_core::{
    Redactor, Timestamp,
    config::{AgentConfig, McpServerConfig},
    egress::Network,
    harness::McpStartup,
    secret::{McpOauth, placeholders},
};
use std::{collections::BTreeMap, io, path::Path};
use tokio::sync::mpsc;

/// The step under which the transcript tells of servers.
pub(super) const STAGE: &str = "mcp_server_startup";

/// The servers of a run.
#[derive(Debug, Default)]
pub(super) struct Ready {
    /// By name.
    pub(super) servers: BTreeMap<String, McpServerConfig>,
    /// Why others are left out.
    pub(super) left_out: Vec<String>,
}

/// Makes the servers ready. `own` are the variables of whoever runs this on a machine of their own, who needs no secrets for
/// what is there already.
///
/// # Errors
/// When one asks for a secret that the run was not given, or is not there.
pub(super) async fn servers(
    config: &AgentConfig,
    keys: &Keys,
    own: Option<&BTreeMap<String, String>>,
    redactor: &Redactor,
) -> Result<Ready, End> {
    let lookup = |name: &str| {
        let own = own.and_then(|own| own.get(name)).map(String::as_str).filter(|value| !value.is_empty());
        keys.text(name).or(own)
    };
    let filled = config.mcp_servers.iter().map(|(name, server)| {
        let server = fill(name, server.clone(), &lookup, redactor).map_err(End::unprepared)?;
        Ok((name.clone(), server))
    });
    let filled: Vec<(String, McpServerConfig)> = filled.collect::<Result<_, End>>()?;
    let mut ready = Ready::default();
    let logging_in = filled.into_iter().map(async |(name, server)| {
        let server = log_in(&name, server, keys, redactor).await;
        (name, server)
    });
    for (name, server) in join_all(logging_in).await {
        match server {
            Ok(server) => drop(ready.servers.insert(name, server)),
            Err(reason) => ready.left_out.push(format!("the MCP server '{name}' is left out: {reason}")),
        }
    }
    Ok(ready)
}

impl Session<'_> {
    /// Those of the servers that start; the transcript tells of each.
    ///
    /// # Errors
    /// When they can't be tried, when one does not start that has to, or the run is to end.
    pub(super) async fn try_servers(
        &mut self,
        servers: BTreeMap<String, McpServerConfig>,
        startup: &McpStartup,
        workspace: &Path,
        env: &BTreeMap<String, String>,
        network: &Network,
    ) -> Result<BTreeMap<String, McpServerConfig>, End> {
        if servers.is_empty() {
            return Ok(servers);
        }
        let failed = |e: io::Error| End::unprepared(format!("the MCP servers can't be tried: {e}"));
        let desk = Desk {
            workspace: Workspace::new(workspace).map_err(failed)?,
            env: env.clone(),
            secrets: BTreeMap::new(),
            jobs: Jobs::new(&std::env::temp_dir()).map_err(failed)?,
            household: Household::new(),
            redactor: self.redactor.clone(),
            network: network.clone(),
        };
        let (sender, mut events) = mpsc::channel(1);
        let stop = self.stop.clone();
        let patience = startup.patience;
        let trying =
            async move { stop.run_until_cancelled(Servers::tried(servers, &desk, &sender, patience)).await };
        let telling = async {
            while let Some(event) = events.recv().await {
                self.event(event).await;
            }
        };
        let (tried, ()) = join(trying, telling).await;
        let (servers, left_out) = tried.ok_or(End::Cancelled)?;
        if startup.strict && !left_out.is_empty() {
            return Err(End::unprepared(left_out.join("; ")));
        }
        Ok(servers)
    }
}

/// Fills in secrets, and in arguments the server's own variables.
fn fill<'a>(
    name: &str,
    mut server: McpServerConfig,
    lookup: &impl Fn(&str) -> Option<&'a str>,
    redactor: &Redactor,
) -> Result<McpServerConfig, String> {
    if let Some(id) = &server.warp_id {
        return Err(format!(
            "the MCP server '{name}' can't be used: there is no shared server '{id}' that this run may use; see `oz mcp list`"
        ));
    }
    let secret = |field: &str, text: &mut String| -> Result<(), String> {
        let wanted: Vec<String> = placeholders(text).map(str::to_owned).collect();
        for secret in wanted {
            let value = lookup(&secret).ok_or_else(|| {
                format!(
                    "the MCP server '{name}' can't be used: its {field} names the secret '{secret}', which this run was \
                     not given"
                )
            })?;
            redactor.add([value]);
            *text = replaced(text, &secret, value);
        }
        Ok(())
    };
    for (field, map) in [("env", &mut server.env), ("headers", &mut server.headers)] {
        for (key, text) in map {
            // A value that is left empty stands for the secret of the same name.
            match lookup(key).filter(|_| text.is_empty()) {
                Some(value) => {
                    redactor.add([value]);
                    value.clone_into(text);
                }
                None => secret(&format!("{field}.{key}"), text)?,
            }
        }
    }
    for text in &mut server.args {
        secret("args", text)?;
        for (key, value) in &server.env {
            *text = text.replace(&format!("${{{key}}}"), value);
        }
    }
    if let Some(url) = &mut server.url {
        secret("url", url)?;
    }
    Ok(server)
}

/// A text with every placeholder for `name` replaced, however it is spaced. What a secret says is not read again.
fn replaced(text: &str, name: &str, value: &str) -> String {
    let mut parts = text.split("{{");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once("}}") {
            Some((inside, rest)) if inside.trim() == name => {
                all.push_str(value);
                all.push_str(rest);
            }
            _ => {
                all.push_str("{{");
                all.push_str(part);
            }
        }
    }
    all
}

/// Gives a server the login that `oz mcp login` keeps.
async fn log_in(
    name: &str,
    mut server: McpServerConfig,
    keys: &Keys,
    redactor: &Redactor,
) -> Result<McpServerConfig, String> {
    let Some(secret) = server.oauth_secret.take() else { return Ok(server) };
    let again = format!("log in with `oz mcp login {name}`");
    let value = keys
        .value(&secret)
        .ok_or_else(|| format!("the secret '{secret}' with its login was not given to this run; {again}"))?;
    let login: McpOauth = serde_json::from_str(value)
        .map_err(|_| format!("the secret '{secret}' is not a login of an MCP server; {again}"))?;
    redactor.add(secrets_of(&login));
    // A login goes to the server that it is for, whatever a configuration says.
    let same = server.url.as_deref().is_some_and(|url| oauth::same_origin(url, &login.resource));
    if !same {
        return Err(format!("the secret '{secret}' is a login at {}, which is not its url", login.resource));
    }
    let login =
        oauth::fresh(login, Timestamp::now().as_second()).await.map_err(|e| format!("{e}; {again}"))?;
    redactor.add(secrets_of(&login));
    server.headers.retain(|header, _| !header.eq_ignore_ascii_case("authorization"));
    server.headers.insert("Authorization".to_owned(), format!("Bearer {}", login.access_token));
    Ok(server)
}

fn secrets_of(login: &McpOauth) -> Vec<String> {
    let McpOauth { access_token, refresh_token, client_secret, .. } = login;
    [Some(access_token), refresh_token.as_ref(), client_secret.as_ref()]
        .into_iter()
        .flatten()
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
