use super::*;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// A server that answers by path. Returns its address and the paths that were asked for.
async fn serve(
    answers: &'static [(&'static str, &'static str, &'static str)],
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let n = socket.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..n]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            log.lock().unwrap().push(path.clone());
            let found = answers.iter().find(|(prefix, ..)| path.starts_with(prefix));
            let (head, body) = found.map_or(("404 Not Found", "no"), |(_, head, body)| (*head, *body));
            let answer = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n{body}");
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (url, asked)
}

fn open() -> Web {
    Web::new(None, true).unwrap()
}

#[tokio::test]
async fn a_page_becomes_text() {
    let (url, asked) = serve(&[
        ("/page", "200 OK\r\nContent-Type: text/html; charset=utf-8", "<html><head><title>t</title><style>p{}</style><script>bad()</script></head><body><h1>Head</h1><p>One &amp; <b>two</b> <a href=\"/next\">link</a></p><ul><li>item</ul></body></html>"),
        ("/json", "200 OK\r\nContent-Type: application/json", "{\"a\":1}"),
        ("/picture", "200 OK\r\nContent-Type: image/png", "\u{1}"),
        ("/moved", "302 Found\r\nLocation: /page", ""),
        ("/round", "302 Found\r\nLocation: /round", ""),
        ("/file", "302 Found\r\nLocation: file:///etc/passwd", ""),
    ])
    .await;
    let page = open().fetch(&format!("{url}/moved")).await.unwrap();
    assert_eq!((page.status, page.url.as_str()), (200, format!("{url}/page").as_str()));
    let text = readable(&page).unwrap();
    for part in ["Head", "One & ", "link", "item", "/next"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("bad()") && !text.contains("p{}"), "{text}");
    assert_eq!(*asked.lock().unwrap(), ["/moved", "/page"], "no link is followed");
    let page = open().fetch(&format!("{url}/json")).await.unwrap();
    assert_eq!(readable(&page).unwrap(), "{\"a\":1}");
    let page = open().fetch(&format!("{url}/picture")).await.unwrap();
    assert!(readable(&page).unwrap_err().contains("'image/png', which is no text"));
    assert_eq!(open().fetch(&format!("{url}/gone")).await.unwrap().status, 404);
    let error = open().fetch(&format!("{url}/round")).await.unwrap_err();
    assert!(error.contains("more than 5 times"), "{error}");
    let error = open().fetch(&format!("{url}/file")).await.unwrap_err();
    assert!(error.contains("'file' can't be fetched"), "{error}");
}

#[tokio::test]
async fn nothing_is_sent_to_a_private_address() {
    let (url, asked) = serve(&[("/", "200 OK", "secret")]).await;
    for web in [Web::default(), Web::new(Some(&url), false).unwrap()] {
        let error = web.fetch(&url).await.unwrap_err();
        assert!(error.contains("not a public address"), "{error}");
    }
    assert!(asked.lock().unwrap().is_empty());
    for (bad, expected) in [
        ("ftp://example.com/x", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("nonsense", "not an address"),
    ] {
        let error = Web::default().fetch(bad).await.unwrap_err();
        assert!(error.contains(expected), "{bad}: {error}");
    }
}

#[tokio::test]
async fn a_page_without_end_is_cut_and_a_deep_one_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n").await;
        while socket.write_all(&[b'x'; 65536]).await.is_ok() {}
    });
    let page = open().fetch(&url).await.unwrap();
    assert!(page.cut && page.body.len() == MAX_BYTES);
    let deep = |n: usize| format!("{}deep{}", "<div>".repeat(n), "</div>".repeat(n)).into_bytes();
    let page = Page { body: deep(250), media_type: "text/html".into(), ..page };
    assert!(readable(&page).unwrap().contains("deep"));
    let page = Page { body: deep(200_000), ..page };
    assert!(readable(&page).unwrap_err().contains("more than 300 deep"));
}

#[tokio::test]
async fn a_search_service_is_asked_as_searxng_is() {
    let (url, asked) = serve(&[
        ("/search?lang=en&q=rust+%26+vim&format=json", "200 OK\r\nContent-Type: application/json", "{\"query\":\"x\",\"results\":[{\"url\":\"https://a\",\"title\":\"A\",\"content\":\"one\",\"score\":1.5},{\"url\":\"https://b\"}]}"),
        ("/search?lang=en&q=html", "200 OK", "<html>"),
    ])
    .await;
    let web = Web::new(Some(&format!("{url}/search?lang=en")), false).unwrap();
    let hits = web.search("rust & vim").await.unwrap();
    assert_eq!(hits.len(), 2);
    assert_eq!(hits[0], Hit { url: "https://a".into(), title: "A".into(), content: "one".into() });
    let error = web.search("html").await.unwrap_err();
    assert!(error.contains("did not answer in SearXNG's JSON"), "{error}");
    let error = web.search("other").await.unwrap_err();
    assert!(error.contains("status 404"), "{error}");
    assert_eq!(asked.lock().unwrap().len(), 3);
    let error = Web::new(Some("search.example.com"), false).unwrap_err();
    assert!(error.detail.contains("OZ_WEB_SEARCH_URL"), "{}", error.detail);
}
