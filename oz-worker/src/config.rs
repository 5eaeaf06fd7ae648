//! The worker's settings and what makes them valid. It reads no file and no environment; the caller does.

use crate::Error;
use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};
use url::Url;

/// Ids with this prefix belong to the control plane's own workers.
const RESERVED_PREFIX: &str = "warp";
const LONGEST_WORKER_ID: usize = 200;

/// How a worker works.
#[derive(Clone)]
pub struct Config {
    /// Its name; runs whose `worker_host` equals it come here.
    pub worker_id: String,
    /// Address of the control plane, such as `http://127.0.0.1:7700`.
    pub server_url: String,
    /// The key it presents.
    pub api_key: String,
    /// How many runs it takes at once; 0 means no limit.
    pub max_concurrent_tasks: u32,
    /// How long agents stay after their work, such as `10m`; absent leaves it to the agent.
    pub idle_on_complete: Option<String>,
    /// Whether the workspace of a run is deleted after it.
    pub cleanup: bool,
    /// The lease of the control plane; the worker tells that it lives every third of it.
    pub lease: Duration,
    /// Whether it is the control plane's own worker, which alone may have a reserved id.
    pub embedded: bool,
    /// Where and how agents run.
    pub backend: DirectConfig,
}

/// How agents run directly on this machine.
#[derive(Clone)]
pub struct DirectConfig {
    /// Directory of the workspaces, one for each run.
    pub workspace_root: PathBuf,
    /// One directory for all runs instead; it is never deleted.
    pub target_dir: Option<PathBuf>,
    /// Directory where runs keep mirrors of repositories, so that each clones faster; absent for none.
    pub git_cache: Option<PathBuf>,
    /// The `oz` program.
    pub oz_path: PathBuf,
    /// Shell command to run in the workspace before the agent. What it leaves running ends with it.
    pub setup_command: Option<String>,
    /// Shell command to run in the workspace after the agent, also after a cancellation.
    pub teardown_command: Option<String>,
    /// Further environment of the agents.
    pub environment: BTreeMap<String, String>,
}

impl Config {
    /// Checks what the types can't.
    ///
    /// # Errors
    /// [`Error::Setting`] that names the setting, its value and what would be right.
    pub fn validate(&self) -> Result<(), Error> {
        let id = self.worker_id.as_str();
        if id.trim().is_empty()
            || id.trim() != id
            || id.chars().any(char::is_control)
            || id.len() > LONGEST_WORKER_ID
        {
            let expected = "1 to 200 bytes without control characters and without spaces at its ends";
            return Err(Error::setting("worker_id", id, expected));
        }
        if id.starts_with(RESERVED_PREFIX) && !self.embedded {
            let expected = "an id that does not start with 'warp', which is reserved for the control plane";
            return Err(Error::setting("worker_id", id, expected));
        }
        self.socket_url()?;
        if self.api_key.is_empty() || !self.api_key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::setting("api_key", "", "a key of visible ASCII characters"));
        }
        if self.lease < Duration::from_millis(30) {
            let value = format!("{:?}", self.lease);
            return Err(Error::setting("lease", &value, "a duration such as 30 s"));
        }
        if let Some(idle) = &self.idle_on_complete
            && (idle.trim().is_empty() || idle.starts_with('-'))
        {
            return Err(Error::setting("idle_on_complete", idle, "a duration such as 10m"));
        }
        for name in self.backend.environment.keys() {
            if name.is_empty() || name.contains(|c: char| c == '=' || c == '\0' || c.is_whitespace()) {
                return Err(Error::setting("environment", name, "a name without '=', spaces and NUL"));
            }
        }
        if let Some(directory) = self.backend.target_dir.as_ref().filter(|directory| !directory.is_dir()) {
            return Err(Error::setting(
                "target_dir",
                &directory.to_string_lossy(),
                "a directory that exists",
            ));
        }
        Ok(())
    }

    /// The control plane's address without a slash at its end.
    pub(crate) fn server_root(&self) -> &str {
        self.server_url.trim_end_matches('/')
    }

    /// Address of the worker socket.
    pub(crate) fn socket_url(&self) -> Result<Url, Error> {
        let wrong =
            || Error::setting("server_url", &self.server_url, "an address such as http://127.0.0.1:7700");
        let mut url = Url::parse(self.server_root()).map_err(|_| wrong())?;
        let scheme = match url.scheme() {
            "http" | "ws" => "ws",
            "https" | "wss" => "wss",
            _ => return Err(wrong()),
        };
        url.set_scheme(scheme).map_err(|()| wrong())?;
        let path = format!("{}{}", url.path().trim_end_matches('/'), oz_core::worker::SOCKET_PATH);
        url.set_path(&path);
        url.query_pairs_mut().clear().append_pair("worker_id", &self.worker_id);
        Ok(url)
    }
}

/// Leaves out the key and the environment, which may carry secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("worker_id", &self.worker_id)
            .field("server_url", &self.server_url)
            .field("max_concurrent_tasks", &self.max_concurrent_tasks)
            .field("workspace_root", &self.backend.workspace_root)
            .field("target_dir", &self.backend.target_dir)
            .field("oz_path", &self.backend.oz_path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn example() -> Config {
        Config {
            worker_id: "builder 1".to_owned(),
            server_url: "http://127.0.0.1:7700/".to_owned(),
            api_key: "key-of-the-worker".to_owned(),
            max_concurrent_tasks: 0,
            idle_on_complete: None,
            cleanup: true,
            lease: Duration::from_secs(30),
            embedded: false,
            backend: DirectConfig {
                workspace_root: PathBuf::from("/nowhere"),
                target_dir: None,
                git_cache: None,
                oz_path: PathBuf::from("oz"),
                setup_command: None,
                teardown_command: None,
                environment: BTreeMap::new(),
            },
        }
    }

    fn complaint(change: impl FnOnce(&mut Config)) -> String {
        let mut config = example();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn worker_ids_are_checked() {
        example().validate().unwrap();
        for id in ["", " ", " a", "a\0b", "a\nb", "warp", "warp-2"] {
            let text = complaint(|c| c.worker_id = id.to_owned());
            assert!(text.starts_with("worker_id: '") && !text.contains(['\n', '\0']), "{text}");
        }
        let embedded = Config { worker_id: "warp".to_owned(), embedded: true, ..example() };
        embedded.validate().unwrap();
    }

    #[test]
    fn other_settings_are_checked() {
        assert!(complaint(|c| c.server_url = "ftp://x".to_owned()).starts_with("server_url: 'ftp://x'"));
        assert!(complaint(|c| c.server_url = "nonsense".to_owned()).starts_with("server_url: 'nonsense'"));
        assert!(!complaint(|c| c.api_key = "se cret".to_owned()).contains("cret"));
        assert!(complaint(|c| c.lease = Duration::ZERO).starts_with("lease"));
        assert!(complaint(|c| c.idle_on_complete = Some("--x".to_owned())).starts_with("idle_on_complete"));
        assert!(complaint(|c| c.backend.target_dir = Some("/no/such/dir".into())).starts_with("target_dir"));
        let text = complaint(|c| {
            c.backend.environment.insert("A=B".to_owned(), String::new());
        });
        assert!(text.starts_with("environment: 'A=B'"), "{text}");
    }

    #[test]
    fn the_socket_address_follows_the_server() {
        let at = |server: &str| {
            Config { server_url: server.to_owned(), ..example() }.socket_url().unwrap().to_string()
        };
        assert_eq!(at("http://h:1/"), "ws://h:1/api/v1/selfhosted/worker/ws?worker_id=builder+1");
        assert_eq!(at("https://h/base"), "wss://h/base/api/v1/selfhosted/worker/ws?worker_id=builder+1");
    }

    #[test]
    fn debug_output_has_no_secret() {
        let mut config = example();
        config.backend.environment.insert("A".to_owned(), "hidden".to_owned());
        let text = format!("{config:?}");
        assert!(!text.contains("key-of-the-worker") && !text.contains("hidden"), "{text}");
    }
}
