//! The HTTP client underneath: time-outs, TLS, proxies.

use crate::Error;
use std::{sync::Once, time::Duration};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// An HTTP client fit for `base_url`. For `http://` it loads no certificates, which would cost milliseconds and
/// megabytes; it never sends loopback traffic to a proxy, has no limit on the length of an answer's stream, and follows
/// no redirect: the token of a run must not travel to a host that a server names.
///
/// # Errors
/// [`Error::Config`] when the address is not an `http://` or `https://` URL.
pub fn http_client(base_url: &str) -> Result<reqwest::Client, Error> {
    http_builder(base_url)?
        .build()
        .map_err(|e| Error::Config(format!("the HTTP client could not be made: {e}")))
}

/// The same for who has more to say about it.
///
/// # Errors
/// [`Error::Config`] when the address is not an `http://` or `https://` URL.
pub fn http_builder(base_url: &str) -> Result<reqwest::ClientBuilder, Error> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error means that the program has installed one already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let url = url::Url::parse(base_url)
        .ok()
        .filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host())
        .ok_or_else(|| {
            Error::Config(format!("'{base_url}' is not an address such as http://127.0.0.1:7700"))
        })?;
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("oz/", env!("CARGO_PKG_VERSION")));
    if url.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    if is_loopback(&url) {
        builder = builder.no_proxy();
    }
    Ok(builder)
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_taken() {
        for good in ["http://127.0.0.1:7700", "https://oz.example.com/base", "http://[::1]:1"] {
            http_client(good).unwrap();
        }
        for bad in ["", "127.0.0.1:7700", "ftp://x", "http://", "localhost"] {
            let error = http_client(bad).unwrap_err().to_string();
            assert!(error.contains(&format!("'{bad}'")), "{error}");
        }
    }

    #[test]
    fn loopback_is_recognised() {
        for (text, loopback) in [
            ("http://127.0.0.9", true),
            ("http://localhost:1", true),
            ("http://[::1]", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(is_loopback(&text.parse().unwrap()), loopback, "{text}");
        }
    }
}
