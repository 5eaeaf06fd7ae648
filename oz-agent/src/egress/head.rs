//! What a client of the proxy asks for. Pure.

use url::Url;

/// A request, as far as the proxy understands it.
#[derive(Debug, PartialEq)]
pub(super) struct Head {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) way: Way,
}

/// What is to be done with the connection.
#[derive(Debug, PartialEq)]
pub(super) enum Way {
    /// It becomes a tunnel.
    Tunnel,
    /// It begins with this request, as the host itself expects it, and goes on with its body.
    Request(Vec<u8>),
}

/// Headers that are between a client and its proxy.
const HOP: [&str; 4] = ["proxy-connection", "proxy-authorization", "host", "connection"];

/// Reads the head of a request up to its empty line.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(head: &[u8]) -> Result<Head, String> {
    let text = std::str::from_utf8(head).map_err(|_| "the request is not text".to_owned())?;
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("the request has no request line".to_owned());
    };
    if method.eq_ignore_ascii_case("CONNECT") {
        let url = Url::parse(&format!("tunnel://{target}")).ok();
        let end = url.as_ref().and_then(|url| Some((host(url)?, url.port()?)));
        let (host, port) = end.ok_or_else(|| format!("'{target}' is not a host with its port"))?;
        return Ok(Head { host, port, way: Way::Tunnel });
    }
    let url = Url::parse(target).ok().filter(|url| url.scheme() == "http");
    let end = url.as_ref().and_then(|url| Some((url, host(url)?, url.port_or_known_default()?)));
    let Some((url, host, port)) = end else {
        return Err(format!("'{target}' is not an http address; this is the proxy of a run"));
    };
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut out = format!("{method} {path} {version}\r\n");
    out.push_str(&format!("Host: {}\r\n", &url[url::Position::BeforeHost..url::Position::AfterPort]));
    let mut upgrade = None;
    for line in lines.filter(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(':') else {
            return Err(format!("the header '{line}' has no value"));
        };
        if name.eq_ignore_ascii_case("upgrade") {
            upgrade = Some(value.trim());
        }
        if !HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop)) {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }
    // One request for each connection: the next may be meant for another host.
    out.push_str(if upgrade.is_some() { "Connection: upgrade\r\n\r\n" } else { "Connection: close\r\n\r\n" });
    Ok(Head { host, port, way: Way::Request(out.into_bytes()) })
}

/// The host as the list has it: other spellings of an address are that address.
fn host(url: &Url) -> Option<String> {
    let text = url.host_str().filter(|host| !host.is_empty())?;
    // Hosts of unknown schemes are taken as they are written.
    Some(url::Host::parse(text).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_has_a_host_and_a_port() {
        for (target, host, port) in [
            ("example.com:443", "example.com", 443),
            ("EXAMPLE.com:443", "example.com", 443),
            ("[::1]:80", "[::1]", 80),
            ("0x7f.1:80", "127.0.0.1", 80),
        ] {
            let head = read(format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
            assert_eq!(head, Head { host: host.to_owned(), port, way: Way::Tunnel }, "{target}");
        }
        for wrong in [
            "CONNECT example.com HTTP/1.1",
            "CONNECT :80 HTTP/1.1",
            "GET / HTTP/1.1",
            "GET",
            "GET https://a HTTP/1.1",
        ] {
            assert!(read(format!("{wrong}\r\n\r\n").as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_request_is_passed_on_to_the_host_it_names_and_to_no_other() {
        let head = "POST http://me@good.com:8080/a?b=c HTTP/1.1\r\nHost: evil.com\r\nProxy-Connection: keep-alive\r\n\
            Connection: keep-alive\r\nX: y\r\n\r\n";
        let Head { host, port, way } = read(head.as_bytes()).unwrap();
        let expected = "POST /a?b=c HTTP/1.1\r\nHost: good.com:8080\r\nX: y\r\nConnection: close\r\n\r\n";
        assert_eq!(
            (host.as_str(), port, way),
            ("good.com", 8080, Way::Request(expected.as_bytes().to_vec()))
        );
        let head = read(b"GET http://a HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").unwrap();
        let Way::Request(text) = head.way else { panic!() };
        assert_eq!(text, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
    }
}
