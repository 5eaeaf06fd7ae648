use super::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A server that repeats what it hears, and its port.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = socket.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    port
}

/// A proxy for these lists, and what it tells.
async fn proxy(list: &[String], own: &[String]) -> (u16, Network, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let network = Network::of(Allowlist::of(list), vec![]);
    let (news, refusals) = mpsc::unbounded_channel();
    let door = Door::new(network.clone(), Allowlist::of(list), Allowlist::of(own), news);
    tokio::spawn(proxy::serve(listener, Arc::new(door)));
    (port, network, refusals)
}

/// What comes back of `text` when nothing more is said.
async fn say(port: u16, text: &str) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket.write_all(text.as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut all = String::new();
    socket.read_to_string(&mut all).await.unwrap();
    all
}

#[tokio::test]
async fn what_is_on_the_list_is_reached_by_tunnel_and_by_address() {
    let port = echo().await;
    let (proxy, ..) = proxy(&[format!("127.0.0.1:{port}")], &[]).await;
    let tunnel = say(proxy, &format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\nhello")).await;
    assert_eq!(tunnel, "HTTP/1.1 200 Connection established\r\n\r\nhello");
    let plain =
        say(proxy, &format!("GET http://127.0.0.1:{port}/x HTTP/1.1\r\nHost: other\r\n\r\nbody")).await;
    assert_eq!(plain, format!("GET /x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\nbody"));
}

#[tokio::test]
async fn what_is_not_is_refused_with_its_reason_and_told_once() {
    let port = echo().await;
    let (proxy, network, mut refusals) = proxy(&["good.example".to_owned()], &[]).await;
    let text = "host 127.0.0.1 is not in config.sandbox.egress_allowlist";
    for request in
        [format!("CONNECT 127.0.0.1:{port} HTTP/1.1"), format!("GET http://127.1:{port}/ HTTP/1.1")]
    {
        let answer = say(proxy, &format!("{request}\r\n\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 403 {text}\r\n")), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{text}\n")), "{answer}");
    }
    assert_eq!((refusals.recv().await.unwrap().as_str(), refusals.try_recv().is_err()), (text, true));
    assert_eq!((network.count(), network.refused(0)), (2, vec![text.to_owned()]));
}

#[tokio::test]
async fn a_name_on_the_list_leads_into_no_private_network_unless_the_agent_itself_needs_it() {
    let port = echo().await;
    // A name of this machine that is not the word `localhost`, in every hosts file.
    let name = "ip6-localhost";
    if tokio::net::lookup_host((name, port)).await.is_err() {
        return;
    }
    let connect = format!("CONNECT {name}:{port} HTTP/1.1\r\n\r\nhello");
    let (strict, ..) = proxy(&[name.to_owned()], &[]).await;
    let answer = say(strict, &connect).await;
    assert!(answer.contains("which is not a public address"), "{answer}");
    let (own, ..) = proxy(&[], &[name.to_owned()]).await;
    let answer = say(own, &connect).await;
    assert!(!answer.contains(" 403 "), "{answer}");
}

#[tokio::test]
async fn nonsense_is_answered() {
    let (proxy, ..) = proxy(&[], &[]).await;
    assert!(say(proxy, "GET / HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
    assert!(say(proxy, &"x".repeat(70_000)).await.starts_with("HTTP/1.1 431 "));
    assert_eq!(say(proxy, "GET").await, "");
}
