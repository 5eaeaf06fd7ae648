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
        labels: BTreeMap::new(),
        drain: Duration::ZERO,
        environment: BTreeMap::new(),
        oz_path: PathBuf::from("oz"),
        socket_url: None,
        session_sharing_url: None,
        backend: BackendConfig::Direct(DirectConfig {
            workspace_root: PathBuf::from("/nowhere"),
            target_dir: None,
            git_cache: None,
            setup_command: None,
            teardown_command: None,
        }),
    }
}

/// The settings of the backend `direct`.
pub(crate) fn direct(config: &mut Config) -> &mut DirectConfig {
    match &mut config.backend {
        BackendConfig::Direct(direct) => direct,
        other => panic!("the backend is {}", other.name()),
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
    assert!(complaint(|c| direct(c).target_dir = Some("/no/such/dir".into())).starts_with("target_dir"));
    let text = complaint(|c| {
        c.environment.insert("A=B".to_owned(), String::new());
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
    let told = |address: &str| Config { socket_url: Some(address.to_owned()), ..example() }.socket_url();
    assert_eq!(told("wss://h/ws?a=b&worker_id=x").unwrap().as_str(), "wss://h/ws?a=b&worker_id=builder+1");
    assert!(told("http://h").unwrap_err().to_string().starts_with("web_socket_url: 'http://h'"));
}

#[test]
fn debug_output_has_no_secret() {
    let mut config = example();
    config.environment.insert("A".to_owned(), "hidden".to_owned());
    let text = format!("{config:?}");
    assert!(!text.contains("key-of-the-worker") && !text.contains("hidden"), "{text}");
}
