//! Which addresses of the web may be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Where a host is.
///
/// # Errors
/// When it is nowhere, or any of its addresses is not public although it has to be.
pub(super) async fn resolve(url: &Url, allow_private: bool) -> Result<Vec<SocketAddr>, String> {
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses: Vec<SocketAddr> = match url.host() {
        Some(Host::Ipv4(ip)) => vec![(ip, port).into()],
        Some(Host::Ipv6(ip)) => vec![(ip, port).into()],
        Some(Host::Domain(name)) => match tokio::net::lookup_host((name, port)).await {
            Ok(found) => found.collect(),
            Err(e) => return Err(format!("the host '{name}' was not found: {e}")),
        },
        None => Vec::new(),
    };
    let host = url.host_str().unwrap_or_default();
    if addresses.is_empty() {
        return Err(format!("the host '{host}' has no address"));
    }
    match addresses.iter().find(|address| !allow_private && !is_public(address.ip())) {
        Some(address) => Err(format!(
            "'{host}' is at {}, which is not a public address; use run_command for what is in this network",
            address.ip()
        )),
        None => Ok(addresses),
    }
}

/// Whether an address belongs to the public internet.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => embedded(ip).map_or_else(|| is_public_v6(ip), is_public_v4),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (b == 18 || b == 19);
    let protocols = a == 192 && b == 0 && c == 0;
    !(a == 0
        || a >= 240
        || ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || shared
        || benchmark
        || protocols)
}

/// The address of the older kind that one of the newer kind stands for.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let low = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(low(g, h)),
        (0x2002, ..) => Some(low(b, c)),
        _ => None,
    }
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Global unicast, without what is for documentation, tunnels and protocols.
    (0x2000..0x4000).contains(&a) && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_addresses() {
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "172.15.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "::7f00:1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[tokio::test]
    async fn other_spellings_of_an_address_are_the_same() {
        for url in [
            "http://127.1",
            "http://0x7f000001",
            "http://2130706433",
            "http://[::1]:80",
            "http://localhost",
            "http://0177.0.0.1",
        ] {
            let error = resolve(&Url::parse(url).unwrap(), false).await.unwrap_err();
            assert!(error.contains("not a public address"), "{url}: {error}");
            assert!(resolve(&Url::parse(url).unwrap(), true).await.is_ok(), "{url}");
        }
    }
}
