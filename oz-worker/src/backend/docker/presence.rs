//! Which worker process watches a container. Several may share a name and an engine, and each must find what a dead one
//! has left but keep away from what a living one works on.
//!
//! While a process lives it holds an abstract socket that is named for it; the kernel lets go of that when the process
//! dies, however it dies. The name means something only in the network namespace where it was made, so that is noted as
//! well. Nobody can tell whether the holder lives when it was elsewhere: what it left is taken over, since a run that two
//! watch ends once, but one that nobody watches is never told to have ended.

use std::{collections::HashMap, fs};
use uuid::Uuid;

/// The label with the process that watches a container.
pub(super) const INSTANCE: &str = "oz.instance";
/// The label with where that process is.
const SCOPE: &str = "oz.instance-scope";

/// This process, for others to see. It is seen as long as this lives.
pub(super) struct Presence {
    instance: String,
    scope: String,
    #[cfg(target_os = "linux")]
    _socket: Option<std::os::unix::net::UnixDatagram>,
}

impl Presence {
    pub(super) fn new() -> Self {
        let instance = Uuid::new_v4().to_string();
        Self {
            scope: scope().unwrap_or_else(|| instance.clone()),
            #[cfg(target_os = "linux")]
            _socket: socket::hold(&instance)
                .inspect_err(|error| tracing::warn!(%error, "other workers can't see that this one lives"))
                .ok(),
            instance,
        }
    }

    /// The labels of what this process watches.
    pub(super) fn labels(&self) -> [(String, String); 2] {
        [(INSTANCE.to_owned(), self.instance.clone()), (SCOPE.to_owned(), self.scope.clone())]
    }

    /// Whether the process lives that wrote these labels; absent when that can't be known here.
    pub(super) fn lives(&self, labels: &HashMap<String, String>) -> Option<bool> {
        let instance = labels.get(INSTANCE)?;
        if *instance == self.instance {
            return Some(true);
        }
        (labels.get(SCOPE) == Some(&self.scope)).then(|| socket::is_held(instance))
    }
}

/// This boot of this machine, and the network namespace.
fn scope() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/net").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

#[cfg(target_os = "linux")]
mod socket {
    use std::{
        io,
        os::{
            linux::net::SocketAddrExt as _,
            unix::net::{SocketAddr, UnixDatagram},
        },
    };

    fn name(instance: &str) -> io::Result<SocketAddr> {
        SocketAddr::from_abstract_name(format!("oz-worker/{instance}"))
    }

    pub(super) fn hold(instance: &str) -> io::Result<UnixDatagram> {
        UnixDatagram::bind_addr(&name(instance)?)
    }

    pub(super) fn is_held(instance: &str) -> bool {
        name(instance).and_then(|name| UnixDatagram::unbound()?.connect_addr(&name)).is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod socket {
    pub(super) fn is_held(_instance: &str) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_seen_as_long_as_it_lives() {
        let (me, other) = (Presence::new(), Presence::new());
        let of_other: HashMap<String, String> = other.labels().into();
        assert_eq!(me.lives(&me.labels().into()), Some(true));
        assert_eq!(me.lives(&of_other), Some(true));
        drop(other);
        assert_eq!(me.lives(&of_other), Some(false));
        let mut elsewhere = of_other;
        elsewhere.insert(SCOPE.to_owned(), "another boot".to_owned());
        assert_eq!(me.lives(&elsewhere), None);
        assert_eq!(me.lives(&HashMap::new()), None);
    }
}
