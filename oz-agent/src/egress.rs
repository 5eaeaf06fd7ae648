//! Holds a run to the hosts of its list. The processes of the agent live in a network namespace that has nothing but
//! loopback; there a proxy of the driver listens, which connects to hosts of the list and to no others. What does not use
//! the proxy reaches nothing.

mod door;
mod head;
mod namespace;
mod proxy;

pub use namespace::main;

use door::Door;
use namespace::{Namespace, Wish};
use oz_core::egress::{Allowlist, Network};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::task::AbortOnDropHandle;

/// The variables that programs find their proxy by.
const PROXY: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
/// Those that name what is reached without: what the agent itself serves, and ports of this machine that are on the list.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
const LOCAL: &str = "localhost,127.0.0.1,::1";

/// The bounded network of a run. It is there as long as this lives.
pub(crate) struct Egress {
    /// For who starts processes.
    pub(crate) network: Network,
    /// Tells of each refusal, once.
    pub(crate) refusals: mpsc::UnboundedReceiver<String>,
    variables: BTreeMap<String, String>,
    _serving: Vec<AbortOnDropHandle<()>>,
    _namespace: Namespace,
}

impl Egress {
    /// Makes the network for this list. `own` is what the agent itself needs, wherever it is: its model and the control
    /// plane. `oz` is the program that makes namespaces.
    ///
    /// # Errors
    /// When this machine allows no namespaces.
    pub(crate) async fn open(list: &[String], own: &[String], oz: &Path) -> Result<Self, String> {
        let (list, own) = (Allowlist::of(list), Allowlist::of(own));
        let local = list.local().chain(own.local());
        let mut wishes = vec![Wish { address: (Ipv4Addr::LOCALHOST, 0).into(), host: String::new() }];
        for (host, port) in local {
            let ip = host.parse().unwrap_or(Ipv4Addr::LOCALHOST.into());
            let address = SocketAddr::new(ip, port);
            if wishes.iter().all(|wish| wish.address != address) {
                wishes.push(Wish { address, host: host.to_owned() });
            }
        }
        let failed = |why: String| {
            format!(
                "config.sandbox.egress_allowlist can't be enforced here: {why}; use a worker on Linux that may make \
                 network namespaces (unprivileged user namespaces, or CAP_SYS_ADMIN), or leave the list out"
            )
        };
        let oz = oz.to_owned();
        let addresses: Vec<SocketAddr> = wishes.iter().map(|wish| wish.address).collect();
        let making = {
            let oz = oz.clone();
            tokio::task::spawn_blocking(move || Namespace::make(&oz, &addresses))
        };
        let (namespace, listeners) =
            making.await.map_err(|e| e.to_string()).and_then(|made| made).map_err(failed)?;
        let network = Network::of(list.clone(), namespace.launcher(&oz));
        let (news, refusals) = mpsc::unbounded_channel();
        let door = Arc::new(Door::new(network.clone(), list, own, news));
        let mut variables = BTreeMap::new();
        let mut serving = Vec::new();
        for (wish, listener) in wishes.into_iter().zip(listeners) {
            let ready = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
            let listener = ready.map_err(|e| failed(e.to_string()))?;
            let task = if wish.host.is_empty() {
                let port = listener.local_addr().map_err(|e| failed(e.to_string()))?.port();
                variables.extend(variables_of(port));
                tokio::spawn(proxy::serve(listener, Arc::clone(&door)))
            } else {
                tokio::spawn(proxy::forward(listener, Arc::clone(&door), wish.host, wish.address.port()))
            };
            serving.push(AbortOnDropHandle::new(task));
        }
        Ok(Self { network, refusals, variables, _serving: serving, _namespace: namespace })
    }

    /// Tells programs of the proxy in the environment that they get.
    pub(crate) fn configure(&self, env: &mut BTreeMap<String, String>) {
        env.extend(self.variables.clone());
    }
}

fn variables_of(port: u16) -> BTreeMap<String, String> {
    let proxy = format!("http://127.0.0.1:{port}");
    let mut all: BTreeMap<String, String> = PROXY.map(|name| (name.to_owned(), proxy.clone())).into();
    all.extend(NO_PROXY.map(|name| (name.to_owned(), LOCAL.to_owned())));
    // Node has a way to a proxy of its own, and leaves it off.
    all.insert("NODE_USE_ENV_PROXY".to_owned(), "1".to_owned());
    all
}

#[cfg(test)]
mod tests;
