//! What there is in an image as far as an agent cares: who it will be, where its home is, and whether certificates are
//! there. Found by a container that is never started.

use super::{
    archive::{self, Owner},
    engine::Engine,
    helper::Helper,
    image::Image,
    presence::Presence,
};
use bollard::errors::Error;

/// The home of users who have none.
const HOME: &str = "/home/oz";
/// Where distributions keep the certificates of authorities.
const CERTIFICATES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What an agent finds in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) owner: Owner,
    /// Its home directory; absent when the image sets the variable.
    pub(super) home: Option<String>,
    /// Whether the home has to be made.
    pub(super) homeless: bool,
    /// Whether the image knows certificate authorities.
    pub(super) trusting: bool,
}

/// Looks into an image.
pub(super) async fn look(engine: &Engine, presence: &Presence, image: &Image) -> Result<Facts, Error> {
    let Some(helper) = Helper::create(engine, presence, &image.id, None, None).await? else {
        return Ok(facts(&image.user, "", ""));
    };
    let found = look_into(engine, &helper, image).await;
    helper.remove().await;
    found
}

async fn look_into(engine: &Engine, helper: &Helper, image: &Image) -> Result<Facts, Error> {
    let (client, id) = (&engine.client, helper.id.as_str());
    let users = archive::read(client, id, "/etc/passwd").await?;
    let groups = archive::read(client, id, "/etc/group").await?;
    let mut found = facts(&image.user, &users, &groups);
    if image.environment.iter().any(|entry| entry.starts_with("HOME=")) {
        found.home = None;
    }
    if let Some(home) = &found.home
        && !archive::exists(client, id, home).await?
    {
        (found.home, found.homeless) = (Some(HOME.to_owned()), true);
    }
    for path in CERTIFICATES {
        if archive::exists(client, id, path).await? {
            found.trusting = true;
            break;
        }
    }
    Ok(found)
}

/// What the image's user means in its lists of users and groups.
fn facts(user: &str, users: &str, groups: &str) -> Facts {
    let (name, group) = match user.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (user, None),
    };
    let name = if name.is_empty() { "0" } else { name };
    let entry = |list: &'_ str, name: &str, number: usize| -> Option<Vec<String>> {
        let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let mut lines = list.lines().map(fields);
        lines.find(|f| f.first().is_some_and(|n| n == name) || f.get(number).is_some_and(|n| n == name))
    };
    let known = entry(users, name, 2);
    let field = |n: usize| known.as_ref().and_then(|fields| fields.get(n)).map(String::as_str);
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    let uid = number(field(2)).or_else(|| number(Some(name))).unwrap_or(0);
    let of_group = |group: &str| {
        let known = entry(groups, group, 2);
        number(known.as_ref().and_then(|fields| fields.get(2)).map(String::as_str))
            .or_else(|| number(Some(group)))
    };
    let gid = group.and_then(of_group).or_else(|| number(field(3))).unwrap_or(0);
    let home = field(5).filter(|home| home.starts_with('/') && *home != "/");
    let home = home.unwrap_or(if uid == 0 { "/root" } else { HOME });
    Facts { owner: Owner { uid, gid }, home: Some(home.to_owned()), homeless: false, trusting: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1001:,,,:/home/me:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n";
    const GROUPS: &str = "root:x:0:\nstaff:x:50:\n";

    #[test]
    fn users_are_found_by_name_and_number() {
        for (user, uid, gid, home) in [
            ("", 0, 0, "/root"),
            ("root", 0, 0, "/root"),
            ("me", 1000, 1001, "/home/me"),
            ("1000", 1000, 1001, "/home/me"),
            ("me:staff", 1000, 50, "/home/me"),
            ("1000:7", 1000, 7, "/home/me"),
            ("4711", 4711, 0, "/home/oz"),
            ("4711:4712", 4711, 4712, "/home/oz"),
            ("nobody", 65534, 65534, "/home/oz"),
        ] {
            let found = facts(user, USERS, GROUPS);
            assert_eq!((found.owner, found.home.as_deref()), (Owner { uid, gid }, Some(home)), "{user}");
        }
        assert_eq!(facts("", "", "").home.as_deref(), Some("/root"));
    }
}
