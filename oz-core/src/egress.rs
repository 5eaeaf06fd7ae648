//! Which hosts a run may reach: `config.sandbox.egress_allowlist`, what it means, and how it comes to what starts processes.
//! All of it is pure; `oz-agent` holds it.

mod network;
mod pattern;

pub use network::Network;
pub use pattern::Pattern;

use std::net::IpAddr;

/// The hosts of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowlist(Vec<Pattern>);

impl Allowlist {
    /// The list of these texts. One that is none of the forms that are allowed names no host.
    pub fn of<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self(texts.into_iter().filter_map(|text| Pattern::parse(text.as_ref())).collect())
    }

    /// Whether the list has this host, by its name or its address.
    #[must_use]
    pub fn covers(&self, host: &str, port: u16) -> bool {
        let host = normal(host);
        self.0.iter().any(|pattern| pattern.covers(&host, port))
    }

    /// Whether the list has this very address, so that it may be reached although it is not public. `localhost` stands for
    /// the addresses of this machine.
    #[must_use]
    pub fn names(&self, ip: IpAddr, port: u16) -> bool {
        let ip = ip.to_canonical();
        self.covers(&ip.to_string(), port) || (ip.is_loopback() && self.covers("localhost", port))
    }

    /// The addresses of this machine that the list names with their ports, as written.
    pub fn local(&self) -> impl Iterator<Item = (&str, u16)> {
        self.0.iter().filter_map(Pattern::local)
    }

    /// This list with what `other` has.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// What both lists allow and nothing else.
#[must_use]
pub fn intersection(a: &[String], b: &[String]) -> Vec<String> {
    let (a, b) = (Allowlist::of(a), Allowlist::of(b));
    let mut both: Vec<String> = Vec::new();
    for (one, other) in a.0.iter().flat_map(|one| b.0.iter().map(move |other| (one, other))) {
        let text = one.and(other).map(|pattern| pattern.to_string());
        both.extend(text.filter(|text| !both.contains(text)));
    }
    both
}

/// A host as patterns have it: in lower case, without brackets, and without the dot at its end.
fn normal(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().to_string(),
        Err(_) => bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests;
