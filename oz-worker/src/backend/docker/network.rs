//! Which network a container gets. What listens on a loopback address of this machine is reached only from its own
//! network.

use std::{collections::BTreeMap, net::IpAddr};
use url::{Host, Url};

/// The engine's name for the network of its machine.
pub(super) const HOST: &str = "host";

/// Why containers need the machine's own network, if they do: an address that the run uses, on a loopback interface.
/// `models` is the text of the file with model services.
pub(super) fn needs_host(
    server: &str,
    environment: &BTreeMap<String, String>,
    models: Option<&str>,
) -> Option<String> {
    if is_local(server) {
        return Some(format!("the control plane is at {server}"));
    }
    let named = |name: &str| name.ends_with("_BASE_URL") || name == oz_core::env::OLLAMA_HOST;
    let variable = environment.iter().find(|(name, value)| named(name) && is_local(value));
    variable.map(|(name, _)| format!("{name} names a loopback address")).or_else(|| {
        let file: serde_json::Value = serde_saphyr::from_str(models?).ok()?;
        let mut endpoints = file["endpoints"].as_array()?.iter();
        let local = endpoints.find(|endpoint| endpoint["base_url"].as_str().is_some_and(is_local))?;
        Some(format!("the model service {} has a loopback address", local["name"]))
    })
}

/// Whether an address, with a scheme or without, leads to this machine alone.
fn is_local(address: &str) -> bool {
    let address = address.trim();
    let url =
        if address.contains("://") { Url::parse(address) } else { Url::parse(&format!("http://{address}")) };
    match url.ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_are_known() {
        for (address, local) in [
            ("http://127.0.0.1:7700", true),
            ("http://localhost", true),
            ("https://[::1]:7700/base", true),
            ("127.0.0.1:11434", true),
            ("localhost:11434", true),
            ("0.0.0.0:11434", true),
            ("https://oz.example.com", false),
            ("http://10.0.0.1:7700", false),
            ("models:11434", false),
            ("", false),
        ] {
            assert_eq!(is_local(address), local, "{address}");
        }
    }

    #[test]
    fn the_reason_is_told() {
        let reason = |server: &str, variables: &[(&str, &str)], models: Option<&str>| {
            let pair = |(n, v): &(&str, &str)| ((*n).to_owned(), (*v).to_owned());
            needs_host(server, &variables.iter().map(pair).collect(), models).unwrap_or_default()
        };
        assert!(reason("http://localhost:7700", &[], None).contains("http://localhost:7700"));
        assert!(
            reason("https://h", &[("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")], None)
                .contains("OPENAI_BASE_URL")
        );
        assert!(reason("https://h", &[("OLLAMA_HOST", "127.0.0.1:11434")], None).contains("OLLAMA_HOST"));
        let file =
            "endpoints: [{ name: a, base_url: 'https://a' }, { name: b, base_url: 'http://localhost:1/v1' }]";
        assert!(reason("https://h", &[], Some(file)).contains("\"b\""));
        assert_eq!(reason("https://h", &[("A", "http://localhost")], Some("endpoints: x")), "");
    }
}
