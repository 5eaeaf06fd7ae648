//! One address in front of several servers, as a load balancer gives it: each connection goes to the next server that
//! takes it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};
use tokio::net::{TcpListener, TcpStream};

/// A running proxy; it ends with the runtime that it was started on.
#[derive(Clone)]
pub struct Proxy {
    port: u16,
    servers: Arc<Mutex<Vec<u16>>>,
}

impl Proxy {
    /// Starts a proxy in front of the servers on these ports.
    pub async fn start(servers: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let port = listener.local_addr().expect("address").port();
        let proxy = Self { port, servers: Arc::new(Mutex::new(servers)) };
        tokio::spawn(proxy.clone().run(listener));
        proxy
    }

    /// The proxy's address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn run(self, listener: TcpListener) {
        let turn = Arc::new(AtomicUsize::new(0));
        while let Ok((mut client, _)) = listener.accept().await {
            let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let first = turn.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                for i in 0..servers.len() {
                    let port = servers[(first + i) % servers.len()];
                    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                        return;
                    }
                }
            });
        }
    }
}
