//! Where the list is held: a connection is made here or not at all.

use crate::web::is_public;
use oz_core::egress::{Allowlist, Network};
use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpStream, lookup_host},
    sync::mpsc,
    time::timeout,
};

/// How long a host may take to be found and to answer.
const CONNECT: Duration = Duration::from_secs(30);

/// Why there is no connection.
#[derive(Debug, PartialEq)]
pub(super) enum Closed {
    /// It is not allowed.
    Refused(String),
    /// The host is not there.
    Away(String),
}

/// The way out.
pub(super) struct Door {
    network: Network,
    list: Allowlist,
    own: Allowlist,
    news: mpsc::UnboundedSender<String>,
    told: Mutex<HashSet<String>>,
}

impl Door {
    pub(super) fn new(
        network: Network,
        list: Allowlist,
        own: Allowlist,
        news: mpsc::UnboundedSender<String>,
    ) -> Self {
        Self { network, list, own, news, told: Mutex::default() }
    }

    /// Connects to a host that may be reached. Its name is looked up once, here: what a later answer says changes nothing.
    pub(super) async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Closed> {
        let connecting = async {
            let addresses = self.find(host, port).await?;
            TcpStream::connect(&*addresses).await.map_err(|e| Closed::Away(format!("{host}:{port}: {e}")))
        };
        let late = |_| Closed::Away(format!("{host}:{port} did not answer within {} s", CONNECT.as_secs()));
        let socket = timeout(CONNECT, connecting).await.map_err(late).and_then(|result| result);
        match &socket {
            Ok(socket) => drop(socket.set_nodelay(true)),
            Err(Closed::Refused(text)) => self.tell(text),
            Err(Closed::Away(_)) => {}
        }
        socket
    }

    async fn find(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Closed> {
        let own = self.own.covers(host, port);
        if !own {
            self.network.check(host, port).map_err(Closed::Refused)?;
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let addresses: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(ip) => vec![(ip, port).into()],
            Err(_) => {
                let found = lookup_host((bare, port)).await;
                found.map_err(|e| Closed::Away(format!("the host '{host}' was not found: {e}")))?.collect()
            }
        };
        let barred =
            |address: &&SocketAddr| !own && !is_public(address.ip()) && !self.list.names(address.ip(), port);
        match addresses.iter().find(barred) {
            Some(address) => {
                let text = format!(
                    "host {host} is at {}, which is not a public address and not itself in \
                     config.sandbox.egress_allowlist",
                    address.ip()
                );
                self.network.refuse(text.clone());
                Err(Closed::Refused(text))
            }
            None => Ok(addresses),
        }
    }

    fn tell(&self, text: &str) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned()) {
            tracing::info!("{text}");
            let _ = self.news.send(text.to_owned());
        }
    }
}
