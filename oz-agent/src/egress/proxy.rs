//! The proxy that the processes of a run use, and the ports of this machine that they may reach. The sockets on which it
//! listens belong to the namespace of the run, this process does not.

use super::{
    door::{Closed, Door},
    head::{self, Way},
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// The longest head of a request.
const LONGEST: usize = 64 << 10;
/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers the clients of the proxy.
pub(super) async fn serve(listener: TcpListener, door: Arc<Door>) {
    each(listener, move |client| {
        let door = Arc::clone(&door);
        async move { proxy(client, &door).await }
    })
    .await;
}

/// Lets everybody through to one port of this machine.
pub(super) async fn forward(listener: TcpListener, door: Arc<Door>, host: String, port: u16) {
    each(listener, move |mut client| {
        let (door, host) = (Arc::clone(&door), host.clone());
        async move {
            // Where nobody listens, the client finds its connection closed.
            let Ok(mut server) = door.connect(&host, port).await else { return Ok(()) };
            copy_bidirectional(&mut client, &mut server).await.map(drop)
        }
    })
    .await;
}

async fn each<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let serving = serve(client);
                tokio::spawn(async move {
                    if let Err(error) = serving.await {
                        tracing::debug!(%error, "a connection of a run broke off");
                    }
                });
            }
            // Too many open files, for example: it passes.
            Err(error) => {
                tracing::warn!(%error, "the processes of the agent can't connect");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn proxy(mut client: TcpStream, door: &Door) -> io::Result<()> {
    let _ = client.set_nodelay(true);
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at + 4;
        }
        if read.len() > LONGEST {
            return answer(&mut client, "431 Request Header Fields Too Large", "the request is too long")
                .await;
        }
        if timeout(PATIENCE, client.read_buf(&mut read)).await?? == 0 {
            return Ok(());
        }
    };
    let head = match head::read(&read[..end]) {
        Ok(head) => head,
        Err(problem) => return answer(&mut client, "400 Bad Request", &problem).await,
    };
    let mut server = match door.connect(&head.host, head.port).await {
        Ok(server) => server,
        // The reason stands in the status line too: of a tunnel that is not made, clients show nothing else.
        Err(Closed::Refused(text)) => return answer(&mut client, &format!("403 {text}"), &text).await,
        Err(Closed::Away(text)) => return answer(&mut client, "502 Bad Gateway", &text).await,
    };
    match head.way {
        Way::Tunnel => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?,
        Way::Request(head) => server.write_all(&head).await?,
    }
    server.write_all(&read[end..]).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

async fn answer(client: &mut TcpStream, status: &str, text: &str) -> io::Result<()> {
    let length = text.len() + 1;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    client.write_all(format!("{head}{text}\n").as_bytes()).await?;
    client.shutdown().await
}
