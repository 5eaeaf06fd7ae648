//! Going on with another model while the chosen one is not available.

use super::{
    RunState, World,
    services::{File, answering, events, model},
};
use fake_model::{FakeModel, Fault, Turn};
use oz_core::{config::AgentConfig, harness::HarnessEvent};
use oz_tests::world::Options;
use serde_json::json;

fn failing(status: u16) -> Turn {
    (0..9).fold(Turn::text("never"), |turn, _| turn.after(Fault::Status(status)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_another_format_goes_on_in_the_middle_of_the_work() {
    let write = Turn::call("write_file", json!({ "path": "a.txt", "content": "hello" }));
    let begin = Turn { reasoning: "Where do I begin?".into(), text: "I begin.".into(), ..write };
    let read = Turn::call("run_command", json!({ "command": "cat a.txt" }));
    for (first_api, second_api, status) in [
        ("anthropic", "openai-responses", 529),
        ("openai-responses", "anthropic", 503),
        ("anthropic", "openai-chat", 429),
    ] {
        let first = FakeModel::start(vec![begin.clone(), failing(status)]).await;
        let second =
            FakeModel::start_open(vec![Turn::text("never"), read.clone(), Turn::text("All done.")]).await;
        let file = File::new(&json!([
            { "name": "first", "api": first_api, "base_url": first.url() + "/v1", "api_key_env": "HOUSE_MODELS" },
            { "name": "second", "api": second_api, "base_url": second.url() + "/v1" },
        ]));
        let world = World::start(Options { env: file.env.clone(), ..Options::default() });
        let config = AgentConfig { fallback_model_ids: vec!["second/b".into()], ..model("first/a") };
        let run = world.wait(world.dispatch("do it", config).await).await;
        assert_eq!(run.state, RunState::Succeeded, "{first_api}: {:?}", run.status_message);
        let events = events(&world, run.run_id).await;
        assert_eq!(answering(&events), ["first/a", "second/b", "second/b"]);
        let notes: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                HarnessEvent::Stage { name, ok: false, detail, .. } if name == "model_fallback" => {
                    detail.as_deref()
                }
                _ => None,
            })
            .collect();
        assert_eq!(notes.len(), 1, "{notes:?}");
        let status = status.to_string();
        assert!(notes[0].starts_with("first/a is not available (") && notes[0].contains(&status));
        assert!(notes[0].ends_with("; going on with second/b"), "{}", notes[0]);
        assert_eq!(first.finish().len(), 1 + 3, "three tries, then it is left alone");
        let asked = second.finish();
        let told = asked[0].body.to_string();
        assert!(told.contains("I begin."), "the second model knows what the first said");
        let secret =
            ["signature", "encrypted_content\":", "Where do I begin?"].map(|word| told.contains(word));
        assert_eq!(secret, [false; 3], "only the first model can read its reasoning: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_goes_on_with_the_next_model_of_the_tier_and_a_wrong_key_does_not() {
    let first = FakeModel::start_open(vec![failing(503)]).await;
    let second = FakeModel::start_open(vec![Turn::text("All done.")]).await;
    let wrong = FakeModel::start_open(vec![Turn::text("never").after(Fault::Status(401))]).await;
    let service = |name: &str, fake: &FakeModel, tier: &str| json!({ "name": name, "api": "openai-chat", "base_url": fake.url() + "/v1", "models": [{ "id": "m", "tier": tier }] });
    let file = File::new(&json!([
        service("wrong", &wrong, "genius"),
        service("first", &first, "standard"),
        service("second", &second, "standard"),
    ]));
    let world = World::start(Options { env: file.env.clone(), ..Options::default() });
    let run = world.wait(world.dispatch("do it", AgentConfig::default()).await).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    assert_eq!(answering(&events(&world, run.run_id).await), ["second/m"]);
    let args = [
        "agent",
        "run-cloud",
        "-p",
        "do it",
        "--model",
        "auto-genius",
        "--fallback-model",
        "second/m",
        "--wait",
    ];
    let out = world.oz(&args);
    assert_eq!(out.code, 1, "{}", out.stdout);
    assert_eq!((wrong.finish().len(), second.finish().len()), (1, 1));
    drop(file.dir);
}
