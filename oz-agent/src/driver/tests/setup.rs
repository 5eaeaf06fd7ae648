//! Setup commands: shown while they run, ended when they take too long, and never too much.

use super::*;

fn setup(commands: &[&str]) -> AgentConfig {
    AgentConfig {
        setup_commands: commands.iter().map(|c| (*c).to_owned()).collect(),
        ..AgentConfig::default()
    }
}

fn printed(events: &[DriverEvent]) -> Vec<&str> {
    let text = |event| match event {
        &DriverEvent::Event { event: HarnessEvent::Output { ref text, ref stage } } => {
            assert_eq!(stage, "setup_environment_setup_commands");
            Some(text.as_str())
        }
        _ => None,
    };
    events.iter().filter_map(text).collect()
}

#[tokio::test]
async fn output_is_shown_while_a_command_runs_and_each_command_has_its_stage() {
    let commands = ["echo one; printf t; until test -e seen; do sleep 0.02; done; echo wo", "echo three >&2"];
    let (room, plane) = (Room::new(), Plane::start("shell", setup(&commands)).await);
    room.script("true");
    let mut events = Vec::new();
    let mut observer = |event: DriverEvent| {
        // The command goes on only when its first line was seen.
        if matches!(&event, DriverEvent::Event { event: HarnessEvent::Output { text, .. } } if text.starts_with("one\n"))
        {
            fs::write(room.path("seen"), "").unwrap();
        }
        events.push(event);
    };
    let finished = drive(room.task(&plane), &mut observer, CancellationToken::new()).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    assert_eq!(printed(&events), ["one\n", "two\n", "three\n"]);
    let details: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            DriverEvent::Event { event: HarnessEvent::Stage { detail: Some(detail), ok: true, .. } } => {
                Some(detail.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(details, commands);
}

#[tokio::test]
async fn a_flood_does_not_reach_the_log() {
    let command = "echo begin; head -c 20000000 /dev/zero | tr '\\0' x; seq 100000; echo end";
    let (room, plane) = (Room::new(), Plane::start("shell", setup(&[command])).await);
    room.script("true");
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    let text = printed(&events).concat();
    assert!(text.len() < 80 << 10, "{}", text.len());
    assert!(text.starts_with("begin\n") && text.ends_with("\n100000\nend\n"));
    assert!(text.contains("bytes left out"));
}

#[tokio::test]
async fn a_command_that_hangs_is_killed_with_its_family() {
    let mut config = setup(&["echo begun; (setsid sleep 61 &); sleep 62"]);
    config.setup_timeout_seconds = Some(1);
    let (room, plane) = (Room::new(), Plane::start("shell", config).await);
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!(
        (finished.state, finished.status.error_code),
        (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed))
    );
    let message = &finished.status.message;
    assert!(message.contains("sleep 62` did not end within 1 s and was killed\nbegun"), "{message}");
    assert_eq!(printed(&events), ["begun\n"]);
    room.until_empty().await;
}
