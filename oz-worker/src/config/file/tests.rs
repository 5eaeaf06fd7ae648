use super::*;
use serde_json::json;

fn problem(text: &str) -> String {
    ConfigFile::parse(text).unwrap_err()
}

const EVERYTHING: &str = r#"
worker_id: prod-1
cleanup: false
max_concurrent_tasks: 4
idle_on_complete: 10m
labels: { gpu: a100, cores: 8 }
drain_timeout: 1h30m
server_root_url: https://oz.example.com
backend:
  kubernetes:
    namespace: agents
    kubeconfig: /etc/kube
    default_image: registry.example/dev:3
    image_pull_policy: Always
    use_image_volumes: true
    preflight_image: busybox:1.37
    preflight_resources: { limits: { cpu: 1, memory: 64Mi } }
    sidecar_image: registry.example/agent:9
    coding_cli_sidecars: { claude: registry.example/claude:1 }
    setup_command: ./setup
    teardown_command: ./teardown
    extra_labels: { team: a }
    extra_annotations: { note: b }
    active_deadline_seconds: 28800
    ttl_seconds_after_finished: 60
    workspace_size_limit: 10Gi
    unschedulable_timeout: 2m
    pod_template:
      containers:
        - name: task
          resources: { requests: { cpu: 2, memory: 4Gi } }
      volumes:
        - { name: v, emptyDir: { sizeLimit: 1000 } }
    warm_tasks: 1
    agent_image: registry.example/oz:1
    credentials: secret
"#;

#[test]
fn every_key_is_read() {
    let file = ConfigFile::parse(EVERYTHING).unwrap();
    assert_eq!((file.worker_id.as_deref(), file.cleanup), (Some("prod-1"), Some(false)));
    assert_eq!((file.max_concurrent_tasks, file.idle_on_complete.as_deref()), (Some(4), Some("10m")));
    assert_eq!(file.labels["cores"], "8");
    assert_eq!(file.drain_timeout, Some(Duration::from_secs(5400)));
    let kubernetes = file.backend.kubernetes.unwrap();
    assert_eq!(kubernetes.unschedulable_timeout, Some(Duration::from_secs(120)));
    assert_eq!(kubernetes.preflight_resources, Some(json!({ "limits": { "cpu": "1", "memory": "64Mi" } })));
    let pod = kubernetes.pod_template.unwrap();
    assert_eq!(pod["containers"][0]["resources"]["requests"], json!({ "cpu": "2", "memory": "4Gi" }));
    assert_eq!(pod["volumes"][0]["emptyDir"]["sizeLimit"], "1000");
    let file = ConfigFile::parse(
        "backend:\n  docker:\n    volumes: [/a:/b:ro]\n    environment: [{name: A, value: 1}, {name: B}]\n    \
         default_image: i\n    network: host\n    warm_tasks: 2\n",
    )
    .unwrap();
    let docker = file.backend.docker.unwrap();
    assert_eq!((docker.volumes, docker.warm_tasks), (vec!["/a:/b:ro".to_owned()], 2));
    assert_eq!(
        (docker.environment[0].value.as_deref(), docker.environment[1].value.as_deref()),
        (Some("1"), None)
    );
    assert!(!format!("{:?}", docker.environment).contains('1'), "values may be secrets");
    let file = ConfigFile::parse(
        "backend: { command: { dispatch_command: d, cancel_command: c, dispatch_timeout: 5s, start_timeout: 1h, environment: [] } }",
    )
    .unwrap();
    assert_eq!(file.backend.command.unwrap().start_timeout, Some(Duration::from_secs(3600)));
}

#[test]
fn a_backend_that_is_named_is_meant() {
    assert!(ConfigFile::parse("backend:\n  direct:\n").unwrap().backend.direct.is_some());
    assert!(ConfigFile::parse("").unwrap().backend.names().is_empty());
    assert_eq!(
        problem("backend: { docker: {}, direct: {} }"),
        "backend: 'direct, docker' are there; expected one backend, as a worker has one"
    );
}

#[test]
fn mistakes_are_told_with_place_field_and_remedy() {
    for (text, expected) in [
        (
            "worker_id: a\nlog_level: debug\n",
            "line 2, column 1: log_level: there is no such key; the level of the log is the flag --log-level",
        ),
        ("worker-id: a\n", "line 1, column 1: worker-id: there is no such key; did you mean 'worker_id'?"),
        (
            "backend:\n  docker:\n    volume: [a]\n",
            "line 3, column 5: backend.docker.volume: there is no such key; did you mean 'volumes'?",
        ),
        (
            "backend: { podman: {} }",
            "line 1, column 12: backend.podman: there is no such key; expected one of docker, direct, kubernetes, command",
        ),
        ("cleanup: maybe", "line 1, column 10: cleanup: invalid boolean"),
        ("max_concurrent_tasks: -1", "line 1, column 23: max_concurrent_tasks: "),
        (
            "drain_timeout: 2 days",
            "line 1, column 16: drain_timeout: '2 days' is not valid; expected a duration such as 90s, 2m or 1h30m",
        ),
        ("worker_id: [", "line 1, column "),
        ("worker_id: a\nworker_id: b", "line 2, column 1: "),
        (
            "backend: { kubernetes: { image_pull_policy: Sometimes } }",
            "backend.kubernetes.image_pull_policy: 'Sometimes' is not valid; expected Always, Never or IfNotPresent",
        ),
        (
            "backend: { docker: { default_image: 'a b' } }",
            "backend.docker.default_image: 'a b' is not valid; expected a name without spaces and tabs",
        ),
        (
            "backend: { direct: { environment: [{ name: 'A B' }] } }",
            "environment: 'A B' is not valid; expected a name without '=' and spaces",
        ),
        (
            "backend: { command: {} }",
            "backend.command.dispatch_command: it is missing; expected a shell command that takes a run as JSON",
        ),
    ] {
        let told = problem(text);
        assert!(told.starts_with(expected), "{text:?}\n{told}\n{expected}");
    }
}
