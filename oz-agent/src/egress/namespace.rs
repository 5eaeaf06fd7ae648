//! The network namespace of a run, and the user namespace that owns it: whoever is in it has no rights outside, not even
//! as root, and so can't go back. Making one and entering it are processes of their own (`oz egress`), since a process with
//! threads can't change its user namespace.

use std::{ffi::OsString, net::SocketAddr, process::ExitCode};

#[cfg(target_os = "linux")]
mod holder;
#[cfg(target_os = "linux")]
mod loopback;
#[cfg(target_os = "linux")]
mod maps;

#[cfg(target_os = "linux")]
pub(super) use holder::Namespace;

/// Something to listen on in the namespace.
pub(super) struct Wish {
    pub(super) address: SocketAddr,
    /// Where connections go; a proxy decides when it is empty.
    pub(super) host: String,
}

/// `oz egress hold ADDRESS…` makes a namespace for the driver at its standard input; `oz egress enter PID WORDS…` becomes a
/// program in that of another process. Nothing may run in the process before this.
#[must_use]
pub fn main(words: Vec<OsString>) -> ExitCode {
    let mut words = words.into_iter();
    let (verb, rest) = (words.next().unwrap_or_default(), words);
    #[cfg(target_os = "linux")]
    let problem = match verb.to_str() {
        Some("hold") => holder::hold(rest),
        Some("enter") => holder::enter(rest),
        _ => Err("only the agent of a run calls this".to_owned()),
    };
    #[cfg(not(target_os = "linux"))]
    let problem: Result<(), String> = {
        drop((verb, rest));
        Err("there are no network namespaces on this system".to_owned())
    };
    match problem {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "oz egress: {problem}");
            // What a shell answers for a program that can't be started.
            ExitCode::from(127)
        }
    }
}

/// Where there are no namespaces, none is made.
#[cfg(not(target_os = "linux"))]
pub(super) struct Namespace;

#[cfg(not(target_os = "linux"))]
impl Namespace {
    pub(super) fn make(
        _: &std::path::Path,
        _: &[SocketAddr],
    ) -> Result<(Self, Vec<std::net::TcpListener>), String> {
        Err("there are no network namespaces on this system".to_owned())
    }

    pub(super) fn launcher(&self, _: &std::path::Path) -> Vec<String> {
        Vec::new()
    }
}
