//! Where the address and key of the control plane are kept, and who can read them.

use super::report::Check;
use crate::settings::Login;
use std::{fs, io, path::Path};

/// `needed` says whether something asks the control plane.
pub(super) fn checks(login_file: &Path, has_key: bool, needed: bool) -> Vec<Check> {
    let dir = login_file.parent().unwrap_or(login_file);
    vec![directory(dir), login(login_file, has_key, needed)]
}

fn directory(dir: &Path) -> Check {
    let (name, shown) = ("configuration", dir.display());
    if !dir.exists() {
        return Check::ok(name, format!("{shown} is made by the first login"));
    }
    if !dir.is_dir() {
        return Check::problem(name, format!("{shown} is not a directory"), &format!("rm {shown}"));
    }
    if is_writable(dir) {
        return Check::ok(name, shown);
    }
    Check::problem(name, format!("{shown} can't be written to"), &format!("chmod u+rwx {shown}"))
}

fn login(file: &Path, has_key: bool, needed: bool) -> Check {
    let (name, shown) = ("login", file.display());
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound && has_key => {
            return Check::ok(name, "none is stored; the key comes from the command line or the environment");
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let log_in = "oz login --server URL --api-key KEY";
            if needed {
                return Check::problem(name, "you are not logged in", log_in);
            }
            return Check::absent(
                name,
                "you are not logged in; runs of this machine are not recorded",
                log_in,
            );
        }
        Err(e) => {
            return Check::problem(name, format!("{shown}: {e}"), &format!("chmod 600 {shown}"));
        }
    };
    match serde_json::from_str::<Login>(&text) {
        // What the parser says could quote the key.
        Err(_) => Check::problem(
            name,
            format!("{shown} can't be understood"),
            "oz logout && oz login --server URL --api-key KEY",
        ),
        Ok(_) if is_open(file) => Check::problem(
            name,
            format!("{shown} holds your key and can be read by others on this machine"),
            &format!("chmod 600 {shown}"),
        ),
        Ok(login) => Check::ok(name, format!("{} in {shown}, readable by you alone", login.server_url)),
    }
}

#[cfg(unix)]
fn is_writable(dir: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(dir: &Path) -> bool {
    fs::metadata(dir).is_ok_and(|about| !about.permissions().readonly())
}

#[cfg(unix)]
fn is_open(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::{super::tests::shown, *};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_key_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("oz/login.json");
        let found =
            |has_key| shown(&checks(&file, has_key, true)).replace(&dir.path().display().to_string(), "~");
        insta::assert_snapshot!(found(true), @"
        ok configuration: ~/oz is made by the first login
        ok login: none is stored; the key comes from the command line or the environment
        ");
        insta::assert_snapshot!(found(false), @"
        ok configuration: ~/oz is made by the first login
        problem login: you are not logged in => oz login --server URL --api-key KEY
        ");
        assert!(shown(&checks(&file, false, false)).contains("skipped login: you are not logged in"));
        fs::create_dir(dir.path().join("oz")).unwrap();
        let write = |text: &str, mode| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        };
        let login = r#"{"server_url":"http://s","api_key":"wk-1.secret"}"#;
        write(login, 0o600);
        insta::assert_snapshot!(found(true), @"
        ok configuration: ~/oz
        ok login: http://s in ~/oz/login.json, readable by you alone
        ");
        write(login, 0o644);
        insta::assert_snapshot!(found(true), @"
        ok configuration: ~/oz
        problem login: ~/oz/login.json holds your key and can be read by others on this machine => chmod 600 ~/oz/login.json
        ");
        write(r#"{"server_url": 1, "api_key": "wk-1.secret"}"#, 0o600);
        insta::assert_snapshot!(found(true), @"
        ok configuration: ~/oz
        problem login: ~/oz/login.json can't be understood => oz logout && oz login --server URL --api-key KEY
        ");
        assert!(!found(true).contains("secret"));
    }
}
