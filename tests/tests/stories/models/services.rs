//! Model services that a file configures: on this machine, without a tunnel, with and without keys.

use super::{RunState, World, work};
use fake_model::{FakeModel, Turn};
use oz_core::{
    RunId,
    api::{CreateProfile, CreateRun, ReadLog},
    config::AgentConfig,
    harness::HarnessEvent,
    transcript::LogItem,
};
use oz_tests::world::Options;
use serde_json::{Value, json};
use std::fs;

const KEY: &str = "canary-of-the-service";

/// A file with model services, and the environment that names it.
pub(super) struct File {
    pub(super) dir: tempfile::TempDir,
    pub(super) env: Vec<(String, String)>,
}

impl File {
    pub(super) fn new(endpoints: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("models.yaml");
        fs::write(&path, json!({ "endpoints": endpoints }).to_string()).unwrap();
        let env = vec![
            ("OZ_MODELS_FILE".to_owned(), path.to_string_lossy().into_owned()),
            ("HOUSE_MODELS".to_owned(), KEY.to_owned()),
        ];
        Self { dir, env }
    }
}

pub(super) fn model(id: &str) -> AgentConfig {
    AgentConfig { model_id: Some(id.into()), ..AgentConfig::default() }
}

/// What happened in a run, as its transcript has it.
pub(super) async fn events(world: &World, run_id: RunId) -> Vec<HarnessEvent> {
    let log = world.client().send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap().items;
    let known = |item| match item {
        LogItem::Entry { entry } => entry.event.known().cloned(),
        LogItem::Event { .. } => None,
    };
    log.into_iter().filter_map(known).collect()
}

/// The models that answered, in order.
pub(super) fn answering(events: &[HarnessEvent]) -> Vec<&str> {
    let mut models = Vec::new();
    for event in events {
        if let HarnessEvent::Usage { model, .. } = event {
            models.push(model.as_str());
        }
    }
    models
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_with_a_key_and_without() {
    let mut turns = work();
    // The agent's commands must not see what opens the service.
    turns[1].calls.push(("run_command".into(), json!({ "command": "env" })));
    let (mut endpoints, mut models) = (Vec::new(), Vec::new());
    for (api, path) in [
        ("openai-chat", "/v1/chat/completions"),
        ("openai-responses", "/v1/responses"),
        ("anthropic", "/v1/messages"),
    ] {
        let open = FakeModel::start_open(turns.clone()).await;
        let keyed = FakeModel::start(turns.clone()).await;
        let url = |model: &FakeModel| model.url().replace("127.0.0.1", "localhost") + "/v1";
        let prices = json!([{ "id": "fake", "input_usd_per_million": 1000, "output_usd_per_million": 2000 }]);
        endpoints.push(json!({ "name": format!("open-{api}"), "api": api, "base_url": url(&open) }));
        endpoints.push(json!({ "name": format!("keyed-{api}"), "api": api, "base_url": url(&keyed),
            "api_key_env": "HOUSE_MODELS", "models": prices }));
        models.push((format!("open-{api}/fake"), path, "", open));
        models.push((format!("keyed-{api}/fake"), path, KEY, keyed));
    }
    let file = File::new(&endpoints.into());
    let world = World::start(Options { env: file.env.clone(), ..Options::default() });
    for (id, path, key, fake) in models {
        let run = world.wait(world.dispatch("do it", model(&id)).await).await;
        assert_eq!(run.state, RunState::Succeeded, "{id}: {:?}", run.status_message);
        let requests = fake.finish();
        assert_eq!(requests.len(), 3, "{id}");
        for request in &requests {
            assert_eq!((&*request.path, &*request.key), (path, key), "{id}");
            assert_eq!(request.body["model"], "fake");
            assert!(!request.body.to_string().contains(KEY), "{id}: the model is told its own key");
        }
        assert!(requests[2].body.to_string().contains("OZ_RUN_ID="), "the command must have run");
        let events = events(&world, run.run_id).await;
        assert_eq!(answering(&events), [id.as_str(); 3]);
        assert!(!serde_json::to_string(&events).unwrap().contains(KEY));
        let cost = run.request_usage.unwrap().inference_cost_usd;
        let known = (!key.is_empty()).then_some((40.0 * 1000.0 + 17.0 * 2000.0) / 1e6);
        let same = |a: Option<f64>, b: Option<f64>| a.zip(b).map_or(a == b, |(a, b)| (a - b).abs() < 1e-9);
        assert!(same(cost, known), "{id}: {cost:?} is not {known:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_enough_without_a_control_plane() {
    let fake = FakeModel::start_open(vec![Turn::text("Here I am."); 1]).await;
    let url = fake.url().replace("127.0.0.1", "localhost") + "/v1";
    let world = World::start(Options::default());
    let config = world.path().join("home/.config/oz");
    fs::create_dir_all(&config).unwrap();
    let write = |text: String| fs::write(config.join("models.yaml"), text).unwrap();
    write(format!(
        "endpoints:\n- name: mine\n  api: openai-chat\n  base_url: {url}\n  models: [qwen3-coder]\n"
    ));
    let oz = |args: &[&str]| {
        let line = ["agent", "run", "-p", "say something", "--offline"];
        world.oz(&[&line[..], args].concat())
    };
    for args in [&[][..], &["--model", "mine/other"], &["--model", "qwen3-coder"], &["--model", "auto-open"]]
    {
        assert!(oz(args).success().contains("Here I am."), "{args:?}");
    }
    let asked: Vec<_> = fake.finish().into_iter().map(|r| (r.body["model"].clone(), r.key)).collect();
    let expected = ["qwen3-coder", "other", "qwen3-coder", "qwen3-coder"];
    assert_eq!(asked, expected.map(|id| (json!(id), String::new())));
    write(format!("endpoints:\n- name: mine\n  api: openai-chat\n  base_ulr: {url}\n"));
    let refused = oz(&[]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("models.yaml: endpoints[0].base_ulr is not a key; did you mean base_url?"),
        "{}",
        refused.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_names_the_model_of_runs_that_name_none() {
    let fake = FakeModel::start_open(vec![Turn::text("Here I am.")]).await;
    let endpoint = json!({ "name": "house", "api": "openai-chat", "base_url": fake.url() + "/v1" });
    let file = File::new(&json!([endpoint]));
    let world = World::start(Options { env: file.env.clone(), ..Options::default() });
    let settings = json!({ "base_model": "house/small" }).as_object().cloned().unwrap();
    let profile = CreateProfile { name: "thrifty".into(), settings, team: None };
    let uid = world.client().send(&profile).await.unwrap().uid;
    let with = |model_id: Option<&str>| AgentConfig {
        profile_id: Some(uid.clone()),
        model_id: model_id.map(str::to_owned),
        ..AgentConfig::default()
    };
    for (config, model) in [(with(None), "house/small"), (with(Some("house/other")), "house/other")] {
        let run = world.wait(world.dispatch("do it", config).await).await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
        assert_eq!(answering(&events(&world, run.run_id).await), [model]);
    }
    let unknown = AgentConfig { profile_id: Some("nobody's".into()), ..AgentConfig::default() };
    let request = CreateRun { prompt: Some("do it".into()), config: Some(unknown), ..CreateRun::default() };
    let refused = world.client().send(&request).await.unwrap_err().to_string();
    assert!(refused.contains("config.profile_id: 'nobody's' is not valid"), "{refused}");
    for args in [&[][..], &["--model", "house/other"]] {
        let line = ["agent", "run", "-p", "say something", "--profile", &uid];
        let out = world.oz_command().envs(file.env.clone()).args(line).args(args).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    let asked: Vec<_> = fake.finish().into_iter().map(|request| request.body["model"].clone()).collect();
    assert_eq!(asked, ["small", "other", "small", "other"]);
}
