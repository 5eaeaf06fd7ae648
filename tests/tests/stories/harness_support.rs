//! `oz harness-support` as a harness calls it from inside a run, and as CI calls it afterwards.

use oz_core::{
    Open, RunState,
    api::{CreateLocalRun, LocalRunCreated},
    artifact::Artifact,
};
use oz_tests::{Oz, World};
use serde_json::Value;

/// A run of this machine, whose agent the test is.
async fn local_run(world: &World) -> LocalRunCreated {
    let request = CreateLocalRun { prompt: "work".into(), config: None, title: None };
    world.client().runs().create_local(&request).await.unwrap()
}

/// `oz` inside the run: with its token and without a key.
fn inside(world: &World, run: &LocalRunCreated, args: &[&str]) -> Oz {
    let mut command = world.oz_command();
    command
        .env_remove("OZ_API_KEY")
        .env("WARP_WORKLOAD_TOKEN", &run.workload_token)
        .env("OZ_RUN_ID", run.run_id.to_string());
    command.args(args).output().unwrap().into()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_reports_what_it_made_and_ends() {
    let world =
        World::start(oz_tests::world::Options { embedded_worker: false, lease: 60, ..Default::default() });
    let run = local_run(&world).await;
    let said = |args: &[&str]| inside(&world, &run, &[&["harness-support"], args].concat());
    let machine = |args: &[&str]| json(&said(&[args, &["--output-format", "json"]].concat()).success());

    assert_eq!(json(&said(&["ping"]).success())["run_id"], run.run_id.to_string());
    let pull_request =
        ["report-artifact", "pull-request", "--url", "https://example.com/pull/7", "--branch", "fix"];
    assert!(machine(&pull_request)["artifact_uid"].is_string());
    let reference =
        ["report-external-reference", "--url", "https://example.com/APP-7", "--reference-type", "issue"];
    let more = ["--title", "The issue", "--metadata", r#"{"priority": 2}"#];
    assert_eq!(machine(&[&reference[..], &more].concat()), serde_json::json!({}));
    let bad = said(&[&reference[..], &["--metadata", "[]"]].concat());
    assert_eq!(
        (bad.code, bad.stderr.contains("--metadata is not a JSON object")),
        (1, true),
        "{}",
        bad.stderr
    );
    assert_eq!(said(&["notify-user", "--message", "half way"]).success(), "Notification sent.\n");

    let file = world.path().join("report.txt");
    std::fs::write(&file, "all green").unwrap();
    let upload =
        ["artifact", "upload", &file.to_string_lossy(), "--description", "d", "--output-format", "json"];
    let uploaded = json(&inside(&world, &run, &upload).success());
    assert_eq!(
        (&uploaded["filepath"], &uploaded["size_bytes"]),
        (&"report.txt".into(), &9.into()),
        "{uploaded}"
    );
    let uid = uploaded["artifact_uid"].as_str().unwrap();
    let got = json(&world.oz(&["artifact", "get", uid, "--output-format", "json"]).success());
    for (key, expected) in [
        ("artifact_type", "FILE"),
        ("filepath", "report.txt"),
        ("filename", "report.txt"),
        ("description", "d"),
    ] {
        assert_eq!(got[key], expected, "{got}");
    }
    assert!(got["download_url"].is_string() && got["expires_at"].is_string(), "{got}");

    let half = said(&["report-shutdown", "--error-category", "process_exit"]);
    assert_eq!((half.code, half.stderr.contains("--error-message")), (1, true), "{}", half.stderr);
    let finish = ["finish-task", "--status", "success", "--summary", "fixed it"];
    assert_eq!(said(&finish).success(), "Task finished.\n");
    assert_eq!(said(&["report-shutdown"]).success(), "Shutdown reported.\n");

    let record = world.run(run.run_id).await;
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!(record.status_message.unwrap().message, "fixed it");
    let kinds: Vec<_> = record.artifacts.iter().map(|item| item.artifact.clone()).collect();
    assert!(
        matches!(&kinds[0], Open::Known(Artifact::PullRequest { branch, .. }) if branch == "fix"),
        "{kinds:?}"
    );
    assert!(
        matches!(&kinds[1], Open::Known(Artifact::ExternalReference { metadata: Some(m), .. }) if m["priority"] == 2),
        "{kinds:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_may_belong_to_a_conversation() {
    let world =
        World::start(oz_tests::world::Options { embedded_worker: false, lease: 60, ..Default::default() });
    let run = local_run(&world).await;
    let conversation = world.run(run.run_id).await.conversation_id.unwrap().to_string();
    let file = world.path().join("notes.md");
    std::fs::write(&file, "# Notes").unwrap();
    let file = file.to_string_lossy().into_owned();
    let _ = world.oz(&["artifact", "upload", &file, "--conversation-id", &conversation]).success();
    let record = world.run(run.run_id).await;
    assert!(
        matches!(&record.artifacts[0].artifact, Open::Known(Artifact::File { filename, .. }) if filename == "notes.md"),
        "{:?}",
        record.artifacts
    );
    let none = world.oz(&["artifact", "upload", &file]);
    assert_eq!((none.code, none.stderr.contains("--conversation-id")), (1, true), "{}", none.stderr);
    let _ = inside(&world, &run, &["harness-support", "report-shutdown"]).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn ci_reports_the_end_with_a_key() {
    let world =
        World::start(oz_tests::world::Options { embedded_worker: false, lease: 60, ..Default::default() });
    let run = local_run(&world).await;
    let id = run.run_id.to_string();
    let shutdown = ["harness-support", "--run-id", &id, "report-shutdown"];
    let early = world.oz(&shutdown);
    assert_eq!(early.code, 1, "a key does not speak for a run that goes on: {}", early.stderr);
    assert_eq!(json(&world.oz(&["harness-support", "--run-id", &id, "ping"]).success())["run_id"], id);
    let _ =
        inside(&world, &run, &["harness-support", "finish-task", "--status", "failure", "--summary", "no"])
            .success();
    let _ = world.oz(&shutdown).success();
    assert_eq!(world.run(run.run_id).await.state, RunState::Failed);
    let other = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e";
    let foreign = inside(&world, &run, &["harness-support", "--run-id", other, "ping"]);
    assert_eq!((foreign.code, foreign.stderr.contains("inside the run")), (1, true), "{}", foreign.stderr);
}
