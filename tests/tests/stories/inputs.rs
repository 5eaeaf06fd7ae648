//! What a run brings along or is given later: attachments, skills, follow-ups.

use fake_model::{FakeModel, Fault, Script, Turn};
use oz_core::{
    ErrorCode, RunState,
    api::{AttachmentInput, CreateMemoryStore, CreateRun, ListSkills, ReadLog, SubmitFollowup},
    config::{AgentConfig, MemoryAccess, MemoryStoreRef, SourceRepo},
    harness::HarnessEvent,
    transcript::LogItem,
};
use oz_tests::{World, world::Options};
use std::{fs, path::Path};

const SCRIPT: &str = r#"
scripts:
  - match: greet the world
    turns:
      - { tool_calls: [{ name: finish, input: { summary: The world is greeted. } }], usage: { output_tokens: 1 } }
      - expect: translate it
        tool_calls: [{ name: run_command, input: { command: "echo hallo" } }]
      - { tool_calls: [{ name: finish, input: { summary: It is translated. } }], usage: { output_tokens: 2 } }
  - match: 'publish the note[\s\S]*- \.warp/attachments/note\.txt'
    turns:
      - tool_calls:
          - name: run_command
            input: { command: "cp .warp/attachments/note.txt published && git add -A && git commit -qm Publish && git push -q origin HEAD:oz/note && cat published" }
      - expect: the secret ingredient is salt
        tool_calls: [{ name: finish, input: { summary: The note is published. } }]
  - match: "Follow the skill 'sweep':\n\nSweep every corner of the house"
    turns:
      - tool_calls: [{ name: run_command, input: { command: "cat corners.txt" } }]
      - expect: four corners
        tool_calls: [{ name: finish, input: { summary: All corners are swept. } }]
"#;

const SWEEP: &str = "\
---
name: sweep
description: Sweeps the house.
---

Sweep every corner of the house, as corners.txt lists them.
";

/// A repository with a skill.
fn house(world: &World) -> String {
    let repo = world.git_repo("house", &[("corners.txt", "four corners\n")]);
    let dir = Path::new(&repo);
    fs::create_dir_all(dir.join(".claude/skills/sweep")).unwrap();
    fs::write(dir.join(".claude/skills/sweep/SKILL.md"), SWEEP).unwrap();
    world.git(dir, &["add", "."]);
    world.git(dir, &["-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", "skill"]);
    repo
}

fn over(repo: &str) -> AgentConfig {
    AgentConfig {
        source_repos: vec![SourceRepo { url: repo.to_owned(), checkout_ref: None }],
        ..AgentConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_reaches_the_agent_and_does_not_reach_git_by_itself() {
    let world = World::scripted(SCRIPT);
    let repo = world.git_repo("kitchen", &[("README", "a kitchen\n")]);
    let note = AttachmentInput {
        file_name: "note.txt".into(),
        mime_type: "text/plain".into(),
        // the secret ingredient is salt
        data: "dGhlIHNlY3JldCBpbmdyZWRpZW50IGlzIHNhbHQ=".into(),
    };
    let request = CreateRun {
        prompt: Some("publish the note".into()),
        config: Some(over(&repo)),
        attachments: vec![note],
        ..CreateRun::default()
    };
    let run_id = world.client().send(&request).await.unwrap().run_id;
    let run = world.wait(run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    let files = world.git(Path::new(&repo), &["ls-tree", "-r", "--name-only", "oz/note"]);
    assert_eq!(files.lines().collect::<Vec<_>>(), ["README", "published"]);
    let published = world.git(Path::new(&repo), &["show", "oz/note:published"]);
    assert_eq!(published, "the secret ingredient is salt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skill_is_enough_of_a_task_and_is_listed_afterwards() {
    let world = World::scripted(SCRIPT);
    let repo = house(&world);
    let client = world.client();
    let request =
        CreateRun { skill: Some("sweep".into()), config: Some(over(&repo)), ..CreateRun::default() };
    let run = world.wait(client.send(&request).await.unwrap().run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    assert_eq!(run.status_message.unwrap().message, "All corners are swept.");
    let listed = client.send(&ListSkills::default()).await.unwrap().agents;
    let [sweep] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!(sweep.name, "sweep");
    let variant = &sweep.variants[0];
    assert_eq!(variant.id, "repos/house:.claude/skills/sweep/SKILL.md");
    assert_eq!(variant.description, "Sweeps the house.");
    assert_eq!(variant.base_prompt, "Sweep every corner of the house, as corners.txt lists them.");
    let request = CreateRun { skill: Some(variant.id.clone()), ..request };
    let run = world.wait(client.send(&request).await.unwrap().run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "its id names it: {:?}", run.status_message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skill_that_is_not_there_is_named() {
    let world = World::scripted(SCRIPT);
    let repo = house(&world);
    for (skill, expected) in [
        ("dust", "Skill 'dust' not found in repos/house"),
        ("house:dust", "Skill 'house:dust' not found"),
        ("garden:sweep", "Repository 'garden' not found"),
    ] {
        let request =
            CreateRun { skill: Some(skill.into()), config: Some(over(&repo)), ..CreateRun::default() };
        let run = world.wait(world.client().send(&request).await.unwrap().run_id).await;
        let status = run.status_message.unwrap();
        assert_eq!((run.state, status.error_code), (RunState::Failed, Some(ErrorCode::ResourceNotFound)));
        assert!(status.message.contains(expected), "{}", status.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follow_up_makes_an_ended_run_go_on() {
    let world = World::scripted(SCRIPT);
    let client = world.client();
    let run_id = world.dispatch("greet the world", AgentConfig::default()).await;
    let first = world.wait(run_id).await;
    assert_eq!(first.state, RunState::Succeeded, "{:?}", first.status_message);
    let message = Some("translate it".into());
    client.send(&SubmitFollowup { interrupt: None, run_id, message, mode: None }).await.unwrap();
    let before = first.execution.unwrap().execution_id;
    let second = world
        .until(run_id, |run| {
            run.state.is_over() && run.execution.as_ref().is_some_and(|e| e.execution_id != before)
        })
        .await;
    assert_eq!(second.state, RunState::Succeeded, "{:?}", second.status_message);
    assert_eq!(second.status_message.unwrap().message, "It is translated.");
    let log = client.send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap().items;
    let prompts: Vec<String> = log
        .iter()
        .filter_map(|item| match item {
            LogItem::Entry { entry } => match entry.event.known() {
                Some(HarnessEvent::Prompt { text }) => Some(text.clone()),
                _ => None,
            },
            LogItem::Event { .. } => None,
        })
        .collect();
    assert_eq!(prompts, ["greet the world", "translate it"], "it knows the rest");
}

const REMEMBERING: &str = r#"
scripts:
  - match: '(?s)Memory \w+ in store \w+, of .*Releases are cut on Thursdays.*This is the task:\s+when are releases'
    turns:
      - tool_calls: [{ name: search_memory, input: { query: releases } }]
      - expect: Releases are cut on Thursdays
        tool_calls: [{ name: finish, input: { summary: On Thursdays. } }]
  - match: note when releases
    turns:
      - tool_calls: [{ name: remember, input: { store: STORE, content: Releases are cut on Thursdays., reason: The team said so. } }]
      - expect: It is remembered as memory
        tool_calls: [{ name: list_files, input: { path: docs } }]
      - expect: "(?s)rules for work in 'docs', from docs/AGENTS.md:.*Write in plain words"
        tool_calls: [{ name: finish, input: { summary: It is noted. } }]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_one_run_remembers_the_next_one_knows() {
    let world = World::scripted("scripts: []");
    let client = world.client();
    let store = client.memory().create_store(&CreateMemoryStore::default()).await.unwrap().uid;
    fs::write(world.path().join("script.yaml"), REMEMBERING.replace("STORE", &store)).unwrap();
    let repo =
        world.git_repo("team", &[("docs/AGENTS.md", "Write in plain words."), ("AGENTS.md", "Be kind.")]);
    let with = |access| AgentConfig {
        memory_stores: vec![MemoryStoreRef {
            uid: store.clone(),
            access,
            instructions: "Ask it first.".into(),
        }],
        ..over(&repo)
    };
    let first = world.dispatch("note when releases are cut", with(MemoryAccess::ReadWrite)).await;
    let run = world.wait(first).await;
    assert_eq!(run.status_message.unwrap().message, "It is noted.");
    let memories = client.memory().list(store.clone()).await.unwrap().memories;
    let [memory] = memories.as_slice() else { panic!("{memories:?}") };
    assert_eq!((memory.source.as_str(), memory.source_run_id.clone()), ("AGENT", Some(first.to_string())));
    let second = world.dispatch("when are releases cut?", with(MemoryAccess::ReadOnly)).await;
    let run = world.wait(second).await;
    assert_eq!(run.status_message.unwrap().message, "On Thursdays.");
    let page = client.send(&ReadLog { run_id: second, since: 0, limit: None }).await.unwrap();
    let told: Vec<(String, String)> = page
        .items
        .into_iter()
        .filter_map(|item| match item {
            LogItem::Entry { entry } => match entry.event.known() {
                Some(HarnessEvent::Stage { name, detail, .. }) => Some((name.clone(), detail.clone()?)),
                _ => None,
            },
            LogItem::Event { .. } => None,
        })
        .collect();
    let detail = |stage: &str| told.iter().find(|(name, _)| name == stage).map(|(_, detail)| detail.as_str());
    assert_eq!(detail("memory_retrieval"), Some(format!("{} (store {store})", memory.uid).as_str()));
    assert_eq!(detail("project_rules"), Some("team/AGENTS.md"));
}

/// A picture of one pixel, as PNG.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

#[tokio::test(flavor = "multi_thread")]
async fn the_model_sees_pictures_that_came_with_the_task() {
    let all = vec![Turn::text("I have seen it.")];
    let blind = vec![Turn::text("I can't see it.").after(Fault::NoPictures)];
    let model = FakeModel::start(Script::conversations([("look", all), ("feel", blind)])).await;
    let env = [
        ("ANTHROPIC_API_KEY", "k".to_owned()),
        ("ANTHROPIC_BASE_URL", model.url()),
        ("OPENAI_API_KEY", "k".to_owned()),
        ("OPENAI_BASE_URL", format!("{}/v1", model.url())),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let world = World::start(Options { env, ..Options::default() });
    let file = |name: &str, data: &str| AttachmentInput {
        file_name: name.into(),
        // What it says of itself does not matter.
        mime_type: "application/octet-stream".into(),
        data: data.into(),
    };
    for (prompt, model_id, words) in [
        ("look", "anthropic/fake", "I have seen it."),
        ("look", "openai-chat/fake", "I have seen it."),
        ("feel", "openai-chat/fake", "I can't see it."),
    ] {
        let request = CreateRun {
            prompt: Some(prompt.into()),
            config: Some(AgentConfig { model_id: Some(model_id.into()), ..AgentConfig::default() }),
            attachments: vec![file("a.dat", PIXEL), file("b.png", "bm8gcGljdHVyZQ==")],
            ..CreateRun::default()
        };
        let run = world.wait(world.client().send(&request).await.unwrap().run_id).await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
        assert_eq!(run.status_message.unwrap().message, words);
    }
    let requests = model.requests();
    let pictures: Vec<usize> = requests.iter().map(|r| r.body.to_string().matches(PIXEL).count()).collect();
    assert_eq!(pictures, [1, 1, 1, 0], "who takes none is asked without");
    let block = &requests[0].body["messages"][0]["content"][0];
    assert_eq!((&block["type"], &block["source"]["media_type"]), (&"image".into(), &"image/png".into()));
    for request in &requests {
        assert!(request.said[0].contains("- .warp/attachments/a.dat"), "{:?}", request.said);
        assert!(!request.body.to_string().contains("bm8gcGljdHVyZQ"), "a name makes no picture");
    }
    assert!(requests[3].said[0].contains("this model takes none"));
}
