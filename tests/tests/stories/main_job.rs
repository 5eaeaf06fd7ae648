//! Dispatch a run on a real repository, watch it, get its result.

use oz_core::{
    Open, RunState,
    api::{GetConversation, GetRunConversation, ListEvents, ReadLog},
    artifact::Artifact,
    config::{AgentConfig, SourceRepo},
    event::EventType,
    harness::{ActionState, HarnessEvent},
    transcript::LogItem,
};
use oz_tests::World;
use std::path::Path;

const FIX: &str = r#"
scripts:
  - match: fix the greeting
    turns:
      - text: I will look at the failing test first.
        tool_calls:
          - { name: read_files, input: { files: [{ path: greet.sh }, { path: test.sh }] } }
          - { name: run_command, input: { command: "sh test.sh" } }
      - expect: 'exit.code\D*1'
        tool_calls:
          - name: edit_files
            input: { title: Fix the greeting, edits: [{ path: greet.sh, old: "echo hallo", new: "echo hello" }] }
      - tool_calls:
          - { name: run_command, input: { command: "sh test.sh && git commit -qam 'Fix the greeting' && git push -q origin HEAD:oz/fix" } }
      - tool_calls:
          - name: report_artifact
            input: { artifact_type: EXTERNAL_REFERENCE, data: { reference_type: git_branch, url: "file:oz/fix" } }
          - { name: finish, input: { success: true, summary: The greeting is right and committed. } }
        usage: { input_tokens: 100, output_tokens: 20 }
"#;

fn repo(world: &World) -> String {
    world.git_repo(
        "greeter",
        &[
            ("greet.sh", "echo hallo\n"),
            ("test.sh", "test \"$(sh greet.sh)\" = hello || { echo wrong; exit 1; }\n"),
        ],
    )
}

fn passes(world: &World, repo: &str, branch: &str) -> bool {
    let clone = world.path().join(format!("clone-{}", branch.replace('/', "-")));
    world.git(world.path(), &["clone", "-q", "-b", branch, repo, &clone.to_string_lossy()]);
    std::process::Command::new("sh").arg("test.sh").current_dir(clone).output().unwrap().status.success()
}

#[test]
fn run_cloud_streams_the_work_and_the_commit_fixes_the_test() {
    let world = World::scripted(FIX);
    let repo = repo(&world);
    assert!(!passes(&world, &repo, "main"), "the test must fail before");
    let out = world
        .oz(&["agent", "run-cloud", "--prompt", "fix the greeting", "--repo", &repo, "--wait"])
        .success();
    assert!(passes(&world, &repo, "oz/fix"), "the test must pass after: {out}");
    for expected in ["I will look at the failing test first.", "sh test.sh", "+echo hello", "SUCCEEDED"] {
        assert!(out.contains(expected), "{expected} is not in\n{out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_holds_everything_that_happened() {
    let world = World::scripted(FIX);
    let repo = repo(&world);
    let config = AgentConfig {
        name: Some("fixer".into()),
        source_repos: vec![SourceRepo { url: repo, checkout_ref: None }],
        ..AgentConfig::default()
    };
    let run_id = world.dispatch("fix the greeting", config).await;
    let run = world.wait(run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    assert_eq!(run.status_message.unwrap().message, "The greeting is right and committed.");
    assert_eq!(run.request_usage.unwrap().total_tokens, Some(120));
    assert!(matches!(run.artifacts[0].artifact, Open::Known(Artifact::ExternalReference { .. })));
    let client = world.client();
    let log = client.send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap().items;
    let indexes: Vec<i64> = log.iter().map(LogItem::index).collect();
    assert_eq!(indexes, (1..=i64::try_from(log.len()).unwrap()).collect::<Vec<_>>());
    let mut actions = Vec::new();
    let mut results = Vec::new();
    for item in &log {
        let LogItem::Entry { entry } = item else { continue };
        match entry.event.known().expect("known event") {
            HarnessEvent::Action { id, name, .. } => actions.push((id.clone(), name.clone())),
            HarnessEvent::ActionResult { action_id, name, state, .. } => {
                assert_eq!(*state, ActionState::Completed);
                results.push((action_id.clone(), name.clone()));
            }
            _ => {}
        }
    }
    assert_eq!(actions, results, "every action has its result");
    assert_eq!(actions.len(), 6);
    let events = client.send(&ListEvents { run_ids: vec![run_id], since: 0, limit: None }).await.unwrap();
    let kinds: Vec<EventType> = events.into_iter().map(|e| e.event_type).collect();
    use EventType as E;
    assert_eq!(kinds, [E::RunQueued, E::RunClaimed, E::RunInProgress, E::RunSucceeded]);
    let conversation = client.send(&GetRunConversation { run_id }).await.unwrap();
    let conversation_id = run.conversation_id.unwrap();
    assert_eq!(client.send(&GetConversation { conversation_id }).await.unwrap(), conversation);
    assert!(conversation.steps[0].messages.len() > 10);
    let transcript =
        world.oz(&["run", "transcript", &run_id.to_string(), "--output-format", "ndjson"]).success();
    assert!(transcript.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    let listed = world
        .oz(&["run", "list", "--name", "fixer", "--state", "succeeded", "--output-format", "json"])
        .success();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["runs"][0]["run_id"], run_id.to_string());
}

#[test]
fn a_local_run_works_without_any_server_and_is_recorded_where_there_is_one() {
    let world = World::scripted(
        "scripts: [{ match: write, turns: [{ tool_calls: [{ name: write_file, input: { path: a.txt, content: hi } }] }, { text: done }] }]",
    );
    let here = world.path().join("here");
    std::fs::create_dir(&here).unwrap();
    let run = |args: &[&str]| -> (i32, String) {
        let output = world
            .oz_command()
            .env("OZ_SCRIPTED_MODEL", world.path().join("script.yaml"))
            .current_dir(&here)
            .args(["agent", "run", "-p", "write it", "--model", "scripted", "--output-format", "json"])
            .args(args)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, out) = run(&["--offline"]);
    assert_eq!(code, 0, "{out}");
    assert!(!out.contains("run_started"));
    assert_eq!(std::fs::read_to_string(here.join("a.txt")).unwrap(), "hi");
    let (code, out) = run(&[]);
    assert_eq!(code, 0, "{out}");
    let first: serde_json::Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(first["event_type"], "run_started");
    let record =
        world.oz(&["run", "get", first["run_id"].as_str().unwrap(), "--output-format", "json"]).success();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!((&record["state"], &record["execution_location"]), (&"SUCCEEDED".into(), &"LOCAL".into()));
}

#[test]
fn commands_of_the_agent_see_no_keys() {
    let script = "scripts: [{ match: env, turns: [{ tool_calls: [{ name: run_command, input: { command: 'env; cat /proc/self/environ' } }] }, { text: done }] }]";
    let env = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"].map(|k| (k.to_owned(), format!("canary-{k}"))).to_vec();
    let world =
        World::start(oz_tests::world::Options { script: Some(script.into()), env, ..Default::default() });
    let out = world
        .oz(&["agent", "run-cloud", "-p", "env", "--model", "scripted", "--wait", "--output-format", "json"])
        .success();
    assert!(out.contains("OZ_RUN_ID="), "{out}");
    assert!(!out.contains("canary-") && !out.contains("wk-1."), "a key leaked:\n{out}");
    assert!(!Path::new(&world.path().join("home/.oz")).exists());
}

#[test]
fn commands_hear_the_signals_that_an_agent_in_the_background_ignores() {
    let look = "grep SigIgn /proc/self/status";
    let turns = format!(
        "[{{ tool_calls: [{{ name: run_command, input: {{ command: {look} }} }}, {{ name: run_command, input: {{ command: {look}, pty: true }} }}] }}, {{ text: done }}]"
    );
    let world = World::scripted(&format!("scripts: [{{ match: look, turns: {turns} }}]"));
    // As a shell starts what is followed by `&`.
    let line = format!(
        "trap '' INT QUIT; exec '{}' agent run -p look --model scripted --offline --output-format json",
        oz_tests::world::oz_binary().display()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &line])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", world.path().join("home"))
        .env("OZ_SCRIPTED_MODEL", world.path().join("script.yaml"))
        .current_dir(world.path())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    // A terminal shows the tab as spaces.
    let mask =
        |rest: &str| u64::from_str_radix(&rest.trim_start_matches(['\\', 't', ' '])[..16], 16).unwrap();
    let masks: Vec<u64> = out.split("SigIgn:").skip(1).map(mask).collect();
    assert!(masks.len() >= 2, "{out}");
    assert!(
        masks.iter().all(|mask| mask & 0b110 == 0),
        "INT and QUIT are the second and third bit: {masks:x?}"
    );
}

#[test]
fn the_example_configuration_works_as_it_stands() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let world = World::scripted(&std::fs::read_to_string(examples.join("script.yaml")).unwrap());
    let file = examples.join("agent.yaml").to_string_lossy().into_owned();
    let out = world.oz(&["agent", "run-cloud", "-f", &file, "--wait"]).success();
    assert!(out.contains("The greeting is in out/hello.txt."), "{out}");
}
