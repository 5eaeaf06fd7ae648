//! Who is who in a user namespace: everybody is who they are outside. Who is not root outside can say so only of itself.

use std::{fs, io, path::Path};

/// Maps the users and groups of the namespace of a process.
pub(super) fn write(pid: u32) -> io::Result<()> {
    let process = Path::new("/proc").join(pid.to_string());
    let all = |kind: &str| -> io::Result<String> {
        Ok(identity(&fs::read_to_string(format!("/proc/self/{kind}"))?))
    };
    if fs::write(process.join("uid_map"), all("uid_map")?).is_ok() {
        return fs::write(process.join("gid_map"), all("gid_map")?);
    }
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    fs::write(process.join("uid_map"), format!("{uid} {uid} 1\n"))?;
    // Without this, who gives up a group could get what the group is kept from.
    fs::write(process.join("setgroups"), "deny")?;
    fs::write(process.join("gid_map"), format!("{gid} {gid} 1\n"))
}

/// The map that changes nothing, for the users that this map has.
fn identity(map: &str) -> String {
    let lines = map.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let (inside, _, count) = (words.next()?, words.next()?, words.next()?);
        Some(format!("{inside} {inside} {count}\n"))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::identity;

    #[test]
    fn everybody_stays_who_they_are() {
        let map = "         0       1000          1\n         1     100000      65536\n";
        assert_eq!(identity(map), "0 0 1\n1 1 65536\n");
    }
}
