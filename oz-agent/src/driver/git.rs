//! How git logs in: with a helper that asks the driver. Logins go into no address, no argument and no file; what is said
//! here to git, in the environment of its processes, names only the hosts. All of it is pure.

use oz_core::api::GitLogin;
use percent_encoding::percent_decode_str;
use std::{collections::BTreeMap, path::Path};

type Variables = BTreeMap<String, String>;

/// A login, and how it may be used.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) login: GitLogin,
    /// Whether it may go over the wire unencrypted: only where somebody has said so.
    pub(super) plain: bool,
}

impl From<GitLogin> for Login {
    fn from(login: GitLogin) -> Self {
        // A host with a port is a server of one's own, such as one on this machine.
        Self { plain: has_port(&login.host), login }
    }
}

/// All logins of a run.
#[derive(Clone, Default)]
pub(super) struct Logins(pub(super) Vec<Login>);

impl Logins {
    /// The login for a host as git names it, of this user if one is asked for.
    pub(super) fn find(&self, protocol: &str, host: &str, username: Option<&str>) -> Option<&GitLogin> {
        let fits = |entry: &&Login| {
            entry.login.host.eq_ignore_ascii_case(host)
                && (protocol == "https" || (protocol == "http" && entry.plain))
                && username.is_none_or(|name| name.is_empty() || name == entry.login.username)
        };
        self.0.iter().find(fits).map(|entry| &entry.login)
    }

    /// The hosts, each once.
    pub(super) fn hosts(&self) -> Vec<&str> {
        let mut hosts: Vec<&str> = self.0.iter().map(|entry| entry.login.host.as_str()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    /// Tells git to ask `oz git-credential` and nobody else about these hosts, and to use HTTPS where an address says SSH.
    /// What the environment already tells it stays.
    pub(super) fn configure(&self, env: &mut Variables, oz: &Path) {
        let helper = format!("!'{}' git-credential", oz.to_string_lossy().replace('\'', "'\\''"));
        let mut entries: Vec<(String, String)> = Vec::new();
        for host in self.hosts() {
            let plain = self.0.iter().any(|entry| entry.login.host == host && entry.plain);
            for scheme in if plain { &["https", "http"][..] } else { &["https"] } {
                let key = |name: &str| format!("credential.{scheme}://{host}.{name}");
                // An empty helper makes git forget those from before.
                entries.push((key("helper"), String::new()));
                entries.push((key("helper"), helper.clone()));
                entries.push((key("useHttpPath"), "false".to_owned()));
            }
            if !has_port(host) {
                for ssh in [format!("git@{host}:"), format!("ssh://git@{host}/")] {
                    entries.push((format!("url.https://{host}/.insteadOf"), ssh));
                }
            }
        }
        let count = env.get("GIT_CONFIG_COUNT").and_then(|n| n.parse().ok()).unwrap_or(0_usize);
        let total = count + entries.len();
        for ((key, value), n) in entries.into_iter().zip(count..) {
            env.insert(format!("GIT_CONFIG_KEY_{n}"), key);
            env.insert(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        if total > 0 {
            env.insert("GIT_CONFIG_COUNT".to_owned(), total.to_string());
        }
    }
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// An address without what is secret in it, and the login that was there. The user's name stays where there is a
/// password beside it, so that git asks for the right one.
pub(super) fn apart(url: &str) -> (String, Option<Login>) {
    let whole = || (url.to_owned(), None);
    let Some((scheme @ ("http" | "https"), rest)) = url.split_once("://") else { return whole() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some((user, host)) = rest[..end].rsplit_once('@') else { return whole() };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (kept, username, password) = match user.split_once(':') {
        Some((name, password)) if !name.is_empty() && !password.is_empty() => {
            (format!("{name}@"), name, password)
        }
        Some((name, "")) => (String::new(), name, ""),
        Some((_, password)) => (String::new(), "", password),
        // Either a name, for which there may be a login, or a token.
        None if user.len() < TOKEN => return whole(),
        None => (String::new(), user, ""),
    };
    let login = GitLogin { host: host.to_owned(), username: decoded(username), password: decoded(password) };
    (format!("{scheme}://{kept}{}", &rest[user.len() + 1..]), Some(Login { login, plain: scheme == "http" }))
}

/// A user's name without a password that is as long as this is a token.
const TOKEN: usize = 20;

/// An address without user and password.
pub(super) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let host = rest.find('/').unwrap_or(rest.len());
    match rest[..host].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// What git says when a host wants another login, or hides what it has.
const REFUSALS: &[&str] = &[
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "returned error: 401",
    "returned error: 403",
    "returned error: 404",
    "Repository not found",
    "' not found",
    "Permission denied (publickey",
    "Invalid username or",
    "HTTP Basic: Access denied",
];

/// What may help against what git said about an address.
pub(super) fn advice(said: &str, url: &str, logins: &Logins) -> Option<String> {
    REFUSALS.iter().any(|refusal| said.contains(refusal)).then(|| {
        let have = match logins.hosts().as_slice() {
            [] => "This run has no git logins".to_owned(),
            hosts => format!("This run has git logins for {}", hosts.join(", ")),
        };
        let host = host(url).unwrap_or("HOST");
        format!("{have}; add or replace one with --git-credential {host}=SECRET, where SECRET is the name of a secret")
    })
}

/// The host of an address, with its port.
fn host(url: &str) -> Option<&str> {
    let rest = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split('/').next(),
        None => url.split_once(':').map(|(host, _)| host),
    }?;
    Some(rest.rsplit_once('@').map_or(rest, |(_, host)| host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(host: &str, username: &str) -> Login {
        GitLogin { host: host.into(), username: username.into(), password: "p".into() }.into()
    }

    #[test]
    fn addresses_come_apart() {
        for (url, clean, found) in [
            ("https://me:pa%40ss@h/o/r", "https://me@h/o/r", Some(("h", "me", "pa@ss"))),
            ("http://me:pw@h:3000/r?a@b", "http://me@h:3000/r?a@b", Some(("h:3000", "me", "pw"))),
            ("https://:pw@h/r", "https://h/r", Some(("h", "", "pw"))),
            ("https://ghp_0123456789abcdef@h/r", "https://h/r", Some(("h", "ghp_0123456789abcdef", ""))),
            ("https://ghp_0:@h/r", "https://h/r", Some(("h", "ghp_0", ""))),
            ("https://me@h/r", "https://me@h/r", None),
            ("https://h/o/r@v1", "https://h/o/r@v1", None),
            ("ssh://git@h/r", "ssh://git@h/r", None),
            ("git@h:o/r", "git@h:o/r", None),
            ("/srv/r", "/srv/r", None),
        ] {
            let (rest, login) = apart(url);
            assert_eq!(rest, clean, "{url}");
            let login = login.map(|l| (l.login.host, l.login.username, l.login.password));
            let found = found.map(|(h, u, p)| (h.to_owned(), u.to_owned(), p.to_owned()));
            assert_eq!(login, found, "{url}");
        }
        for (url, expected) in [
            ("https://me:secret@h/o/r", "https://h/o/r"),
            ("https://h/o/r@v1", "https://h/o/r@v1"),
            ("ssh://git@h/r", "ssh://h/r"),
            ("git@h:o/r", "git@h:o/r"),
            ("/srv/r", "/srv/r"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn a_login_goes_to_its_host_only_and_unencrypted_only_where_that_was_meant() {
        let logins = Logins(vec![login("h", "a"), login("h", "b"), login("127.0.0.1:3000", "c")]);
        let user =
            |protocol, host, name| logins.find(protocol, host, name).map(|login| login.username.as_str());
        assert_eq!(user("https", "h", None), Some("a"));
        assert_eq!(user("https", "H", Some("b")), Some("b"));
        assert_eq!(user("https", "h", Some("other")), None);
        assert_eq!(user("http", "h", None), None);
        assert_eq!(user("http", "127.0.0.1:3000", None), Some("c"));
        assert_eq!(user("https", "127.0.0.1:3000", None), Some("c"));
        for host in ["h.evil", "evil.h", "h:80", "127.0.0.1", "", "x"] {
            assert_eq!(user("https", host, None), None, "{host}");
        }
        assert_eq!(user("ssh", "h", None), None);
    }

    #[test]
    fn git_is_told_after_what_it_was_told_before() {
        let mut env: Variables =
            [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "a.b"), ("GIT_CONFIG_VALUE_0", "c")]
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .into();
        Logins(vec![login("h", "a"), login("h", "b")]).configure(&mut env, Path::new("/o'z/oz"));
        let told: Vec<_> = (0..6)
            .map(|n| {
                format!("{} {}", env[&format!("GIT_CONFIG_KEY_{n}")], env[&format!("GIT_CONFIG_VALUE_{n}")])
            })
            .collect();
        let expected = [
            "a.b c",
            "credential.https://h.helper ",
            "credential.https://h.helper !'/o'\\''z/oz' git-credential",
            "credential.https://h.useHttpPath false",
            "url.https://h/.insteadOf git@h:",
            "url.https://h/.insteadOf ssh://git@h/",
        ];
        assert_eq!(told, expected);
        assert_eq!(env["GIT_CONFIG_COUNT"], "6");
        assert_eq!(env.len(), 13);
        let mut env = Variables::new();
        Logins::default().configure(&mut env, Path::new("/oz"));
        assert!(env.is_empty());
    }

    #[test]
    fn refusals_say_what_logins_there_are() {
        let logins = Logins(vec![login("gitlab.com", "a")]);
        let url = "https://me@github.com/o/r";
        let text = advice("fatal: Authentication failed for …", url, &logins).unwrap();
        assert!(
            text.contains("logins for gitlab.com;") && text.contains("--git-credential github.com=SECRET"),
            "{text}"
        );
        let none = advice("The requested URL returned error: 403", "git@h:o/r", &Logins::default()).unwrap();
        assert!(none.contains("no git logins") && none.contains("h=SECRET"), "{none}");
        assert_eq!(advice("Could not resolve host: x", url, &logins), None);
    }
}
