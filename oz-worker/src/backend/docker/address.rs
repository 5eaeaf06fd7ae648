//! Where the engine is, found as the `docker` command finds it: `DOCKER_HOST`, then the context that `DOCKER_CONTEXT` or
//! Docker's configuration names, then the usual sockets.

use ring::digest::{SHA256, digest};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

const USUAL: &str = "/var/run/docker.sock";

/// Where an engine listens.
#[derive(Debug, PartialEq)]
pub(super) struct Address {
    /// Such as `unix:///var/run/docker.sock` or `tcp://build-1:2376`.
    pub(super) host: String,
    /// The directory with `ca.pem`, `cert.pem` and `key.pem`, when it wants TLS.
    pub(super) certificates: Option<PathBuf>,
}

/// Finds the engine; `variable` looks a variable of this process up.
pub(super) fn find(variable: impl Fn(&str) -> Option<String>) -> Result<Address, String> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let home = variable("HOME").map(PathBuf::from);
    let configuration = variable("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| home.as_ref().map(|home| home.join(".docker")))
        .unwrap_or_default();
    if let Some(host) = variable("DOCKER_HOST") {
        let certificates = variable("DOCKER_CERT_PATH").map_or(configuration, PathBuf::from);
        return Ok(Address {
            host,
            certificates: variable("DOCKER_TLS_VERIFY").is_some().then_some(certificates),
        });
    }
    let chosen = variable("DOCKER_CONTEXT").or_else(|| current(&configuration));
    if let Some(name) = chosen.filter(|name| name != "default") {
        return context(&configuration, &name);
    }
    let rootless = [
        variable("XDG_RUNTIME_DIR").map(|dir| Path::new(&dir).join("docker.sock")),
        home.map(|home| home.join(".docker/run/docker.sock")),
    ];
    let found = [Some(PathBuf::from(USUAL))].into_iter().chain(rootless).flatten().find(|path| path.exists());
    let path = found.unwrap_or_else(|| USUAL.into());
    Ok(Address { host: format!("unix://{}", path.display()), certificates: None })
}

/// The context that Docker's configuration names.
fn current(configuration: &Path) -> Option<String> {
    let file = read(&configuration.join("config.json")).ok()?;
    file["currentContext"].as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

fn context(configuration: &Path, name: &str) -> Result<Address, String> {
    let hash: String = digest(&SHA256, name.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    let contexts = configuration.join("contexts");
    let file = contexts.join("meta").join(&hash).join("meta.json");
    let meta = read(&file).map_err(|why| {
        format!("the context '{name}' can't be read: {}: {why}; see `docker context ls`", file.display())
    })?;
    let host = meta["Endpoints"]["docker"]["Host"].as_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| format!("the context '{name}' names no engine: {}", file.display()))?;
    let certificates = contexts.join("tls").join(&hash).join("docker");
    Ok(Address { host: host.to_owned(), certificates: certificates.is_dir().then_some(certificates) })
}

fn read(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    serde_json::from_str(&text).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Result<Address, String> {
        find(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn variables_win_over_contexts() {
        let address = found(&[("DOCKER_HOST", "tcp://h:2375"), ("DOCKER_CONTEXT", "x")]).unwrap();
        assert_eq!(address, Address { host: "tcp://h:2375".to_owned(), certificates: None });
        let tls = [("DOCKER_HOST", "tcp://h:2376"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/c")];
        assert_eq!(found(&tls).unwrap().certificates, Some("/c".into()));
        assert_eq!(
            found(&[("DOCKER_HOST", "tcp://h:2376"), ("DOCKER_TLS_VERIFY", "1"), ("HOME", "/h")])
                .unwrap()
                .certificates,
            Some("/h/.docker".into())
        );
    }

    #[test]
    fn contexts_are_found_where_docker_keeps_them() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().to_str().unwrap();
        // The SHA-256 of "far".
        let real = "512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868";
        let meta = dir.path().join("contexts/meta").join(real);
        fs::create_dir_all(&meta).unwrap();
        fs::write(
            meta.join("meta.json"),
            r#"{"Name":"far","Endpoints":{"docker":{"Host":"tcp://far:2376"}}}"#,
        )
        .unwrap();
        fs::create_dir_all(dir.path().join("contexts/tls").join(real).join("docker")).unwrap();
        let by_name = found(&[("DOCKER_CONFIG", config), ("DOCKER_CONTEXT", "far")]).unwrap();
        assert_eq!(by_name.host, "tcp://far:2376");
        assert!(by_name.certificates.is_some_and(|path| path.ends_with(format!("{real}/docker"))));
        fs::write(dir.path().join("config.json"), r#"{"currentContext":"far"}"#).unwrap();
        assert_eq!(found(&[("DOCKER_CONFIG", config)]).unwrap().host, "tcp://far:2376");
        let other = found(&[("DOCKER_CONFIG", config), ("DOCKER_CONTEXT", "default")]).unwrap();
        assert!(other.host.starts_with("unix://"), "{other:?}");
        let missing = found(&[("DOCKER_CONFIG", config), ("DOCKER_CONTEXT", "nope")]).unwrap_err();
        assert!(missing.contains("the context 'nope'"), "{missing}");
    }

    #[test]
    fn rootless_sockets_are_found() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("docker.sock"), "").unwrap();
        let host = found(&[("XDG_RUNTIME_DIR", dir.path().to_str().unwrap())]).unwrap().host;
        let own = format!("unix://{}/docker.sock", dir.path().display());
        assert_eq!(host, if Path::new(USUAL).exists() { format!("unix://{USUAL}") } else { own });
    }
}
