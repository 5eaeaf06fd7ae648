//! One entry of a list of hosts.

use super::normal;
use std::{fmt, net::IpAddr};

/// A host, or all hosts below a domain, with one port or any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Without `*.`; an address in its canonical form.
    name: String,
    below: bool,
    port: Option<u16>,
}

impl Pattern {
    /// Reads `crates.io`, `*.github.com`, `10.0.0.1` or `[::1]`, each with a port or without.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // Without brackets an address with many colons has no port.
        let (host, port) = match rest.rsplit_once(':') {
            _ if rest.ends_with(']') || rest.parse::<IpAddr>().is_ok() => (rest, None),
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
            None => (rest, None),
        };
        let name = normal(host);
        let ip = name.parse::<IpAddr>().ok();
        let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_');
        let named = !name.is_empty() && name.len() <= 255 && name.bytes().all(legal);
        let brackets = host.starts_with('[') || host.contains(':');
        let right = match ip {
            Some(ip) => !below && (ip.is_ipv6() || !brackets || host.contains(':')),
            None => named && !brackets,
        };
        right.then_some(Self { name, below, port })
    }

    /// Whether it means this host, which is in its normal form.
    pub(super) fn covers(&self, host: &str, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
            && match self.below {
                true => below(host, &self.name),
                false => host == self.name,
            }
    }

    /// What both mean.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let port = match (self.port, other.port) {
            (Some(one), Some(other)) if one != other => return None,
            (one, other) => one.or(other),
        };
        let narrow = match (self.below, other.below) {
            (false, false) => (self.name == other.name).then_some(self),
            (true, false) => below(&other.name, &self.name).then_some(other),
            (false, true) => below(&self.name, &other.name).then_some(self),
            (true, true) if self.name == other.name || below(&self.name, &other.name) => Some(self),
            (true, true) => below(&other.name, &self.name).then_some(other),
        };
        narrow.map(|narrow| Self { port, ..narrow.clone() })
    }

    /// Whether it is an address of this machine, of which only single ports can be reached.
    #[must_use]
    pub fn is_local(&self) -> bool {
        !self.below
            && (self.name == "localhost" || self.name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
    }

    /// The port, when it has one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The address of this machine that it is, with its port.
    pub(super) fn local(&self) -> Option<(&str, u16)> {
        self.port.filter(|_| self.is_local()).map(|port| (self.name.as_str(), port))
    }
}

/// Whether a host is below a domain; addresses are below none.
fn below(host: &str, domain: &str) -> bool {
    let left = host.strip_suffix(domain).and_then(|left| left.strip_suffix('.'));
    left.is_some_and(|left| !left.is_empty()) && host.parse::<IpAddr>().is_err()
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = self.name.contains(':');
        match (self.below, many) {
            (true, _) => write!(f, "*.{}", self.name)?,
            (false, true) => write!(f, "[{}]", self.name)?,
            (false, false) => f.write_str(&self.name)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}
