//! What becomes of a run when the model or its service is at fault: every kind of fault, once and for ever, in each wire
//! format. It goes on, or it ends and says what happened and what to do.

use super::{RunState, World, ways};
use fake_model::{FakeModel, Fault, Script, Turn};
use oz_core::{ErrorCode, Run, config::AgentConfig};
use oz_tests::world::Options;
use serde_json::json;
use std::time::Duration;

/// How a run ends: well and with this summary, or with this code and these words.
type Ends = Result<&'static str, (ErrorCode, &'static str)>;

const DONE: Ends = Ok("All done.");

/// A fault as it is played once, and what comes of it. Without a wildcard, so that a new fault needs a row here.
fn once(fault: Fault) -> (Fault, Ends) {
    // Longer than the time that the model is given in this story.
    let long = Duration::from_millis(1500);
    match fault {
        Fault::Silence(_) => (Fault::Silence(long), DONE),
        Fault::Stall(_) => (Fault::Stall(long), DONE),
        Fault::Refused => (fault, Err((ErrorCode::ContentPolicyViolation, "the model refused to answer"))),
        Fault::Status(_)
        | Fault::Busy(..)
        | Fault::TooLong
        | Fault::NoPictures
        | Fault::NotAStream
        | Fault::Cut
        | Fault::Reset
        | Fault::Overloaded
        | Fault::BadArguments
        | Fault::Empty
        | Fault::Truncated => (fault, DONE),
    }
}

/// A fault as it is played again and again, and what comes of it. What is only tried again after a while, longer each
/// time, takes too long for a story; `native::tests` has a clock of its own for that. Pictures are in `inputs`.
fn for_ever(fault: Fault) -> Option<(Fault, Ends)> {
    let unavailable = |words| Err((ErrorCode::ResourceUnavailable, words));
    match fault {
        Fault::Status(status) => Some((fault, unavailable(if status == 503 { "answered 503" } else { "" }))),
        // More than anybody waits for.
        Fault::Busy(status, _) => Some((Fault::Busy(status, 3600), unavailable("answered 429"))),
        Fault::TooLong => Some((fault, Err((ErrorCode::InvalidRequest, "400")))),
        Fault::BadArguments => Some((fault, Err((ErrorCode::InternalError, "round in circles")))),
        Fault::Refused => Some((fault, Err((ErrorCode::ContentPolicyViolation, "choose another model")))),
        Fault::Empty => Some((fault, Err((ErrorCode::InternalError, "an empty answer 3 times in a row")))),
        Fault::Truncated => Some((fault, Err((ErrorCode::InternalError, "in smaller parts")))),
        Fault::Silence(_)
        | Fault::Stall(_)
        | Fault::NotAStream
        | Fault::Cut
        | Fault::Reset
        | Fault::Overloaded
        | Fault::NoPictures => None,
    }
}

/// One run in a world: what it is asked, what the model answers, and how it ends.
struct Case {
    prompt: String,
    turns: Vec<Turn>,
    ends: Ends,
}

fn case(name: &str, fault: Fault, turns: Vec<Turn>, ends: Ends) -> Case {
    // No prompt is the beginning of another.
    Case { prompt: format!("{name}: {fault:?}."), turns, ends }
}

/// The model reads something long, so that there is something to leave out; then it is at fault.
fn cases() -> Vec<Case> {
    let read = Turn::call("run_command", json!({ "command": "seq 2000" }));
    let write = Turn {
        text: "I write.".into(),
        ..Turn::call("write_file", json!({ "path": "a.txt", "content": "hello" }))
    };
    let mut cases = Vec::new();
    for fault in Fault::EACH {
        let (fault, ends) = once(*fault);
        // Some answers are wrong and answers all the same: what the model says next is another turn.
        let turns = vec![read.clone(), write.clone().after(fault), write.clone(), Turn::text("All done.")];
        cases.push(case("once", fault, turns, ends));
        if let Some((fault, ends)) = for_ever(fault) {
            let wrong = (0..9).fold(write.clone(), |turn, _| turn.after(fault));
            cases.push(case("for ever", fault, vec![wrong; 9], ends));
        }
    }
    let refused = Turn::text("").after(Fault::Refused);
    let ends = Err((ErrorCode::ContentPolicyViolation, "Say it in other words"));
    cases.push(case("without a word", Fault::Refused, vec![refused], ends));
    let long = Turn::text("All is very well.").after(Fault::Truncated);
    cases.push(case("in words", Fault::Truncated, vec![long.clone(), Turn::text("All done.")], DONE));
    let ends = Err((ErrorCode::InternalError, "in smaller parts"));
    cases.push(case("nothing but words", Fault::Truncated, vec![long; 9], ends));
    // Half of one letter is nothing.
    let thoughts = Turn { reasoning: "Hm, hm.".into(), ..Turn::text("!") }.after(Fault::Truncated);
    cases.push(case("nothing but thoughts", Fault::Truncated, vec![read, thoughts], Ok("!")));
    cases
}

fn check(prompt: &str, run: &Run, ends: Ends) {
    let status = run.status_message.as_ref().expect("a message");
    match ends {
        Ok(summary) => {
            assert_eq!((&run.state, status.message.as_str()), (&RunState::Succeeded, summary), "{prompt}");
        }
        Err((code, words)) => {
            assert_eq!((&run.state, &status.error_code), (&code.terminal_state(), &Some(code)), "{prompt}");
            assert!(status.message.contains(words), "{prompt}: {}", status.message);
        }
    }
}

async fn all(way: usize) {
    let cases = cases();
    let script = Script::conversations(cases.iter().map(|case| (case.prompt.clone(), case.turns.clone())));
    let model = FakeModel::start(script).await;
    let (model_id, _, mut env) = ways(&model.url())[way].clone();
    env.push(("OZ_MODEL_TIMEOUT".into(), "1".into()));
    let world = World::start(Options { env, lease: 20, ..Options::default() });
    let mut runs = Vec::new();
    for case in &cases {
        let config = AgentConfig { model_id: Some(model_id.into()), ..AgentConfig::default() };
        runs.push(world.dispatch(&case.prompt, config).await);
    }
    for (run_id, Case { prompt, ends, .. }) in runs.into_iter().zip(cases) {
        check(&prompt, &world.wait(run_id).await, ends);
    }
    assert!(model.violations().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_in_anthropic_messages() {
    all(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_in_openai_responses() {
    all(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_in_openai_chat_completions() {
    all(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_goes_round_in_circles_is_told_and_then_stopped() {
    let fails = |path: &str| Turn::call("read_files", json!({ "files": [{ "path": path }] }));
    let looks = |command: &str| Turn::call("run_command", json!({ "command": command }));
    let script = Script::by(move |asked| {
        let told = asked.body.to_string().contains("it will not go better");
        Some(match (asked.opening, asked.turn % 2) {
            (text, _) if text.contains("listens") && told => Turn::text("All done."),
            (text, _) if text.contains("failing") => fails("none.txt"),
            (text, _) if text.contains("looking") => looks("pwd"),
            (text, 0) if text.contains("failures in turn") => fails("a.txt"),
            (text, _) if text.contains("failures in turn") => fails("b.txt"),
            (_, 0) => looks("echo a"),
            _ => looks("echo b"),
        })
    });
    let model = FakeModel::start(script).await;
    let (model_id, _, env) = ways(&model.url())[0].clone();
    let world = World::start(Options { env, lease: 20, ..Options::default() });
    let circles = |words| Err((ErrorCode::InternalError, words));
    let cases = [
        ("keeps failing", circles("'read_files' with the same arguments 6 times in a row")),
        ("keeps looking", circles("'run_command' with the same arguments 20 times in a row")),
        ("failures in turn", circles("the same 2 calls, 'read_files' the last of them, 6 times")),
        ("two in turn", circles("the same 2 calls, 'run_command' the last of them, 20 times")),
        ("failing, but it listens", DONE),
        ("looking, but it listens", DONE),
    ];
    let mut runs = Vec::new();
    for (prompt, _) in &cases {
        let config = AgentConfig { model_id: Some(model_id.into()), ..AgentConfig::default() };
        runs.push(world.dispatch(prompt, config).await);
    }
    for (run_id, (prompt, ends)) in runs.into_iter().zip(cases) {
        check(prompt, &world.wait(run_id).await, ends);
    }
}
