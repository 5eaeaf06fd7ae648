//! What a worker finds out before it takes runs.

use super::*;

#[tokio::test]
async fn the_cluster_is_tried_out_and_left_clean() {
    let bench = Bench::idle();
    bench.open().await;
    assert!(bench.fake.count("POST jobs") >= 2 && bench.fake.objects("jobs").is_empty());
}

#[tokio::test]
async fn missing_rights_are_listed_all_at_once() {
    let mut bench = Bench::idle();
    bench.fake.deny("get pods/log");
    bench.fake.deny("watch jobs");
    let text = bench.complaint().await;
    for rule in ["resources: [\"pods/log\"], verbs: [\"get\"]", "resources: [\"jobs\"], verbs: [\"watch\"]"] {
        assert!(text.contains(rule), "{text}");
    }
    assert!(!text.contains("credentials: inline"), "{text}");
    bench.fake.allow_all();
    bench.fake.deny("create secrets");
    let text = bench.complaint().await;
    assert!(
        text.contains("resources: [\"secrets\"], verbs: [\"create\"]")
            && text.contains("credentials: inline"),
        "{text}"
    );
    bench.settings.credentials = crate::Credentials::Inline;
    bench.open().await;
}

#[tokio::test]
async fn policies_and_mistakes_show_at_the_start() {
    let mut bench = Bench::idle();
    bench.fake.refuse_pods("pods is forbidden: violates PodSecurity");
    assert!(bench.complaint().await.contains("violates PodSecurity"));
    bench.fake.none("jobs").await;
    bench.settings.pod_template = Some(json!({ "nodeSelektor": {} }));
    let text = bench.complaint().await;
    assert!(text.contains("unknown field \"pod_template.nodeSelektor\""), "{text}");
    bench.settings.pod_template = Some(json!({ "containers": [{ "name": "Proxy", "image": "p" }] }));
    let text = bench.complaint().await;
    assert!(text.contains("pod_template.containers[0].name"), "{text}");
    bench.settings.pod_template = None;
    bench.settings.extra_labels = [("team".to_owned(), "not a label!".to_owned())].into();
    assert!(bench.complaint().await.contains("not a label!"));
    assert_eq!(bench.fake.take_complaints().len(), 3);
}

#[tokio::test]
async fn nothing_but_a_pod_is_waited_for_in_vain() {
    let mut bench = Bench::idle();
    bench.pace.preflight_limit = Duration::from_millis(100);
    bench.settings.use_image_volumes = true;
    let text = bench.complaint().await;
    assert!(text.contains("came to nothing"), "{text}");
    bench.fake.none("jobs").await;
}

#[tokio::test]
async fn image_volumes_are_tried_by_running_a_pod() {
    let images = tempfile::tempdir().unwrap();
    let image = [("busybox:1.36".to_owned(), images.path().to_owned())].into();
    let mut bench = Bench::new(Kubelet::Run(image));
    bench.settings.use_image_volumes = true;
    bench.open().await;
    bench.settings.preflight_image = Some("unknown:1".to_owned());
    bench.pace.preflight_limit = Duration::from_secs(2);
    let text = bench.complaint().await;
    assert!(text.contains("no image unknown:1"), "{text}");
}

#[tokio::test]
async fn an_api_server_that_is_not_there_is_named() {
    let mut bench = Bench::idle();
    let kubeconfig = bench.dir.path().join("kubeconfig.yaml");
    bench.settings.kubeconfig = Some(kubeconfig.clone());
    let open = || Kubernetes::at(&bench.config, &bench.settings, Environment::default(), bench.pace);
    let text = open().await.err().unwrap().to_string();
    assert!(text.starts_with(&format!("kubeconfig: '{}'", kubeconfig.display())), "{text}");
    let config = std::fs::read_to_string(bench.fake.kubeconfig(bench.dir.path())).unwrap();
    let address = config.split('"').find(|part| part.starts_with("http://")).unwrap().to_owned();
    std::fs::write(&kubeconfig, config.replace(&address, "http://127.0.0.1:1")).unwrap();
    let text = open().await.err().unwrap().to_string();
    assert!(text.contains("http://127.0.0.1:1"), "{text}");
}

#[test]
fn addresses_that_pods_can_t_reach_are_known() {
    for address in ["http://127.0.0.1:7700", "http://localhost", "http://[::1]:1", "http://oz.localhost"] {
        assert!(is_loopback(address), "{address}");
    }
    for address in ["http://10.0.0.1", "https://oz.example.com", "http://[fe80::1]"] {
        assert!(!is_loopback(address), "{address}");
    }
}
