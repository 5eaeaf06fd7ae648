mod git;
mod git_http;
mod inputs;
mod plane;
mod secrets;
mod setup;
mod steering;

use super::*;
use oz_core::{
    ErrorCode, RunState,
    config::{HarnessConfig, HarnessType, Limits},
    harness::HarnessEvent,
};
use plane::{Fault, Plane, TOKEN};
use std::{fs, time::Instant};

const SCRIPT: &str = r#"
scripts:
  - match: work
    turns:
      - { text: I start., tool_calls: [{ name: run_command, input: { command: "echo one; sleep 0.2" } }], usage: { input_tokens: 10, output_tokens: 1 } }
      - { tool_calls: [{ name: report_artifact, input: { artifact_type: PULL_REQUEST, data: { url: "https://h/1", branch: b } } },
                       { name: finish, input: { summary: Done. } }], usage: { input_tokens: 20, output_tokens: 2 } }
  - match: look
    turns: [{ tool_calls: [{ name: run_command, input: { command: "cat .warp/attachments/* > seen; git status --short > status; true" } }] }, { text: done }]
  - match: sleep
    turns: [{ tool_calls: [{ name: run_command, input: { command: "touch started; sleep 60" } }] }]
  - match: shell
    turns: [{ tool_calls: [{ name: run_command, input: { command: "sh $OZ_WORKSPACE_ROOT/script" } }] }, { text: done }]
  - match: env
    turns: [{ tool_calls: [{ name: run_command, input: { command: "env > vars; git config --get user.email; true" } }] }, { text: done }]
"#;

struct Room {
    dir: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("script.yaml"), SCRIPT).unwrap();
        fs::create_dir(dir.path().join("w")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("w").join(name)
    }

    fn options(&self, source: Source) -> Options {
        let script = self.dir.path().join("script.yaml").to_string_lossy().into_owned();
        let home = self.dir.path().to_string_lossy().into_owned();
        let path = std::env::var("PATH").unwrap();
        let env = [
            ("PATH", path),
            ("HOME", home),
            ("OZ_SCRIPTED_MODEL", script),
            ("WARP_API_KEY", TOKEN.to_owned()),
            ("ANTHROPIC_API_KEY", "sk-canary".to_owned()),
            ("OZ_MODEL", "scripted".to_owned()),
            ("GIT_CONFIG_SYSTEM", "/none".to_owned()),
        ];
        let env = env.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        let mut options = Options::new(source, self.path(""), env);
        options.heartbeat = Duration::from_millis(50);
        options.patience = Duration::from_secs(20);
        options
    }

    fn task(&self, plane: &Plane) -> Options {
        self.options(Source::Task { run_id: Plane::run_id(), client: plane.client() })
    }

    fn local(&self, prompt: &str, client: Option<Client>) -> Options {
        self.options(Source::Local { prompt: prompt.into(), config: AgentConfig::default(), client })
    }

    /// What the agent does when it is asked for `shell`.
    fn script(&self, text: &str) {
        fs::write(self.dir.path().join("w/script"), text).unwrap();
    }

    async fn until_started(&self) {
        let begun = Instant::now();
        while !self.path("started").exists() {
            assert!(begun.elapsed() < Duration::from_secs(10), "it does not start");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many processes work in the room.
    fn processes(&self) -> usize {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let here = |cwd: PathBuf| cwd.starts_with(self.dir.path());
        entries.filter(|e| fs::read_link(e.path().join("cwd")).is_ok_and(here)).count()
    }

    async fn until_empty(&self) {
        let begun = Instant::now();
        while self.processes() > 0 {
            assert!(begun.elapsed() < Duration::from_secs(5), "a process is left");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Drives a run. Answers all that lasts of what is observed.
async fn drive_all(options: Options) -> (DriverResult, Vec<DriverEvent>) {
    let mut events = Vec::new();
    let finished = drive(options, &mut |event| events.push(event), CancellationToken::new()).await;
    events.retain(|event| !matches!(event, DriverEvent::Event { event: HarnessEvent::Delta { .. } }));
    (finished, events)
}

const KINDS: [&str; 14] = [
    "prompt",
    "session",
    "state",
    "text",
    "usage",
    "action",
    "action_result",
    "usage",
    "action",
    "action_result",
    "artifact",
    "action",
    "action_result",
    "state",
];

fn kinds() -> Vec<String> {
    KINDS.iter().map(|k| (*k).to_owned()).collect()
}

#[tokio::test]
async fn a_run_is_recorded_from_its_prompt_to_its_end() {
    let (room, plane) = (Room::new(), Plane::start("work", AgentConfig::default()).await);
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!((finished.state, finished.status.message.as_str()), (RunState::Succeeded, "Done."));
    assert_eq!(finished.usage.total_tokens(), 33);
    assert_eq!(events[0], DriverEvent::RunStarted { run_id: Plane::run_id() });
    let state = plane.lock();
    assert_eq!(state.kinds(), kinds());
    assert_eq!(events.len() - 1, state.entries.len(), "the observer sees the same");
    let updates = state.calls("update-run");
    assert_eq!(updates[0]["task_state"], "INPROGRESS");
    assert_eq!(
        (&updates[1]["task_state"], &updates[1]["usage"]["input_tokens"]),
        (&"SUCCEEDED".into(), &30.into())
    );
    assert_eq!(updates.len(), 2);
    assert_eq!(state.calls("report-artifact").len(), 1);
    let last = state.calls.last().unwrap();
    assert!(last.0.ends_with("update-run"), "the end comes last: {last:?}");
    assert!(
        state.calls("transcript-entries").iter().any(|b| b["entries"] == serde_json::json!([])),
        "no heartbeat"
    );
}

#[tokio::test]
async fn the_agent_works_through_an_outage_and_nothing_is_lost_or_told_twice() {
    for fault in [Fault::Down, Fault::Deaf] {
        let (room, plane) = (Room::new(), Plane::start("work", AgentConfig::default()).await);
        let breaking = plane.clone();
        let breaks = tokio::spawn(async move {
            while breaking.lock().entries.len() < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            breaking.lock().fault = fault;
            tokio::time::sleep(Duration::from_millis(700)).await;
            breaking.lock().fault = Fault::None;
        });
        let (finished, _) = drive_all(room.task(&plane)).await;
        breaks.await.unwrap();
        assert_eq!(finished.state, RunState::Succeeded, "{fault:?}");
        assert_eq!(plane.lock().kinds(), kinds(), "{fault:?}");
        assert_eq!(plane.lock().state, RunState::Succeeded);
    }
}

#[tokio::test]
async fn a_run_waits_for_a_control_plane_that_is_away_but_not_for_ever() {
    let (room, plane) = (Room::new(), Plane::start("work", AgentConfig::default()).await);
    plane.lock().fault = Fault::Down;
    let mending = plane.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(400)).await;
        mending.lock().fault = Fault::None;
    });
    assert_eq!(drive_all(room.task(&plane)).await.0.state, RunState::Succeeded);
    plane.lock().fault = Fault::Down;
    let mut options = room.task(&plane);
    options.patience = Duration::from_millis(300);
    let (finished, _) = drive_all(options).await;
    assert_eq!(
        (finished.state, finished.status.error_code),
        (RunState::Error, Some(ErrorCode::InternalError))
    );
}

#[tokio::test]
async fn an_agent_whose_run_is_somebody_elses_stops_at_once_and_reports_nothing() {
    for (fault, state) in [(Fault::Superseded, RunState::InProgress), (Fault::None, RunState::Cancelled)] {
        let (room, plane) = (Room::new(), Plane::start("sleep", AgentConfig::default()).await);
        let ending = async {
            room.until_started().await;
            let mut locked = plane.lock();
            locked.fault = fault;
            locked.state = state;
            locked.calls.clear();
            Instant::now()
        };
        let (told, (finished, _)) = tokio::join!(ending, drive_all(room.task(&plane)));
        assert!(told.elapsed() < Duration::from_secs(1), "{:?}", told.elapsed());
        assert_eq!(finished.state, RunState::Cancelled);
        assert_eq!(plane.lock().calls("update-run").len(), 0);
        room.until_empty().await;
    }
    let (room, plane) = (Room::new(), Plane::start("work", AgentConfig::default()).await);
    plane.lock().fault = Fault::Superseded;
    assert_eq!(drive_all(room.task(&plane)).await.0.state, RunState::Cancelled);
}

#[tokio::test]
async fn a_cancelled_agent_says_so_quickly_even_when_nobody_hears_it() {
    for fault in [Fault::None, Fault::Down, Fault::Deaf] {
        let (room, plane) = (Room::new(), Plane::start("sleep", AgentConfig::default()).await);
        let cancel = CancellationToken::new();
        let cancelling = async {
            room.until_started().await;
            plane.lock().fault = fault;
            cancel.cancel();
            Instant::now()
        };
        let mut observer = |_| {};
        let driving = drive(room.task(&plane), &mut observer, cancel.clone());
        let (asked, finished) = tokio::join!(cancelling, driving);
        assert!(asked.elapsed() < Duration::from_millis(600), "{fault:?}: {:?}", asked.elapsed());
        assert_eq!(finished.state, RunState::Cancelled);
        if fault == Fault::None {
            // Whether it was cancelled or lost its worker is not the agent's to say.
            assert_eq!(plane.lock().state, RunState::InProgress);
            assert_eq!(plane.lock().kinds().last().unwrap(), "state");
        }
        room.until_empty().await;
    }
}

#[tokio::test]
async fn a_local_run_needs_no_control_plane() {
    let room = Room::new();
    let (finished, events) = drive_all(room.local("work", None)).await;
    assert_eq!((finished.state, finished.run_id), (RunState::Succeeded, None));
    assert_eq!(events.len(), kinds().len());
    let away = Client::new("http://127.0.0.1:9", Some("wk-1.x".into())).unwrap();
    let (finished, events) = drive_all(room.local("work", Some(away))).await;
    assert_eq!((finished.state, finished.run_id), (RunState::Succeeded, None));
    let DriverEvent::Event { event: HarnessEvent::Stage { name, ok: false, detail: Some(detail), .. } } =
        &events[0]
    else {
        panic!("{:?}", events[0])
    };
    assert!(name == "record_run" && detail.contains("127.0.0.1:9"), "{detail}");
    let plane = Plane::start("", AgentConfig::default()).await;
    let (finished, events) = drive_all(room.local("work", Some(plane.client()))).await;
    assert_eq!((finished.state, finished.run_id), (RunState::Succeeded, Some(Plane::run_id())));
    assert_eq!(events[0], DriverEvent::RunStarted { run_id: Plane::run_id() });
    let state = plane.lock();
    assert_eq!(state.calls("local-runs")[0]["prompt"], "work");
    assert_eq!((state.kinds(), &state.state), (kinds(), &RunState::Succeeded));
}

#[tokio::test]
async fn commands_see_no_keys_and_git_knows_its_user() {
    let room = Room::new();
    let (finished, events) = drive_all(room.local("env", None)).await;
    assert_eq!(finished.state, RunState::Succeeded);
    let vars = fs::read_to_string(room.path("vars")).unwrap();
    assert!(!vars.contains("canary"), "{vars}");
    assert!(
        vars.contains("GIT_AUTHOR_EMAIL=agent@oz.invalid") && vars.contains("OZ_WORKSPACE_ROOT="),
        "{vars}"
    );
    assert!(!format!("{events:?}").contains("canary"));
}

#[tokio::test]
async fn what_can_t_be_prepared_fails_the_run_with_its_reason() {
    let config = AgentConfig::default;
    let claude = HarnessConfig { kind: HarnessType::Claude, ..HarnessConfig::native() };
    let failing = vec!["true".to_owned(), "echo why; exit 7".to_owned()];
    for (config, code, expected) in [
        (AgentConfig { harness: Some(claude), ..config() }, ErrorCode::EnvironmentSetupFailed, "claude"),
        (
            AgentConfig { skill_spec: Some("fix".into()), ..config() },
            ErrorCode::ResourceNotFound,
            "Skill 'fix' not found",
        ),
        (
            AgentConfig { setup_commands: failing, ..config() },
            ErrorCode::EnvironmentSetupFailed,
            "exit code 7\nwhy",
        ),
        (
            AgentConfig { model_id: Some("gpt-5".into()), ..config() },
            ErrorCode::AuthenticationRequired,
            "OPENAI_API_KEY",
        ),
        (
            AgentConfig { limits: Some(Limits { max_turns: Some(1), ..Limits::default() }), ..config() },
            ErrorCode::BudgetExceeded,
            "max_turns",
        ),
    ] {
        let (room, plane) = (Room::new(), Plane::start("work", config).await);
        let (finished, _) = drive_all(room.task(&plane)).await;
        assert_eq!((finished.state, finished.status.error_code), (RunState::Failed, Some(code)));
        assert!(finished.status.message.contains(expected), "{}", finished.status.message);
        let state = plane.lock();
        assert_eq!(
            state.calls("update-run").last().unwrap()["status_message"]["message"],
            finished.status.message
        );
        assert_eq!(state.state, RunState::Failed);
    }
}

#[tokio::test]
async fn stages_are_told_and_what_setup_starts_lives_until_the_end() {
    let config = AgentConfig { setup_commands: vec!["sleep 60 & touch up".into()], ..AgentConfig::default() };
    let (room, plane) = (Room::new(), Plane::start("work", config).await);
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!(finished.state, RunState::Succeeded);
    let stage = events.iter().find_map(|e| match e {
        DriverEvent::Event { event: HarnessEvent::Stage { name, ok, .. } } => Some((name.as_str(), *ok)),
        _ => None,
    });
    assert_eq!(stage, Some(("setup_environment_setup_commands", true)));
    assert!(room.path("up").exists());
    room.until_empty().await;
}
