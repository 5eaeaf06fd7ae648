use super::*;
use oz_core::{
    config::SecretRef,
    inference::{EndpointApi, EndpointModel, ModelTier},
};

const WHOLE: &str = "
endpoints:
  - name: local
    api: openai-chat
    base_url: http://localhost:11434/v1
    models:
      - qwen3-coder
      - { id: big, tier: genius, open: true, input_usd_per_million: 1, output_usd_per_million: 2.5 }
  - { name: router, api: anthropic, base_url: 'https://router.example', api_key_env: ROUTER }
";

fn model(id: &str) -> EndpointModel {
    EndpointModel { id: id.into(), ..EndpointModel::default() }
}

#[test]
fn a_whole_file() {
    let big = EndpointModel {
        tier: Some(ModelTier::Genius),
        open: true,
        input_usd_per_million: Some(1.0),
        output_usd_per_million: Some(2.5),
        ..model("big")
    };
    let local = EndpointConfig {
        name: "local".into(),
        api: EndpointApi::OpenAiChat,
        base_url: "http://localhost:11434/v1".into(),
        models: vec![model("qwen3-coder"), big],
        secret: None,
    };
    let router = EndpointConfig {
        name: "router".into(),
        api: EndpointApi::Anthropic,
        base_url: "https://router.example".into(),
        models: vec![],
        secret: None,
    };
    let expected = [
        Entry { config: local.clone(), api_key_env: None },
        Entry { config: router, api_key_env: Some("ROUTER".into()) },
    ];
    assert_eq!(parse(WHOLE).unwrap(), expected);
    let json = serde_json::to_string(&serde_json::json!({ "endpoints": [local] })).unwrap();
    assert_eq!(parse(&json).unwrap(), expected[..1], "JSON is YAML");
}

#[test]
fn every_key_of_the_types_is_known_here() {
    let config = EndpointConfig {
        models: vec![EndpointModel {
            tier: Some(ModelTier::Genius),
            input_usd_per_million: Some(1.0),
            output_usd_per_million: Some(1.0),
            ..model("m")
        }],
        secret: Some(SecretRef { name: "s".into() }),
        ..parse(WHOLE).unwrap().remove(0).config
    };
    let value = serde_json::to_value(config).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut known = ENDPOINT.map(|key| if key == API_KEY_ENV { "secret" } else { key });
    known.sort_unstable();
    assert_eq!(keys(&value), known);
    let mut known = MODEL;
    known.sort_unstable();
    assert_eq!(keys(&value["models"][0]), known);
}

#[test]
fn what_is_wrong_is_named_with_what_would_be_right() {
    let service = |more: &str| {
        format!("endpoints: [{{ name: a, api: openai-chat, base_url: 'http://localhost/v1'{more} }}]")
    };
    for (yaml, expected) in [
        ("endpoint: []".to_owned(), "endpoint is not a key; did you mean endpoints?"),
        ("endpoints: {}".to_owned(), "endpoints: expected a list"),
        ("[]".to_owned(), "the file: '[]' is not valid; expected endpoints: […]"),
        ("endpoints: [x]".to_owned(), "endpoints[0]: '\"x\"' is not valid; expected name, api and base_url"),
        ("endpoints: [".to_owned(), ""),
        (service(", base_ulr: x"), "endpoints[0].base_ulr is not a key; did you mean base_url?"),
        (service(", API_KEY: x"), "endpoints[0].API_KEY is not a key; did you mean api_key_env?"),
        (service(", zzzzzz: x"), "endpoints[0].zzzzzz is not a key; there are name, api, base_url, models"),
        (service(", secret: { name: S }"), "endpoints[0].secret: secrets are the control plane's"),
        (
            service(", models: [{ id: m, tear: genius }]"),
            "endpoints[0].models[0].tear is not a key; did you mean tier?",
        ),
        (
            service(", models: [{ id: m, tier: best }]"),
            "endpoints[0].models[0].tier: 'best' is not valid; expected one of genius, standard",
        ),
        (
            service(", models: [{ id: m, open: maybe }]"),
            "endpoints[0]: invalid type: string \"maybe\", expected a boolean",
        ),
        (service(", models: [{ id: m, input_usd_per_million: 1 }]"), "go together"),
        (service(", models: [7]"), "endpoints[0].models[0]: '7' is not valid; expected an id"),
        (
            service(", api_key_env: sk-abc"),
            "endpoints[0].api_key_env: '…' is not valid; expected the name of the variable",
        ),
        (service(", api_key_env: 7"), "endpoints[0].api_key_env: '7' is not valid"),
        ("endpoints: [{ name: a, api: openai-chat }]".into(), "endpoints[0]: missing field `base_url`"),
        (
            "endpoints: [{ name: openai, api: anthropic, base_url: 'http://h' }]".into(),
            "endpoints[0].name: 'openai' is not valid",
        ),
        (
            "endpoints: [{ name: a, api: grpc, base_url: 'http://h' }]".into(),
            "endpoints[0].api: 'grpc' is not valid; expected one of openai-chat",
        ),
        (
            "endpoints: [{ name: a, api: anthropic, base_url: 'h:1' }]".into(),
            "endpoints[0].base_url: 'h:1' is not valid",
        ),
        (
            format!("{WHOLE}  - {{ name: local, api: anthropic, base_url: 'http://h' }}"),
            "endpoints[2].name: 'local' is there twice",
        ),
    ] {
        let error = parse(&yaml).unwrap_err().detail;
        assert!(error.contains(expected), "{yaml}\n got {error}\nwant {expected}");
    }
}

#[test]
fn the_file_is_found_by_its_absolute_path_and_its_keys_by_their_variables() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("models.yaml");
    std::fs::write(&path, WHOLE).unwrap();
    let path = path.to_string_lossy().into_owned();
    let with = |path: &str, router: &str| {
        let (path, router) = (path.to_owned(), router.to_owned());
        move |name: &str| match name {
            "OZ_MODELS_FILE" => Some(path.clone()),
            "ROUTER" => Some(router.clone()),
            _ => None,
        }
    };
    let keys = |env: Env<'_>| read(env).unwrap().into_iter().map(|s| s.key).collect::<Vec<_>>();
    assert!(keys(&with(&path, "k")) == [Key::None, Key::Value("k".into())]);
    let missing = read(&with(&path, "")).unwrap().remove(1).key().unwrap_err().detail;
    assert_eq!(missing, "the model service 'router' needs its key in the variable ROUTER, which is not set");
    assert_eq!(key_variables(&with(&path, "k")).unwrap(), ["ROUTER"]);
    assert_eq!(keys(&|_: &str| None).len(), 0);
    let error = |path: &str| read(&with(path, "")).unwrap_err().detail;
    assert!(
        error("models.yaml")
            .contains("OZ_MODELS_FILE: 'models.yaml' is not valid; expected an absolute path")
    );
    assert!(
        error("/none/models.yaml")
            .contains("'/none/models.yaml' is not valid; expected a file that can be read")
    );
}
