//! Checks of what the types can't say, for whatever holds such a thing.

use super::{GitCredential, McpServerConfig, Sandbox, SourceRepo};
use crate::{Error, egress::Pattern, worker::InstanceShape};
use std::collections::BTreeMap;

/// Checks MCP servers: exactly one way to reach each.
///
/// # Errors
/// `invalid_request` that names the server.
pub fn check_mcp_servers(field: &str, servers: &BTreeMap<String, McpServerConfig>) -> Result<(), Error> {
    for (name, server) in servers {
        let kinds = [server.warp_id.is_some(), server.command.is_some(), server.url.is_some()];
        if kinds.iter().filter(|set| **set).count() != 1 {
            return Err(Error::invalid(format!(
                "{field}.{name} must have exactly one of warp_id, command and url"
            )));
        }
        let at = |part: &str| format!("{field}.{name}.{part}");
        if let Some(transport) = &server.transport {
            transport.require_known(&at("transport"))?;
        }
        if let Some(seconds) = server.timeout_seconds.filter(|seconds| !(1..=3600).contains(seconds)) {
            return Err(Error::invalid_field(&at("timeout_seconds"), &seconds.to_string(), "1 to 3600"));
        }
        if server.oauth_secret.is_some() && server.command.is_some() {
            return Err(Error::invalid(format!(
                "{}: it is only for servers with an url",
                at("oauth_secret")
            )));
        }
    }
    Ok(())
}

/// Checks environment variables.
///
/// # Errors
/// `invalid_request` that names the variable.
pub fn check_variables(field: &str, variables: &BTreeMap<String, String>) -> Result<(), Error> {
    for (name, value) in variables {
        crate::secret::check_name(field, name, &crate::secret::SecretKind::RawValue)?;
        if value.contains('\0') || value.len() > crate::secret::MAX_VALUE_BYTES {
            let text = format!(
                "{field}.{name}: expected at most {} bytes without NUL",
                crate::secret::MAX_VALUE_BYTES
            );
            return Err(Error::invalid(text));
        }
    }
    Ok(())
}

/// Checks what logs git in.
///
/// # Errors
/// `invalid_request` that names the entry.
pub fn check_git_credentials(field: &str, credentials: &[GitCredential]) -> Result<(), Error> {
    for (i, credential) in credentials.iter().enumerate() {
        let host = &credential.host;
        let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b':' | b'[' | b']' | b'_');
        if host.is_empty() || host.len() > 255 || !host.bytes().all(legal) {
            return Err(Error::invalid_field(
                &format!("{field}[{i}].host"),
                host,
                "a host such as github.com",
            ));
        }
        if credential.secret.is_empty() || credential.secret.len() > 128 {
            let field = format!("{field}[{i}].secret");
            return Err(Error::invalid_field(&field, &credential.secret, "the name of a secret"));
        }
        let breaks = |name: &String| name.contains(['\n', '\r', '\0']) || name.len() > 255;
        if let Some(name) = credential.username.as_ref().filter(|name| breaks(name)) {
            return Err(Error::invalid_field(&format!("{field}[{i}].username"), name, "one line"));
        }
        if credentials[..i].iter().any(|other| other.host == *host) {
            return Err(Error::invalid(format!("{field}[{i}].host: '{host}' is there twice")));
        }
    }
    Ok(())
}

/// Checks the time that setup commands may take.
///
/// # Errors
/// `invalid_request` that names the field and the value.
pub fn check_setup_timeout(field: &str, seconds: Option<i64>) -> Result<(), Error> {
    match seconds.filter(|seconds| !(1..=86_400).contains(seconds)) {
        Some(seconds) => Err(Error::invalid_field(field, &seconds.to_string(), "1 to 86400 seconds")),
        None => Ok(()),
    }
}

/// Checks addresses of repositories.
///
/// # Errors
/// `invalid_request` that names the repository.
pub fn check_repos(field: &str, repos: &[SourceRepo]) -> Result<(), Error> {
    for (i, repo) in repos.iter().enumerate() {
        if repo.url.is_empty() || repo.url.starts_with('-') || repo.url.contains("::") {
            return Err(Error::invalid_field(
                &format!("{field}[{i}].url"),
                &repo.url,
                "an HTTPS or SSH address or a path",
            ));
        }
        if let Some(reference) = &repo.checkout_ref
            && (reference.is_empty() || reference.starts_with('-'))
        {
            let field = format!("{field}[{i}].checkout_ref");
            return Err(Error::invalid_field(&field, reference, "a branch, tag or commit"));
        }
    }
    Ok(())
}

/// Checks what the processes of a run may use and reach.
///
/// # Errors
/// `invalid_request` that names the field and the value.
pub fn check_sandbox(field: &str, sandbox: &Sandbox) -> Result<(), Error> {
    let at = |part: &str| format!("{field}.{part}");
    if let Some(memory) = sandbox.memory_mb.filter(|memory| !(16..=1 << 30).contains(memory)) {
        return Err(Error::invalid_field(&at("memory_mb"), &memory.to_string(), "at least 16 MiB"));
    }
    if let Some(cpus) = sandbox.cpus.filter(|cpus| !(0.01..=10_000.0).contains(cpus)) {
        return Err(Error::invalid_field(&at("cpus"), &cpus.to_string(), "0.01 processors or more"));
    }
    if let Some(count) = sandbox.max_processes.filter(|count| !(8..=1 << 22).contains(count)) {
        return Err(Error::invalid_field(&at("max_processes"), &count.to_string(), "at least 8 processes"));
    }
    for (i, host) in sandbox.egress_allowlist.iter().flatten().enumerate() {
        let expected = match Pattern::parse(host) {
            Some(pattern) if pattern.is_local() && pattern.port().is_none() => {
                "an address of this machine with its port, such as 127.0.0.1:8080"
            }
            Some(_) => continue,
            None => "a host such as crates.io or *.github.com, with a port where it matters",
        };
        return Err(Error::invalid_field(&at(&format!("egress_allowlist[{i}]")), host, expected));
    }
    Ok(())
}

/// The most labels that a worker has or a run asks for.
const MAX_WORKER_LABELS: usize = 20;

/// Checks the labels of a worker, or those that a run asks for.
///
/// # Errors
/// `invalid_request` that names the label.
pub fn check_worker_labels(field: &str, labels: &BTreeMap<String, String>) -> Result<(), Error> {
    if labels.len() > MAX_WORKER_LABELS {
        let expected = format!("at most {MAX_WORKER_LABELS} labels");
        return Err(Error::invalid_field(field, &labels.len().to_string(), &expected));
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
    for (name, value) in labels {
        if name.is_empty() || name.len() > 64 || !name.bytes().all(legal) {
            let expected = "names of 1 to 64 letters, digits, '.', '_', '-' and '/'";
            return Err(Error::invalid_field(field, name, expected));
        }
        if value.len() > 256 || value.chars().any(char::is_control) {
            let expected = "at most 256 bytes without control characters";
            return Err(Error::invalid_field(&format!("{field}.{name}"), value, expected));
        }
    }
    Ok(())
}

/// Checks the size of a container.
///
/// # Errors
/// `invalid_request` that names the field and the value.
pub fn check_shape(field: &str, shape: &InstanceShape) -> Result<(), Error> {
    for (part, value) in [("vcpus", shape.vcpus), ("memory_gb", shape.memory_gb)] {
        if let Some(value) = value.filter(|value| !(1..=1 << 20).contains(value)) {
            return Err(Error::invalid_field(&format!("{field}.{part}"), &value.to_string(), "1 to 1048576"));
        }
    }
    Ok(())
}
