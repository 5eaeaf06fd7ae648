//! A team at work: people and agents with keys of their own, environments, schedules, files, calls that are repeated.

use oz_client::{Client, RequestOptions};
use oz_core::{
    RunState,
    api::{
        CreateApiKey, CreateEnvironment, CreateIdentity, CreateRun, CreateSchedule, GetArtifact, ListRuns,
        RunCreated, WhoAmI,
    },
    config::{AgentConfig, SourceRepo},
    environment::EnvironmentConfig,
};
use oz_tests::{World, world::Options};
use serde_json::{Value, json};

const SCRIPT: &str = "
scripts:
  - match: build the house
    turns:
      - tool_calls: [{ name: run_command, input: { command: 'cat prepared' } }]
      - expect: with care
        tool_calls: [{ name: finish, input: { summary: The house stands. } }]
  - match: water the flowers
    turns: [{ text: done }]
";

fn quiet() -> World {
    World::start(Options { embedded_worker: false, ..Options::default() })
}

fn with_key(world: &World, key: &str) -> Client {
    Client::new(&world.url(), Some(key.to_owned())).unwrap()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_invited_works_and_leaves() {
    let world = quiet();
    let invited = world.oz(&["user", "invite", "ann@example.com", "--output-format", "json"]).success();
    let code = json_of(&invited)["code"].as_str().unwrap().to_owned();
    let joined = world.oz(&["user", "accept", &code, "--name", "Ann", "--output-format", "json"]).success();
    let joined = json_of(&joined);
    let ann = with_key(&world, joined["raw_api_key"].as_str().unwrap());
    let me = ann.send(&WhoAmI {}).await.unwrap();
    assert_eq!(me.role.as_deref(), Some("member"));
    let refused = ann.send(&oz_core::api::UpdateTeam { name: "Mine".into() }).await.unwrap_err();
    assert_eq!(refused.status(), Some(403));
    assert_ne!(world.oz(&["user", "accept", &code]).code, 0, "an invitation is good once");
    let _ = world.oz(&["user", "remove", &me.principal.uid, "--force"]).success();
    assert_eq!(ann.send(&WhoAmI {}).await.unwrap_err().status(), Some(401), "the key ends at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_has_a_key_that_ends_with_it() {
    let world = quiet();
    let admin = world.client();
    let new = CreateIdentity { name: "robot".into(), ..CreateIdentity::default() };
    let robot = admin.send(&new).await.unwrap();
    let new =
        CreateApiKey { name: "ci".into(), agent_uid: Some(robot.uid.clone()), ..CreateApiKey::default() };
    let key = admin.send(&new).await.unwrap();
    let agent = with_key(&world, &key.raw_api_key);
    let created = agent.send(&CreateRun { prompt: Some("x".into()), ..Default::default() }).await.unwrap();
    let run = admin.runs().get(created.run_id).await.unwrap();
    assert_eq!(run.executor.unwrap().uid, robot.uid);
    admin.runs().cancel(created.run_id).await.unwrap();
    let listed = world.oz(&["api-key", "list"]).success();
    assert!(listed.contains("ci") && !listed.contains(&key.raw_api_key), "{listed}");
    let _ = world.oz(&["agent", "delete", &robot.uid]).success();
    assert_eq!(agent.send(&WhoAmI {}).await.unwrap_err().status(), Some(401));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_prepares_the_work_of_its_runs() {
    let world = World::scripted(SCRIPT);
    let repo = world.git_repo("house", &[("plan.txt", "four walls\n")]);
    let config = EnvironmentConfig {
        name: "house".into(),
        source_repos: Some(vec![SourceRepo { url: repo, checkout_ref: None }]),
        setup_commands: vec!["echo with care > prepared".into()],
        ..EnvironmentConfig::default()
    };
    let made = world.client().send(&CreateEnvironment { config, team: None }).await.unwrap();
    let config = AgentConfig { environment_id: Some(made.uid.clone()), ..AgentConfig::default() };
    let run = world.dispatch("build the house", config).await;
    let run = world.wait(run).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    let shown = json_of(&world.oz(&["environment", "list", "--output-format", "json"]).success());
    assert!(shown.to_string().contains(&made.uid), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_fires_by_itself() {
    let world = World::scripted(SCRIPT);
    let schedule = CreateSchedule {
        name: "garden".into(),
        cron_schedule: "* * * * *".into(),
        prompt: Some("water the flowers".into()),
        ..CreateSchedule::default()
    };
    let made = world.client().send(&schedule).await.unwrap();
    // The minute comes sooner when the record says so; what fires it is the server's own clock.
    world.database().change("UPDATE schedules SET next_run = 1");
    let query = ListRuns { schedule_id: Some(made.id.clone()), ..ListRuns::default() };
    let run = loop {
        let found = world.client().send(&query).await.unwrap().runs;
        if let Some(run) = found.into_iter().next() {
            break run;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    world.client().send(&oz_core::api::PauseSchedule { schedule_id: made.id }).await.unwrap();
    assert_eq!(run.source.unwrap().as_str(), "SCHEDULED_AGENT");
    for run in world.client().send(&query).await.unwrap().runs {
        assert_eq!(world.wait(run.run_id).await.state, RunState::Succeeded);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_up_and_comes_down_until_its_address_runs_out() {
    let world = quiet();
    let run =
        world.client().send(&CreateRun { prompt: Some("x".into()), ..Default::default() }).await.unwrap();
    let run_id = run.run_id.to_string();
    let file = world.path().join("report.txt");
    std::fs::write(&file, "all is well").unwrap();
    let file = file.to_string_lossy();
    let made =
        world.oz(&["artifact", "upload", &file, "--run-id", &run_id, "--output-format", "json"]).success();
    let uid = json_of(&made)["artifact_uid"].as_str().unwrap().to_owned();
    let back = world.path().join("back.txt");
    let _ = world.oz(&["artifact", "download", &uid, "--out", &back.to_string_lossy()]).success();
    assert_eq!(std::fs::read_to_string(back).unwrap(), "all is well");
    let content = world.client().send(&GetArtifact { artifact_uid: uid }).await.unwrap();
    let content = serde_json::to_value(content).unwrap();
    let url = content["data"]["download_url"].as_str().unwrap();
    let path = url.strip_prefix(&world.url()).unwrap();
    for (changed, why) in [
        (path.replace("expires=", "expires=9"), "another time"),
        (path.replace("signature=", "signature=00"), "another signature"),
        (path.split('?').next().unwrap().to_owned(), "no signature"),
    ] {
        let (status, _, body) = crate::bad_input::http(&world, "GET", &changed, None, b"");
        assert_eq!(status, 403, "{why}: {body}");
    }
    let (status, _, body) = crate::bad_input::http(&world, "PUT", path, None, b"overwritten");
    assert_eq!(status, 403, "an address to read is none to write: {body}");
    world.client().runs().cancel(run.run_id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_makes_one_run() {
    let world = quiet();
    let options = RequestOptions { idempotency_key: Some("order-1".into()), ..RequestOptions::default() };
    let client = world.client().with_options(options);
    let request = CreateRun { prompt: Some("once".into()), ..CreateRun::default() };
    let calls = futures_util::future::join_all((0..8).map(|_| client.send(&request))).await;
    let made: Vec<RunCreated> = calls.into_iter().map(Result::unwrap).collect();
    assert!(made.iter().all(|m| m.run_id == made[0].run_id), "{made:?}");
    assert_eq!(world.client().send(&ListRuns::default()).await.unwrap().runs.len(), 1);
    let other = CreateRun { prompt: Some("twice".into()), ..CreateRun::default() };
    assert_eq!(client.send(&other).await.unwrap_err().status(), Some(422));
    world.client().runs().cancel(made[0].run_id).await.unwrap();
}

/// What each wrong request must name, and that none of them leaves anything behind.
#[test]
fn wrong_requests_are_named_and_leave_nothing() {
    let world = quiet();
    let environment = json!({ "config": { "name": "e", "description": "x".repeat(241) } });
    let plan =
        json!({ "artifact_type": "PLAN", "run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e", "content": "x" });
    let run = |more: Value| {
        let mut body = json!({ "prompt": "x" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let cases: Vec<(&str, &str, Value, u16, &str)> = vec![
        (
            "POST",
            "/agent/runs",
            run(json!({ "attachments": [{ "file_name": "../x", "mime_type": "image/png", "data": "" }] })),
            400,
            "attachments[0].file_name: '../x'",
        ),
        (
            "POST",
            "/agent/runs",
            run(json!({ "attachments": [{ "file_name": "x", "mime_type": "png", "data": "" }] })),
            400,
            "attachments[0].mime_type: 'png'",
        ),
        (
            "POST",
            "/agent/runs",
            run(json!({ "attachments": [{ "file_name": "x", "mime_type": "image/png", "data": "*" }] })),
            400,
            "not valid Base64",
        ),
        (
            "POST",
            "/agent/runs",
            run(json!({ "agent_identity_uid": "nobody" })),
            400,
            "agent_identity_uid: 'nobody'",
        ),
        ("POST", "/agent/runs", run(json!({ "team": false, "agent_identity_uid": "x" })), 400, "team"),
        ("POST", "/agent/runs", run(json!({ "on_behalf_of": "a@b" })), 403, "on_behalf_of"),
        (
            "POST",
            "/agent/runs",
            run(json!({ "config": { "environment_id": "nowhere" } })),
            400,
            "config.environment_id: 'nowhere'",
        ),
        (
            "POST",
            "/agent/runs",
            run(json!({ "conversation_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e" })),
            404,
            "conversation",
        ),
        (
            "POST",
            "/agent/runs",
            run(json!({ "initial_snapshot_token": "t" })),
            400,
            "initial_snapshot_token: 't'",
        ),
        ("POST", "/agent/runs", run(json!({ "skill": "a b" })), 400, "skill: 'a b'"),
        (
            "POST",
            "/agent/schedules",
            json!({ "name": "s", "cron_schedule": "0 25 * * *", "prompt": "x" }),
            400,
            "cron_schedule: '0 25 * * *'",
        ),
        (
            "POST",
            "/agent/schedules",
            json!({ "name": "", "cron_schedule": "0 1 * * *", "prompt": "x" }),
            400,
            "name: ''",
        ),
        ("POST", "/agent/schedules", json!({ "name": "s", "cron_schedule": "0 1 * * *" }), 400, "prompt"),
        (
            "POST",
            "/agent/identities",
            json!({ "name": "a", "harness": { "type": "claude" }, "base_model": "m" }),
            400,
            "base_model",
        ),
        (
            "POST",
            "/agent/identities",
            json!({ "name": "a", "secrets": [{ "name": "s" }, { "name": "s" }] }),
            400,
            "secrets: 's'",
        ),
        (
            "POST",
            "/agent/identities",
            json!({ "name": "a", "environment_id": "nowhere" }),
            400,
            "environment_id: 'nowhere'",
        ),
        (
            "POST",
            "/agent/identities",
            json!({ "name": "a", "memory": { "attached_stores": [{ "uid": "u", "access": "write", "instructions": "i" }] } }),
            400,
            "access: 'write'",
        ),
        ("POST", "/agent/environments", environment, 400, "config.description"),
        (
            "POST",
            "/agent/environments",
            json!({ "config": { "name": "e", "github_repos": [{ "owner": "a/b", "repo": "c" }] } }),
            400,
            "config.github_repos[0]: 'a/b/c'",
        ),
        (
            "POST",
            "/agent/api-keys",
            json!({ "name": "k", "expires_at": "2001-01-01T00:00:00Z" }),
            400,
            "expires_at: '2001",
        ),
        ("POST", "/agent/api-keys", json!({ "name": "k", "agent_uid": "nobody" }), 404, "agent 'nobody'"),
        ("POST", "/agent/invitations", json!({ "email": "nobody" }), 400, "email: 'nobody'"),
        ("POST", "/agent/invitations", json!({ "email": "a@b", "role": "king" }), 400, "role: 'king'"),
        (
            "POST",
            "/agent/messages",
            json!({ "to": [], "subject": "", "body": "", "sender_run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e" }),
            400,
            "to: '0'",
        ),
        ("POST", "/agent/artifacts", plan, 404, "run '0198c5a2"),
        (
            "POST",
            "/agent/artifacts",
            json!({ "artifact_type": "FILE", "filepath": "/etc/passwd" }),
            400,
            "filepath: '/etc/passwd'",
        ),
        ("POST", "/memory_stores/nowhere/memories", json!({ "content": "x" }), 404, "memory store 'nowhere'"),
        ("POST", "/agent/handoff/upload-snapshot", json!({ "files": [] }), 400, "files: '0'"),
        ("GET", "/agent?repo=x", Value::Null, 400, "repo: 'x'"),
        ("GET", "/agent/environments?sort_by=age", Value::Null, 400, "sort_by: 'age'"),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(method, path, body, status, named)| {
            let sent = if body.is_null() { String::new() } else { body.to_string() };
            let path = format!("/api/v1{path}");
            let key = Some(oz_tests::world::KEY);
            let (got, kind, answer) = crate::bad_input::http(&world, method, &path, key, sent.as_bytes());
            let detail = json_of(&answer)["detail"].as_str().unwrap_or_default().to_owned();
            let good = got == *status && kind == "application/problem+json" && detail.contains(named);
            (!good).then(|| format!("{method} {path} {sent}: {got} {answer}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for table in
        ["runs", "files", "schedules", "agents", "objects", "memory_stores", "invitations", "messages"]
    {
        let rows = world.database().select(&format!("SELECT COUNT(*) FROM {table}"));
        assert_eq!(rows[0][0].as_deref(), Some("0"), "a refused request left something in {table}");
    }
    let users = world.database().select("SELECT COUNT(*) FROM users");
    assert_eq!(users[0][0].as_deref(), Some("1"), "the admin alone");
}
