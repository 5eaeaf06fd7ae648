//! The native agent on every wire format of model services, whole and broken.

mod fallback;
mod faults;
mod services;

use fake_model::{FakeModel, Fault, Turn};
use oz_core::{ErrorCode, RunState, config::AgentConfig};
use oz_tests::{World, world::Options};
use serde_json::json;

/// The ways to reach the fake model: the model's name, and the environment of the worker.
fn ways(url: &str) -> [(&'static str, &'static str, Vec<(String, String)>); 3] {
    let env = |pairs: &[(&str, String)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    let openai = [("OPENAI_API_KEY", "k".to_owned()), ("OPENAI_BASE_URL", format!("{url}/v1"))];
    let responses = [openai.to_vec(), vec![("OZ_OPENAI_API", "responses".to_owned())]].concat();
    [
        (
            "anthropic/fake",
            "/v1/messages",
            env(&[("ANTHROPIC_API_KEY", "k".into()), ("ANTHROPIC_BASE_URL", url.into())]),
        ),
        ("openai/fake", "/v1/responses", env(&responses)),
        ("openai-chat/fake", "/v1/chat/completions", env(&openai)),
    ]
}

async fn runs(way: usize, turns: Vec<Turn>) -> (oz_core::Run, Vec<fake_model::Request>) {
    let model = FakeModel::start(turns).await;
    let (model_id, path, env) = ways(&model.url())[way].clone();
    let world = World::start(Options { env, ..Options::default() });
    let config = AgentConfig { model_id: Some(model_id.into()), ..AgentConfig::default() };
    let run = world.wait(world.dispatch("do it", config).await).await;
    let requests = model.requests();
    assert!(requests.iter().all(|r| r.path == path), "{model_id} must call {path}");
    (run, requests)
}

fn work() -> Vec<Turn> {
    let write = Turn::call("write_file", json!({ "path": "a.txt", "content": "hello" }));
    vec![
        Turn { text: "First I write a file.".into(), ..write },
        Turn {
            calls: vec![
                ("run_command".into(), json!({ "command": "cat a.txt" })),
                ("grep".into(), json!({ "queries": ["hel+o"] })),
            ],
            tokens: (20, 7),
            ..Turn::default()
        },
        Turn::text("All done."),
    ]
}

async fn works(way: usize) {
    let (run, requests) = runs(way, work()).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    assert_eq!(run.status_message.unwrap().message, "All done.");
    assert_eq!(run.request_usage.unwrap().total_tokens, Some(10 + 5 + 20 + 7 + 10 + 5));
    assert_eq!(requests.len(), 3);
    assert!(requests[2].body.to_string().contains("hello"), "the model must see what its tools returned");
    assert!(requests[0].body.to_string().len() < 15 << 10, "the first request must be small");
}

async fn overcomes(way: usize) {
    let faults = [Fault::Status(429), Fault::Status(529), Fault::Cut, Fault::NotAStream, Fault::BadArguments];
    let mut turns = work();
    let broken = turns.remove(0);
    // Malformed arguments are an answer like any other: the model hears of it and tries again.
    let bad = Turn { faults: vec![Fault::BadArguments], ..broken.clone() };
    let first = faults[..4].iter().copied().fold(broken, Turn::after);
    let (run, _) = runs(way, [vec![bad, first], turns].concat()).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
}

#[tokio::test(flavor = "multi_thread")]
async fn anthropic_messages() {
    works(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_responses() {
    works(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_chat_completions() {
    works(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anthropic_messages_with_faults() {
    overcomes(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_responses_with_faults() {
    overcomes(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_chat_completions_with_faults() {
    overcomes(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_ends_the_run_with_its_code() {
    let (run, _) = runs(0, vec![Turn::text("never").after(Fault::Status(401))]).await;
    assert!(run.state.is_terminal());
    assert_eq!(run.status_message.unwrap().error_code, Some(ErrorCode::AuthenticationRequired));
}
