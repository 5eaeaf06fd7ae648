//! What a run brings along: attachments and skills.

use super::*;
use oz_core::config::SourceRepo;
use serde_json::json;

const SKILL: &str = "---\nname: check\ndescription: Checks.\n---\nPlease look around.\n";

impl Room {
    /// A repository `me/app` with these files.
    fn repo(&self, files: &[(&str, &str)]) -> AgentConfig {
        let dir = self.dir.path().join("me/app");
        for (path, text) in files {
            let file = dir.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let git = "git init -q -b main && git add . && git -c user.name=n -c user.email=e commit -qm one";
        let made = std::process::Command::new("sh").args(["-c", git]).current_dir(&dir).status();
        assert!(made.unwrap().success());
        let url = dir.to_string_lossy().into_owned();
        AgentConfig { source_repos: vec![SourceRepo { url, checkout_ref: None }], ..AgentConfig::default() }
    }
}

fn stages(events: &[DriverEvent]) -> Vec<(&str, bool)> {
    let stage = |event| match event {
        &DriverEvent::Event { event: HarnessEvent::Stage { ref name, ok, .. } } => Some((name.as_str(), ok)),
        _ => None,
    };
    events.iter().filter_map(stage).collect()
}

fn attachment(name: &str, url: &str) -> serde_json::Value {
    json!({ "attachment_id": "a", "filename": name, "download_url": url })
}

#[tokio::test]
async fn attachments_lie_in_the_workspace_and_out_of_git() {
    let room = Room::new();
    let plane = Plane::start("look", room.repo(&[("f", "x")])).await;
    plane.lock().attachments =
        json!([attachment("a.txt", "/x/blob?s=1"), attachment("../a.txt", "/x/blob?s=1")]);
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    assert_eq!(stages(&events), [("setup_environment_repo_clone", true), ("attachments", true)]);
    assert_eq!(fs::read_to_string(room.path("app/seen")).unwrap(), "\"the bytes\"\"the bytes\"");
    let mut names: Vec<_> = fs::read_dir(room.path("app/.warp/attachments")).unwrap().flatten().collect();
    names.sort_by_key(fs::DirEntry::file_name);
    assert_eq!(names.iter().map(fs::DirEntry::file_name).collect::<Vec<_>>(), ["a-2.txt", "a.txt"]);
    let status = fs::read_to_string(room.path("app/status")).unwrap();
    assert!(status.contains("seen") && !status.contains(".warp"), "{status}");
}

#[tokio::test]
async fn an_attachment_that_can_t_be_fetched_fails_the_run() {
    let (room, plane) = (Room::new(), Plane::start("look", AgentConfig::default()).await);
    plane.lock().attachments = json!([attachment("a.txt", "/x/gone")]);
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!(
        (finished.state, finished.status.error_code),
        (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed))
    );
    assert!(finished.status.message.contains("'a.txt' could not be fetched"), "{}", finished.status.message);
    assert_eq!(stages(&events), [("attachments", false)]);
    assert!(!room.path("seen").exists());
}

#[tokio::test]
async fn a_skill_is_reported_and_followed() {
    let room = Room::new();
    let mut config =
        room.repo(&[(".agents/skills/check/SKILL.md", SKILL), (".claude/skills/bad/SKILL.md", "bad")]);
    config.skill_spec = Some("me/app:check".into());
    let plane = Plane::start("", config).await;
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    let DriverEvent::Event { event: HarnessEvent::Prompt { text } } = &events[1] else {
        panic!("{:?}", events[1])
    };
    assert_eq!(text, "/me/app:check");
    assert!(stages(&events).contains(&("setup_environment_skill_loading", true)));
    assert!(room.path("app/seen").exists(), "the instructions were not followed");
    let state = plane.lock();
    let report = state.calls("report-skills")[0];
    assert_eq!(report["repo"], "me/app");
    let path = |name: &str| format!("{name}/SKILL.md");
    assert_eq!(
        report["skills"][0],
        json!({ "name": "check", "path": path(".agents/skills/check"), "description": "Checks.",
            "base_prompt": "Please look around." })
    );
    assert_eq!(report["skills"][1]["path"], path(".claude/skills/bad"));
    assert!(report["skills"][1]["error"].as_str().unwrap().contains("front matter"));
}

#[tokio::test]
async fn a_skill_that_can_t_be_followed_fails_the_run() {
    for (skill, code, expected) in [
        ("none", ErrorCode::ResourceNotFound, "Skill 'none' not found in me/app"),
        ("you/app:x", ErrorCode::ResourceNotFound, "belongs to org 'me', expected 'you'"),
        ("bad", ErrorCode::EnvironmentSetupFailed, "Failed to parse skill file me/app:.claude/skills/bad"),
        ("app:docs/no", ErrorCode::ResourceNotFound, "Skill 'app:docs/no' not found"),
    ] {
        let room = Room::new();
        let mut config = room.repo(&[(".claude/skills/bad/SKILL.md", "bad")]);
        config.skills = vec![skill.to_owned()];
        let plane = Plane::start("look", config).await;
        let (finished, events) = drive_all(room.task(&plane)).await;
        assert_eq!((finished.state, finished.status.error_code), (RunState::Failed, Some(code)));
        assert!(finished.status.message.contains(expected), "{}", finished.status.message);
        assert_eq!(stages(&events).last(), Some(&("setup_environment_skill_loading", false)));
    }
}

fn write(file: &std::path::Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn detail<'a>(events: &'a [DriverEvent], stage: &str) -> Vec<&'a str> {
    let detail = |event: &'a DriverEvent| match event {
        DriverEvent::Event { event: HarnessEvent::Stage { name, detail: Some(detail), .. } }
            if name == stage =>
        {
            Some(detail.as_str())
        }
        _ => None,
    };
    events.iter().filter_map(detail).collect()
}

#[tokio::test]
async fn a_local_run_has_the_skills_of_its_directory_and_its_user() {
    for (spec, prompt) in [(Some("check"), ""), (None, "/check"), (Some("mine"), "")] {
        let room = Room::new();
        write(&room.path(".claude/skills/check/SKILL.md"), SKILL);
        let home = room.dir.path().join(".warp/skills/mine/SKILL.md");
        write(&home, &SKILL.replace("name: check", "name: mine"));
        let config = AgentConfig { skill_spec: spec.map(str::to_owned), ..AgentConfig::default() };
        let source = Source::Local { prompt: prompt.into(), config, client: None };
        let (finished, events) = drive_all(room.options(source)).await;
        assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
        assert!(room.path("seen").exists(), "the instructions were not followed");
        let expected = match spec {
            Some("mine") => "mine (~:.warp/skills/mine/SKILL.md)",
            _ => "check (w:.claude/skills/check/SKILL.md)",
        };
        assert_eq!(detail(&events, "setup_environment_skill_loading"), [expected]);
    }
}

#[tokio::test]
async fn rules_are_named_and_those_of_a_directory_come_with_the_first_look_into_it() {
    let room = Room::new();
    let script = r#"
scripts:
  - match: list
    turns:
      - { tool_calls: [{ name: list_files, input: { path: api } }] }
      - { expect: "(?s)rules for work in 'api', from api/AGENTS.md:.*Be brief", tool_calls: [{ name: list_files, input: { path: api } }] }
      - { expect: "x.rs\\s*$", text: done }
"#;
    fs::write(room.dir.path().join("script.yaml"), script).unwrap();
    write(&room.path("api/AGENTS.md"), "Be brief.");
    write(&room.path("api/x.rs"), "");
    write(&room.path("WARP.md"), "At the root.");
    write(&room.dir.path().join(".oz/AGENTS.md"), "Of the user.");
    std::os::unix::fs::symlink("/etc/hostname", room.path("CLAUDE.md")).unwrap();
    let (finished, events) = drive_all(room.local("list", None)).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    let own = room.dir.path().join(".oz/AGENTS.md").display().to_string();
    assert_eq!(detail(&events, "project_rules"), [format!("{own}, WARP.md").as_str(), "api/AGENTS.md"]);

    let plane = Plane::start("list", AgentConfig::default()).await;
    let (_, events) = drive_all(room.task(&plane)).await;
    assert_eq!(detail(&events, "project_rules")[0], "WARP.md", "the user of a worker has no say");
    fs::remove_file(room.path("WARP.md")).unwrap();
    let (_, events) = drive_all(room.local("list", None)).await;
    assert!(detail(&events, "project_rules")[0].contains("CLAUDE.md' can't be used"), "{events:?}");
}

#[tokio::test]
async fn a_local_run_gets_what_the_control_plane_says_its_environment_prepares() {
    let room = Room::new();
    let own = AgentConfig { environment_id: Some("e".into()), ..AgentConfig::default() };
    let prepared = AgentConfig { setup_commands: vec!["touch prepared".into()], ..own.clone() };
    let plane = Plane::start("work", prepared).await;
    let local = |client| Source::Local { prompt: "work".into(), config: own.clone(), client };
    let (finished, events) = drive_all(room.options(local(Some(plane.client())))).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    assert_eq!(detail(&events, "setup_environment_setup_commands"), ["touch prepared"]);
    assert!(room.path("prepared").exists());
    let (finished, _) = drive_all(room.options(local(None))).await;
    assert_eq!(finished.status.error_code, Some(ErrorCode::EnvironmentSetupFailed));
    assert!(finished.status.message.contains("environment 'e'"), "{}", finished.status.message);
}
