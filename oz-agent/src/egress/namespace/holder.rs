//! The process that holds a namespace, from the side of the driver and from its own, and how others enter it.

use super::{loopback, maps};
use nix::sched::{CloneFlags, setns, unshare};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, IoSlice, IoSliceMut, Read as _, Write as _},
    mem::MaybeUninit,
    net::{SocketAddr, TcpListener},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::{net::UnixStream, process::CommandExt as _},
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most sockets that go over at once.
const SOCKETS: usize = 64;
/// What the holder says when its namespaces are there.
const MADE: u8 = b'1';
/// What it is told when its users are mapped.
const MAPPED: u8 = b'2';
/// What it says with its sockets.
const READY: u8 = b'3';

/// A namespace, as long as this lives.
pub(in crate::egress) struct Namespace {
    holder: Child,
    _link: UnixStream,
}

impl Namespace {
    /// Makes one that listens on these addresses.
    pub(in crate::egress) fn make(
        oz: &Path,
        addresses: &[SocketAddr],
    ) -> Result<(Self, Vec<TcpListener>), String> {
        if addresses.len() > SOCKETS {
            return Err(format!("the list names more than {SOCKETS} ports of this machine"));
        }
        let io = |e: io::Error| e.to_string();
        let (link, theirs) = UnixStream::pair().map_err(io)?;
        link.set_read_timeout(Some(PATIENCE)).map_err(io)?;
        let holder = Command::new(oz)
            .args(["egress", "hold"])
            .args(addresses.iter().map(ToString::to_string))
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("'{}' can't be started: {e}", oz.display()))?;
        let mut made = Self { holder, _link: link.try_clone().map_err(io)? };
        made.hear(&link, MADE)?;
        maps::write(made.holder.id()).map_err(|e| format!("its users can't be mapped: {e}"))?;
        (&link).write_all(&[MAPPED]).map_err(io)?;
        let sockets = made.hear(&link, READY)?;
        if sockets.len() != addresses.len() {
            return Err("not every port could be had in the namespace".to_owned());
        }
        Ok((made, sockets.into_iter().map(TcpListener::from).collect()))
    }

    /// The words that start a program inside.
    pub(in crate::egress) fn launcher(&self, oz: &Path) -> Vec<String> {
        let pid = self.holder.id().to_string();
        vec![oz.to_string_lossy().into_owned(), "egress".to_owned(), "enter".to_owned(), pid]
    }

    /// Waits for a word of the holder, and the sockets that come with it.
    fn hear(&mut self, link: &UnixStream, expected: u8) -> Result<Vec<OwnedFd>, String> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut text = [0; 512];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let got = recvmsg(link.as_fd(), &mut [IoSliceMut::new(&mut text)], &mut control, flags)
            .map_err(|e| format!("the namespace was not made in time: {e}"))?;
        let sockets = control
            .drain()
            .filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
                _ => None,
            })
            .flatten()
            .collect();
        match &text[..got.bytes] {
            [word] if *word == expected => Ok(sockets),
            [] => Err("its process ended before the namespace was made".to_owned()),
            problem => Err(String::from_utf8_lossy(problem).into_owned()),
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Makes a namespace and stays until nobody wants it any more.
pub(super) fn hold(addresses: impl Iterator<Item = OsString>) -> Result<(), String> {
    let addresses: Vec<SocketAddr> =
        addresses.filter_map(|address| address.to_str().and_then(|text| text.parse().ok())).collect();
    let input = io::stdin().as_fd().try_clone_to_owned().map_err(|e| e.to_string())?;
    let mut link = UnixStream::from(input);
    if let Err(problem) = furnish(&mut link, &addresses) {
        let _ = link.write_all(problem.as_bytes());
        return Err(problem);
    }
    let _ = link.read_to_end(&mut Vec::new());
    Ok(())
}

fn furnish(link: &mut UnixStream, addresses: &[SocketAddr]) -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
        .map_err(|e| format!("user and network namespaces can't be made: {}", e.desc()))?;
    let io = |e: io::Error| e.to_string();
    link.write_all(&[MADE]).map_err(io)?;
    let mut word = [0];
    link.read_exact(&mut word).map_err(io)?;
    loopback::up().map_err(|e| format!("its loopback interface can't be brought up: {e}"))?;
    let bind = |address: &SocketAddr| {
        TcpListener::bind(address).map_err(|e| format!("it can't listen on {address}: {e}"))
    };
    let sockets: Vec<TcpListener> = addresses.iter().map(bind).collect::<Result<_, _>>()?;
    let sockets: Vec<_> = sockets.iter().map(|socket| socket.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&sockets));
    sendmsg(link.as_fd(), &[IoSlice::new(&[READY])], &mut control, SendFlags::empty())
        .map_err(|e| e.to_string())?;
    Ok(())
}

/// Becomes a program in the namespaces of another process.
pub(super) fn enter(mut words: impl Iterator<Item = OsString>) -> Result<(), String> {
    let pid = words.next().and_then(|pid| pid.to_str()?.parse::<u32>().ok()).ok_or("PID is missing")?;
    let program = words.next().ok_or("the program is missing")?;
    let gone = |e: &dyn std::fmt::Display| format!("the network of the run can't be entered: {e}");
    let open = |kind: &str| File::open(format!("/proc/{pid}/ns/{kind}")).map_err(|e| gone(&e));
    // Both are opened while this process still may.
    let (user, net) = (open("user")?, open("net")?);
    setns(user, CloneFlags::CLONE_NEWUSER).map_err(|e| gone(&e.desc()))?;
    setns(net, CloneFlags::CLONE_NEWNET).map_err(|e| gone(&e.desc()))?;
    let error = Command::new(&program).args(words).exec();
    Err(format!("'{}' can't be started: {error}", program.to_string_lossy()))
}
