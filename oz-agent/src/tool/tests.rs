mod files;
mod jobs;
mod patches;
mod search;
mod shell;

use super::*;
use serde_json::json;
use std::fs;

const SECRET: &str = "canary-0123456789";

struct Room {
    dir: tempfile::TempDir,
    desk: Desk,
}

impl Room {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("w");
        fs::create_dir(&root).unwrap();
        fs::write(dir.path().join("outside"), "secret\n").unwrap();
        std::os::unix::fs::symlink("../outside", root.join("link")).unwrap();
        for (path, content) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let env = std::env::vars().collect();
        let home = dir.path().join("home");
        fs::create_dir(&home).unwrap();
        let jobs = Jobs::new(&home).unwrap();
        let desk = Desk {
            workspace: Workspace::new(&root).unwrap().reading(jobs.directory()),
            env,
            secrets: BTreeMap::from([("DEPLOY_KEY".to_owned(), SECRET.to_owned())]),
            jobs,
            household: Household::new(),
            redactor: Redactor::new([SECRET]),
            network: Network::default(),
        };
        Self { dir, desk }
    }

    async fn call(&self, name: &str, input: Value) -> Result<Done, Failed> {
        Toolbox::new(&Offer::default(), []).find(name).unwrap().run(&self.desk, input).await
    }

    async fn ok(&self, name: &str, input: Value) -> Done {
        self.call(name, input).await.unwrap()
    }

    async fn fails(&self, name: &str, input: Value) -> String {
        self.call(name, input).await.unwrap_err().message
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.desk.workspace.root().join(path)).unwrap()
    }
}

#[tokio::test]
async fn every_tool_refuses_unknown_arguments_by_name_and_no_path_leads_out() {
    let room = Room::new(&[]);
    let tools = Toolbox::new(&Offer::default(), []);
    for tool in &tools.all {
        let message = room.fails(tool.name(), json!({ "colour": "red" })).await;
        assert!(message.contains("colour"), "{}: {message}", tool.name());
        assert_eq!(tool.schema()["type"], "object");
    }
    for path in ["../outside", "link", "/etc/passwd", "/proc/self/environ"] {
        for (name, input) in [
            ("read_files", json!({ "files": [{ "path": path }] })),
            ("write_file", json!({ "path": path, "content": "x" })),
            ("edit_files", json!({ "edits": [{ "path": path, "old": "secret", "new": "x" }] })),
            ("grep", json!({ "queries": ["."], "path": path })),
            ("file_glob", json!({ "patterns": ["*"], "path": path })),
            ("list_files", json!({ "path": path })),
        ] {
            let message = room.fails(name, input).await;
            assert!(message.contains("outside of the workspace"), "{name} {path}: {message}");
        }
    }
    assert_eq!(fs::read_to_string(room.dir.path().join("outside")).unwrap(), "secret\n");
}

#[test]
fn all_tools_together_are_small() {
    let specs = serde_json::to_string(&Toolbox::new(&Offer::default(), []).specs()).unwrap();
    assert!(specs.len() < 10 << 10, "{} bytes\n{specs}", specs.len());
    assert!(!specs.contains("$schema") && !specs.contains("$ref"));
}

#[tokio::test]
async fn files_are_read_with_numbers_and_in_parts() {
    let many: String = (1..=9).map(|i| format!("line {i}\n")).collect();
    let room = Room::new(&[
        ("a.txt", "one\ntwo"),
        ("many", &many),
        ("bin", "a\0b"),
        ("long", &"x".repeat(5000)),
        ("empty", ""),
    ]);
    let wanted = json!({ "files": [{ "path": "a.txt" }, { "path": "many", "lines": [{ "start": 2, "end": 3 }, { "start": 9, "end": 99 }] },
        { "path": "bin" }, { "path": "gone" }, { "path": "." }, { "path": "empty" }] });
    let done = room.ok("read_files", wanted).await;
    for expected in [
        "== a.txt\n1\tone\n2\ttwo\n",
        "2\tline 2\n3\tline 3\n[…]\n9\tline 9\n",
        "binary",
        "[the file is empty]",
    ] {
        assert!(done.content.contains(expected), "{expected} is not in {}", done.content);
    }
    let failed: Vec<_> =
        done.output["failed_files"].as_array().unwrap().iter().map(|f| f["path"].clone()).collect();
    assert_eq!(failed, ["bin", "gone", "."]);
    assert_eq!(done.output["files"][1]["lines"][0]["start"], 2);
    let long = room.ok("read_files", json!({ "files": [{ "path": "long" }] })).await;
    assert!(long.content.len() < 2200 && long.content.contains("3000 bytes more"), "{}", long.content);
    assert!(
        room.fails("read_files", json!({ "files": [{ "path": "gone" }] })).await.contains("No such file")
    );
}

#[tokio::test]
async fn a_large_file_is_read_no_further_than_it_is_shown() {
    let line = format!("{}\n", "y".repeat(99));
    let room = Room::new(&[("large", &line.repeat(40_000))]);
    let done = room.ok("read_files", json!({ "files": [{ "path": "large" }] })).await;
    assert!(done.content.len() < 70 << 10 && done.content.contains("[… cut at line"));
}

#[tokio::test]
async fn files_are_found_as_a_developer_sees_them() {
    let room = Room::new(&[
        (".gitignore", "target/\n"),
        (".git/config", "secret"),
        (".github/ci.yml", "on: push"),
        ("src/a.rs", "fn a() {}\nfn b() {}\n"),
        ("src/deep/c.rs", "fn c() {}\n"),
        ("target/d.rs", "fn d() {}\n"),
        ("README", "fn in text\n"),
    ]);
    let glob = room.ok("file_glob", json!({ "patterns": ["*.rs", "**/*.yml"] })).await;
    assert_eq!(glob.output["files"], json!([".github/ci.yml", "src/a.rs", "src/deep/c.rs"]));
    let list = room.ok("list_files", json!({})).await;
    assert_eq!(list.output["files"], json!([".github/", ".gitignore", "README", "link", "src/"]));
    let list = room.ok("list_files", json!({ "path": "src", "depth": 2 })).await;
    assert_eq!(list.output["files"], json!(["src/a.rs", "src/deep/", "src/deep/c.rs"]));
    let grep = room.ok("grep", json!({ "queries": ["fn [bc]", "push$"] })).await;
    assert_eq!(grep.content, ".github/ci.yml:1:on: push\nsrc/a.rs:2:fn b() {}\nsrc/deep/c.rs:1:fn c() {}\n");
    assert_eq!(grep.output["files"][1], json!({ "path": "src/a.rs", "lines": [2] }));
    let grep = room.ok("grep", json!({ "queries": ["fn"], "include": ["*.rs"], "path": "src/deep" })).await;
    assert_eq!(grep.content, "src/deep/c.rs:1:fn c() {}\n");
    let linked = room.ok("grep", json!({ "queries": ["secret"] })).await;
    assert_eq!(linked.content, "nothing was found\n", "a link out of the workspace is not followed");
    assert!(room.fails("grep", json!({ "queries": ["("] })).await.contains("queries"));
}

#[tokio::test]
async fn edits_are_all_made_or_none() {
    let room = Room::new(&[("a", "one\ntwo\n"), ("b", "three\n")]);
    let edit = |path: &str, old: &str, new: &str| json!({ "path": path, "old": old, "new": new });
    let message = room
        .fails(
            "edit_files",
            json!({ "edits": [edit("a", "one", "1"), edit("b", "four", "4"), edit("c", "x", "y")] }),
        )
        .await;
    assert!(message.contains("edit 2 of 'b': `old` is not in the file"), "{message}");
    assert!(message.contains("edit 3 of 'c': it does not exist; use write_file"), "{message}");
    assert!(message.ends_with("nothing was changed"));
    assert_eq!(room.read("a"), "one\ntwo\n");
    let done = room.ok("edit_files", json!({ "title": "t", "edits": [edit("a", "one", "1"), edit("a", "1\n", "1!\n"), edit("b", "three", "3")] })).await;
    assert_eq!((room.read("a").as_str(), room.read("b").as_str()), ("1!\ntwo\n", "3\n"));
    let diff = done.output["diff"].as_str().unwrap();
    assert_eq!(
        diff,
        "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-one\n+1!\n two\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-three\n+3\n"
    );
    let input = json!({ "title": "t", "edits": [edit("a", "x", "y"), edit("a", "x", "y")] });
    let shown =
        Toolbox::new(&Offer::default(), []).find("edit_files").unwrap().shown(input.as_object().unwrap());
    assert_eq!(Value::Object(shown), json!({ "title": "t", "file_paths": ["a"] }));
}

#[tokio::test]
async fn files_are_written_with_their_directories() {
    let room = Room::new(&[("a", "old\n")]);
    let done = room.ok("write_file", json!({ "path": "x/y/z", "content": "hi\n" })).await;
    assert_eq!((done.content.as_str(), room.read("x/y/z").as_str()), ("created x/y/z: 3 bytes", "hi\n"));
    let done = room.ok("write_file", json!({ "path": "a", "content": "new\n" })).await;
    assert!(done.output["diff"].as_str().unwrap().contains("-old\n+new"), "{:?}", done.output);
    assert!(
        room.fails("write_file", json!({ "path": "x", "content": "" })).await.contains("not a regular file")
    );
}

#[tokio::test]
async fn artifacts_and_the_end_are_effects() {
    let room = Room::new(&[]);
    let pull = json!({ "artifact_type": "PULL_REQUEST", "data": { "url": "https://h/1", "branch": "b" } });
    let Effect::Artifact(artifact) = room.ok("report_artifact", pull).await.effect else {
        panic!("no artifact")
    };
    assert_eq!(artifact, Artifact::PullRequest { url: "https://h/1".into(), branch: "b".into() });
    let wrong =
        json!({ "artifact_type": "EXTERNAL_REFERENCE", "data": { "url": "u", "reference_type": "" } });
    assert!(room.fails("report_artifact", wrong).await.contains("data.reference_type"));
    let end = room.ok("finish", json!({ "summary": "done" })).await.effect;
    assert_eq!(end, Effect::Finish { success: true, summary: "done".into() });
}

#[test]
fn the_web_is_offered_only_to_who_may_use_it() {
    use oz_core::permission::{PermissionLevel as Level, Permissions};
    let names = |level: Option<Level>, search: &str| {
        let permissions = Permissions { call_web_tools: level, ..Permissions::default() };
        let env = |name: &str| (name == "OZ_WEB_SEARCH_URL").then(|| search.to_owned());
        let tools =
            Toolbox::new(&Offer::new(&permissions, &BTreeMap::new(), &Network::default(), &env).unwrap(), []);
        tools
            .names()
            .into_iter()
            .filter(|name| name.contains("url") || name.contains("web"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let url = "http://127.0.0.1:8888/search";
    for level in [None, Some(Level::Never), Some(Level::AlwaysAsk), Some(Level::AgentDecides)] {
        assert!(names(level.clone(), url).is_empty(), "{level:?}");
    }
    assert_eq!(names(Some(Level::AlwaysAllow), ""), ["fetch_url"]);
    assert_eq!(names(Some(Level::AlwaysAllow), url), ["fetch_url", "web_search"]);
}
