//! Directories of the engine's machine that the operator mounts into containers.

use super::spec::{AGENT, WORKSPACE};
use crate::Error;

const EXPECTED: &str = "HOST:CONTAINER or HOST:CONTAINER:MODE with absolute paths and a mode of ro or rw";
const TAKEN: &str = "a path in the container other than / and /agent";
const SOCKET: &str = "something other than the engine's socket, which would give agents the whole machine";
const SOCKETS: &[&str] = &["/var/run/docker.sock", "/run/docker.sock"];

/// Checks what the operator mounts.
pub(super) fn check(volumes: &[String], socket: Option<&str>) -> Result<(), Error> {
    for volume in volumes {
        let wrong = |expected| Error::setting("volumes", volume, expected);
        let parts: Vec<&str> = volume.split(':').collect();
        let ([host, container] | [host, container, "ro" | "rw"]) = parts[..] else {
            return Err(wrong(EXPECTED));
        };
        let named = host.starts_with(|c: char| c.is_ascii_alphanumeric()) && !host.contains('/');
        if !(host.starts_with('/') || named) || !container.starts_with('/') {
            return Err(wrong(EXPECTED));
        }
        let place = container.trim_end_matches('/');
        if place.is_empty() || place == AGENT || place.starts_with("/agent/") {
            return Err(wrong(TAKEN));
        }
        if SOCKETS.contains(&host) || socket == Some(host) {
            return Err(wrong(SOCKET));
        }
    }
    Ok(())
}

/// Whether the operator brings the workspace.
pub(super) fn bring_workspace(volumes: &[String]) -> bool {
    volumes.iter().filter_map(|v| v.split(':').nth(1)).any(|path| path.trim_end_matches('/') == WORKSPACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_checked() {
        let complaint =
            |volume: &str| check(&[volume.to_owned()], Some("/x/d.sock")).err().map(|e| e.to_string());
        for right in ["/a:/b", "/a:/b:ro", "/a b:/c:rw", "cache:/cache", "/:/host:ro"] {
            assert_eq!(complaint(right), None, "{right}");
        }
        for (wrong, why) in [
            ("/a", "HOST:CONTAINER"),
            ("a/b:/c", "absolute"),
            ("/a:b", "absolute"),
            ("/a:/b:rx", "ro or rw"),
            ("", "HOST:CONTAINER"),
            ("/a:/b:ro:x", "HOST:CONTAINER"),
            ("/a:/", "other than /"),
            ("/a:/agent/", "/agent"),
            ("/var/run/docker.sock:/s", "socket"),
            ("/x/d.sock:/s", "socket"),
        ] {
            let text = complaint(wrong).unwrap_or_default();
            assert!(
                text.starts_with(&format!("volumes: '{wrong}'")) && text.contains(why),
                "{wrong}: {text}"
            );
        }
        assert!(bring_workspace(&["/a:/workspace/".to_owned()]) && !bring_workspace(&["/a:/b".to_owned()]));
    }
}
