//! What goes on between a working agent and its team: questions, answers, follow-ups, and going on later.

use oz_core::{
    Run, RunId, RunState,
    api::{ReadLog, SubmitFollowup},
    config::AgentConfig,
    harness::HarnessEvent,
    transcript::LogItem,
};
use oz_tests::{World, world::Options};

const SCRIPT: &str = r#"
scripts:
  - match: paint the house
    turns:
      - tool_calls: [{ name: ask_user, input: { question: "Which colour?", options: [red, blue] } }]
      - expect: the blue one
        tool_calls: [{ name: finish, input: { summary: It is blue. } }]
  - match: watch the clock
    turns:
      - tool_calls: [{ name: run_command, input: { command: "touch $OZ_STARTED; sleep 600" } }]
      - expect: look away
        tool_calls: [{ name: finish, input: { summary: I looked away. } }]
"#;

/// A script that takes a hundred small steps.
fn walk() -> String {
    // Each is another, so that nobody takes them for a circle.
    let step = |n| {
        format!("      - tool_calls: [{{ name: run_command, input: {{ command: sleep 0.05; echo {n} }} }}]\n")
    };
    let steps: String = (0..100).map(step).collect();
    let end = "      - tool_calls: [{ name: finish, input: { summary: I am there. } }]\n";
    format!("scripts:\n  - match: walk\n    turns:\n{steps}{end}")
}

fn message(run: &Run) -> &str {
    run.status_message.as_ref().map_or("", |status| status.message.as_str())
}

async fn prompts(world: &World, run_id: RunId) -> Vec<String> {
    let log = world.client().send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap().items;
    let prompt = |item: &LogItem| match item {
        LogItem::Entry { entry } => match entry.event.known() {
            Some(HarnessEvent::Prompt { text }) => Some(text.clone()),
            _ => None,
        },
        LogItem::Event { .. } => None,
    };
    log.iter().filter_map(prompt).collect()
}

async fn until_saved(world: &World, run_id: RunId) {
    for _ in 0..1500 {
        if world.client().raw_transcript(run_id).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the conversation is not saved\n{}", world.read_log("server"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_asks_and_goes_on_with_the_answer() {
    let world = World::scripted(SCRIPT);
    let run_id = world.dispatch("paint the house", AgentConfig::default()).await;
    let id = run_id.to_string();
    let run = world.wait(run_id).await;
    assert_eq!((&run.state, message(&run), run.requests.len()), (&RunState::Blocked, "Which colour?", 1));
    assert!(run.is_sandbox_running);
    let shown = world.oz(&["run", "get", &id]).success();
    assert!(shown.contains("Waits for") && shown.contains(&format!("oz run answer {id}")), "{shown}");
    let listed = world.oz(&["run", "requests", &id, "--open", "--output-format", "json"]).success();
    assert!(listed.contains("Which colour?"), "{listed}");
    let wrong = world.oz(&["run", "approve", &id]);
    assert!(wrong.stderr.contains("answer or deny"), "{}", wrong.stderr);
    let _ = world.oz(&["run", "answer", &id, "the blue one"]).success();
    let run = world.until(run_id, |run| run.state.is_terminal()).await;
    assert_eq!((&run.state, message(&run)), (&RunState::Succeeded, "It is blue."));
    assert_eq!(run.execution.unwrap().attempt, 1);
    let raw = world.oz(&["run", "transcript", &id, "--raw"]).success();
    assert!(raw.starts_with("{") && raw.contains("paint the house"), "{raw}");
    let late = world.oz(&["run", "answer", &id, &asked(&listed), "the red one"]);
    assert!(late.code != 0 && late.stderr.contains("was answered by"), "{}", late.stderr);
}

/// The id of the request in a list.
fn asked(list: &str) -> String {
    let list: serde_json::Value = serde_json::from_str(list).unwrap();
    list["requests"][0]["request_id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_run_can_be_cancelled() {
    let world = World::scripted(SCRIPT);
    let run_id = world.dispatch("paint the house", AgentConfig::default()).await;
    assert_eq!(world.wait(run_id).await.state, RunState::Blocked);
    let _ = world.oz(&["run", "cancel", &run_id.to_string()]).success();
    assert_eq!(world.run(run_id).await.state, RunState::Cancelled);
    world.no_agents(std::time::Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_working_agent_reads_a_follow_up_between_two_steps() {
    let world = World::scripted(&walk());
    let run_id = world.dispatch("walk", AgentConfig::default()).await;
    world.until(run_id, |run| run.state == RunState::InProgress).await;
    let more = SubmitFollowup { run_id, message: Some("and sing".into()), mode: None, interrupt: None };
    world.client().send(&more).await.unwrap();
    let run = world.until(run_id, |run| run.state.is_terminal()).await;
    assert_eq!((&run.state, message(&run)), (&RunState::Succeeded, "I am there."));
    assert_eq!(run.execution.unwrap().attempt, 1, "it needed no second agent");
    assert_eq!(prompts(&world, run_id).await, ["walk", "and sing"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_agent_leaves_what_it_is_at() {
    let room = tempfile::tempdir().unwrap();
    let started = room.path().join("started");
    let world = World::scripted(&SCRIPT.replace("$OZ_STARTED", &started.to_string_lossy()));
    let run_id = world.dispatch("watch the clock", AgentConfig::default()).await;
    world.until_file(&started).await;
    let id = run_id.to_string();
    let _ = world.oz(&["run", "followup", &id, "--interrupt", "-m", "look away"]).success();
    let run = world.until(run_id, |run| run.state.is_terminal()).await;
    assert_eq!((&run.state, message(&run)), (&RunState::Succeeded, "I looked away."));
    assert_eq!(run.execution.unwrap().attempt, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_while_a_run_waits_forgets_nothing() {
    // Its own worker dies with it, and another agent goes on with what was saved.
    let mut world = World::start(Options { script: Some(SCRIPT.into()), lease: 2, ..Options::default() });
    let run_id = world.dispatch("paint the house", AgentConfig::default()).await;
    assert_eq!(world.wait(run_id).await.state, RunState::Blocked);
    until_saved(&world, run_id).await;
    world.kill_server();
    world.no_agents(std::time::Duration::from_secs(3));
    world.start_server();
    let run = world.until(run_id, |run| !run.is_sandbox_running).await;
    assert_eq!((run.state, run.requests.len()), (RunState::Blocked, 1));
    let _ = world.oz(&["run", "answer", &run_id.to_string(), "the blue one"]).success();
    let run = world.until(run_id, |run| run.state.is_terminal()).await;
    assert_eq!((&run.state, message(&run)), (&RunState::Succeeded, "It is blue."));
    assert_eq!(run.execution.unwrap().attempt, 2);
    let prompts = prompts(&world, run_id).await;
    // What a killed agent said last may never have been sent.
    let told = prompts.last().unwrap();
    assert!(told.starts_with("You asked:\nWhich colour?"), "{prompts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_waits_outlives_its_server() {
    let mut world = World::start(Options { script: Some(SCRIPT.into()), lease: 5, ..Options::default() });
    world.start_worker("build-1");
    let config = AgentConfig { worker_host: Some("build-1".into()), ..AgentConfig::default() };
    let run_id = world.dispatch("paint the house", config).await;
    assert_eq!(world.wait(run_id).await.state, RunState::Blocked);
    world.kill_server();
    world.start_server();
    let _ = world.oz(&["run", "answer", &run_id.to_string(), "the blue one"]).success();
    let run = world.until(run_id, |run| run.state.is_terminal()).await;
    assert_eq!((&run.state, message(&run)), (&RunState::Succeeded, "It is blue."));
    assert_eq!(run.execution.unwrap().attempt, 1);
}
