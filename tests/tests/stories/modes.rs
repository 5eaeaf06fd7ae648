//! Runs that plan or that split their work, by the interface, by the command line and on this machine.

use fake_model::{Asked, FakeModel, Request, Script, Turn};
use oz_core::{
    Open, RunState,
    api::{CreateRun, ListRuns},
    artifact::Artifact,
    config::{AgentConfig, SourceRepo},
    run::RunMode,
};
use oz_tests::{World, world::Options};
use serde_json::json;

const PLAN: &str = "# Plan\n1. Paint the house.";

/// The model wants to change something, is not let, writes its plan and looks at what there is in the end.
fn planning() -> Vec<Turn> {
    let plan = ("write_plan".to_owned(), json!({ "title": "Paint it", "text": PLAN }));
    let change = ("write_file".to_owned(), json!({ "path": "changed.txt", "content": "x" }));
    let command = ("run_command".to_owned(), json!({ "command": "touch changed.txt" }));
    vec![
        Turn { calls: vec![change, command, plan], ..Turn::text("I plan.") },
        Turn::call("file_glob", json!({ "patterns": ["**"] })),
        Turn::call("finish", json!({ "summary": "The plan is written." })),
    ]
}

async fn world(script: Script) -> (FakeModel, World) {
    let model = FakeModel::start(script).await;
    let env = [("ANTHROPIC_API_KEY", "k".to_owned()), ("ANTHROPIC_BASE_URL", model.url())];
    let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
    (model, World::start(Options { env, ..Options::default() }))
}

fn config(repo: &str) -> AgentConfig {
    AgentConfig {
        model_id: Some("anthropic/fake".into()),
        source_repos: vec![SourceRepo { url: repo.to_owned(), checkout_ref: None }],
        ..AgentConfig::default()
    }
}

/// Checks what a planning agent was told and given, and that nothing came of its wish to change something.
fn check_planning(requests: &[Request]) {
    assert_eq!(requests.len(), 3);
    let first = &requests[0].body;
    assert!(first["system"][0]["text"].as_str().unwrap().contains("# Mode: plan"));
    let tools: Vec<_> =
        first["tools"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert!(tools.contains(&"write_plan") && !tools.contains(&"write_file"), "{tools:?}");
    let told = requests[1].body.to_string();
    for name in ["write_file", "run_command"] {
        assert!(told.contains(&format!("there is no tool '{name}'")), "{told}");
    }
    let seen = requests[2].body["messages"].as_array().unwrap().last().unwrap().to_string();
    assert!(seen.contains("README") && !seen.contains("changed.txt"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_an_artifact_and_nothing_is_changed() {
    let (model, world) = world(planning().into()).await;
    let repo = world.git_repo("house", &[("README", "a house\n")]);
    let request = CreateRun {
        prompt: Some("paint it".into()),
        mode: Some(RunMode::Plan),
        config: Some(config(&repo)),
        ..CreateRun::default()
    };
    let run_id = world.client().send(&request).await.unwrap().run_id;
    let run = world.wait(run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    assert_eq!(
        (run.mode, run.status_message.unwrap().message),
        (Some(RunMode::Plan), "The plan is written.".into())
    );
    let [artifact] = run.artifacts.as_slice() else { panic!("{:?}", run.artifacts) };
    let Open::Known(Artifact::Plan { title, .. }) = &artifact.artifact else { panic!("{artifact:?}") };
    assert_eq!(title.as_deref(), Some("Paint it"));
    let Open::Known(Artifact::Plan { artifact_uid: Some(uid), .. }) = &artifact.artifact else { panic!() };
    let shown = world.oz(&["artifact", "get", uid, "--output-format", "json"]).success();
    assert!(shown.contains("Paint the house."), "{shown}");
    check_planning(&model.requests());
    let transcript = world.oz(&["run", "transcript", &run_id.to_string()]).success();
    assert!(transcript.contains("Paint it"), "{transcript}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_chooses_the_mode_here_and_in_the_cloud() {
    let (model, world) = world(planning().into()).await;
    let repo = world.git_repo("house", &[("README", "a house\n")]);
    let file = world.path().join("agent.json");
    std::fs::write(&file, serde_json::to_string(&config(&repo)).unwrap()).unwrap();
    let file = file.to_string_lossy().into_owned();
    let out = world.oz(&["agent", "run-cloud", "-p", "/plan paint it", "-f", &file, "--wait"]).success();
    assert!(out.contains("The plan is written."), "{out}");
    check_planning(&model.requests());
    let output = world
        .oz_command()
        .env("ANTHROPIC_API_KEY", "k")
        .env("ANTHROPIC_BASE_URL", model.url())
        .args([
            "agent",
            "run",
            "-p",
            "/plan paint it here",
            "--model",
            "anthropic/fake",
            "--offline",
            "-C",
            &repo,
        ])
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && out.contains("The plan is written."), "{out}");
    check_planning(&model.requests()[3..]);
    assert_eq!(world.git(repo.as_ref(), &["status", "--short"]), "");
}

/// What a parent does next: it plans, asks, starts two children, tells one of them more, waits, and sums up.
fn parent(asked: &Asked<'_>) -> Turn {
    let said = asked.body.to_string();
    let children: Vec<&str> = said.split("It is run ").skip(1).map(|rest| &rest[..36]).collect();
    let start =
        |part: &str| ("start_run".to_owned(), json!({ "prompt": format!("child: {part}"), "title": part }));
    match (asked.turn, children.as_slice()) {
        (0, _) => Turn::call("write_plan", json!({ "title": "Two children", "text": PLAN })),
        (1, _) => Turn::call("ask_user", json!({ "question": "May they start?", "options": ["yes", "no"] })),
        (2, _) => Turn { calls: vec![start("walls"), start("roof")], ..Turn::text("They start.") },
        (3, both) => Turn::call("wait_for_run", json!({ "run_ids": both })),
        (4, [_, roof]) => Turn::call("send_message", json!({ "run_id": roof, "message": "and the chimney" })),
        (5, [_, roof]) => Turn::call("wait_for_run", json!({ "run_ids": [roof] })),
        _ => Turn::text("Both are done."),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_orchestrates_starts_children_after_approval() {
    let script = Script::by(|asked| {
        Some(match asked.opening {
            child if child.contains("child:") && asked.turn > 0 => Turn::text("The chimney, too."),
            child if child.contains("child: walls") => Turn::text("The walls are white."),
            child if child.contains("child: roof") => Turn::text("The roof is red."),
            _ => parent(asked),
        })
    });
    let (model, world) = world(script).await;
    let repo = world.git_repo("house", &[("README", "a house\n")]);
    let request = CreateRun {
        prompt: Some("paint it".into()),
        mode: Some(RunMode::Orchestrate),
        config: Some(config(&repo)),
        ..CreateRun::default()
    };
    let client = world.client();
    let run_id = client.send(&request).await.unwrap().run_id;
    let blocked = world.wait(run_id).await;
    assert_eq!(blocked.state, RunState::Blocked, "{:?}", blocked.status_message);
    assert_eq!(blocked.status_message.unwrap().message, "May they start?");
    let children = async || {
        let filter = ListRuns { ancestor_run_id: Some(run_id), ..ListRuns::default() };
        client.send(&filter).await.unwrap().runs
    };
    assert!(children().await.is_empty(), "none starts before it is approved");
    let _ = world.oz(&["run", "answer", &run_id.to_string(), "yes"]).success();
    let run = world.until(run_id, |run| run.state.is_terminal()).await;
    assert_eq!(run.status_message.unwrap().message, "Both are done.");
    assert!(matches!(run.artifacts[0].artifact, Open::Known(Artifact::Plan { .. })));
    let mut children = children().await;
    children.sort_by(|a, b| a.title.cmp(&b.title));
    let told: Vec<_> = children.iter().map(|run| (run.title.as_str(), run.parent_run_id)).collect();
    assert_eq!(told, [("roof", Some(run_id)), ("walls", Some(run_id))]);
    let messages: Vec<_> =
        children.iter().map(|run| run.status_message.as_ref().unwrap().message.as_str()).collect();
    assert_eq!(messages, ["The chimney, too.", "The walls are white."]);
    let requests = model.requests();
    let system = requests[0].body["system"][0]["text"].as_str().unwrap();
    assert!(system.contains("# Mode: orchestrate") && system.contains("ask for approval"), "{system}");
    let last =
        requests.iter().rfind(|request| request.said[0].contains("paint it")).unwrap().body.to_string();
    assert!(last.contains("The walls are white.") && last.contains("The chimney, too."), "{last}");
    let names = |at: usize| requests[at].body["tools"].to_string();
    let child = requests.iter().position(|request| request.said[0].contains("child:")).unwrap();
    assert!(names(0).contains("start_run") && !names(child).contains("start_run"), "a child starts none");
}
