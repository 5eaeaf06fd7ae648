//! Repositories: real git, over HTTP where a login is asked for.

use super::{git_http::GitHttp, *};
use crate::local::Local;
use oz_core::config::SourceRepo;
use serde_json::json;
use std::{io::Read as _, os::unix::fs::PermissionsExt as _, path::Path};

const PASSWORD: &str = "git-canary/0123+456";
const HELPER: &str = "OZ_TEST_OPERATION";

/// What `oz git-credential` does, for the test program that stands in for it.
#[test]
fn stands_in_for_oz() {
    let Ok(operation) = std::env::var(HELPER) else { return };
    let mut attributes = String::new();
    std::io::stdin().read_to_string(&mut attributes).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = Local::of(|name| std::env::var(name).ok()).unwrap();
    let answer = runtime.block_on(local.answer_git(&operation, &attributes)).unwrap();
    for line in answer.lines() {
        println!("\nanswer:{line}");
    }
}

impl Room {
    /// A program that git can call like `oz`.
    fn oz(&self) -> PathBuf {
        let path = self.dir.path().join("o z");
        let test = std::env::current_exe().unwrap();
        let text = format!(
            "#!/bin/sh\n{HELPER}=\"$2\" '{}' --exact driver::tests::git::stands_in_for_oz --nocapture | sed -n 's/^answer://p'\n",
            test.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A bare repository `me/NAME.git`, and a server for it.
    fn bare(&self, name: &str) -> PathBuf {
        let root = self.dir.path().join("git");
        let bare = root.join(format!("me/{name}.git"));
        let script = format!(
            "set -e; mkdir -p '{0}'; git init -q --bare -b main '{0}'; git -C '{0}' config http.receivepack true
             git -C '{0}' config uploadpack.allowAnySHA1InWant true
             rm -rf '{0}.w'; git init -q -b main '{0}.w'; cd '{0}.w'; echo one > f; git add f; git commit -qm one
             echo {name} again > f; git commit -qam two; git push -q '{0}' main; git rev-parse HEAD~1 > '{0}.first'",
            bare.display()
        );
        let made = std::process::Command::new("sh")
            .args(["-c", &script])
            .envs([("GIT_AUTHOR_NAME", "n"), ("GIT_AUTHOR_EMAIL", "e"), ("GIT_COMMITTER_NAME", "n")])
            .env("GIT_COMMITTER_EMAIL", "e")
            .status();
        assert!(made.unwrap().success());
        root
    }
}

fn clones(urls: &[String]) -> AgentConfig {
    let repo = |url: &String| SourceRepo { url: url.clone(), checkout_ref: None };
    AgentConfig { source_repos: urls.iter().map(repo).collect(), ..AgentConfig::default() }
}

fn stages(events: &[DriverEvent]) -> Vec<(String, bool, String)> {
    let stage = |event: &DriverEvent| match event {
        DriverEvent::Event { event: HarnessEvent::Stage { name, ok, detail, .. } } => {
            Some((name.clone(), *ok, detail.clone().unwrap_or_default()))
        }
        _ => None,
    };
    events.iter().filter_map(stage).collect()
}

/// No file under `dir` holds the text.
fn nowhere(dir: &Path, text: &str) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            nowhere(&path, text);
        } else if let Ok(content) = fs::read(&path) {
            let found = content.windows(text.len()).any(|w| w == text.as_bytes());
            assert!(!found, "{} holds {text}", path.display());
        }
    }
}

#[tokio::test]
async fn a_private_repository_is_cloned_and_pushed_to_with_a_login_that_nobody_sees() {
    let room = Room::new();
    let server = GitHttp::start(&room.bare("app"), Some(("x-access-token", PASSWORD))).await;
    let plane = Plane::start("shell", clones(&[server.url("me/app.git")])).await;
    plane.lock().credentials = Some(json!({ "secrets": [], "git": [
        { "host": server.host, "username": "x-access-token", "password": PASSWORD } ] }));
    room.script(
        "env > ../env; ps -eo args > ../ps 2>/dev/null
         echo 'protocol=http\nhost=other.example\n' | git credential fill > ../other 2>&1
         printf 'protocol=http\\nhost=%s\\n\\n' $(git remote get-url origin | cut -d/ -f3) | git credential fill
         git checkout -q -b fix && git commit -q --allow-empty -m x && git push -q origin fix && echo pushed",
    );
    let mut options = room.task(&plane);
    options.oz = room.oz();
    let (finished, events) = drive_all(options).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    assert_eq!(stages(&events)[0].0, "setup_environment_repo_clone");
    let shown = format!("{events:?}");
    assert!(shown.contains("pushed") && shown.contains("password=***"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(
        !serde_json::to_string(&plane.lock().calls.iter().map(|c| &c.1).collect::<Vec<_>>())
            .unwrap()
            .contains("git-canary")
    );
    let other = fs::read_to_string(room.path("other")).unwrap();
    assert!(!other.contains("password"), "{other}");
    nowhere(&room.path(""), "git-canary");
    let env = fs::read_to_string(room.path("env")).unwrap();
    let socket = env.lines().find_map(|line| line.strip_prefix("OZ_GIT_SOCKET=")).unwrap();
    assert!(!socket.starts_with(room.path("").to_str().unwrap()));
    assert!(!Path::new(socket).parent().unwrap().exists(), "it ends with the run");
}

#[tokio::test]
async fn a_missing_login_is_told_with_what_would_help() {
    let room = Room::new();
    let server = GitHttp::start(&room.bare("app"), Some(("me", PASSWORD))).await;
    let plane = Plane::start("shell", clones(&[server.url("me/app.git")])).await;
    let login = json!({ "host": "gitlab.com", "username": "oauth2", "password": PASSWORD });
    for (credentials, expected) in
        [(None, "no git logins"), (Some(json!([login])), "git logins for gitlab.com;")]
    {
        plane.lock().credentials = credentials.map(|git| json!({ "secrets": [], "git": git }));
        let (finished, events) = drive_all(room.task(&plane)).await;
        let message = finished.status.message;
        assert_eq!(
            (finished.state, finished.status.error_code),
            (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed))
        );
        let advice = format!("--git-credential {}=SECRET", server.host);
        for part in [expected, &advice, "me/app.git' failed", "could not read Username"] {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
        assert_eq!(
            stages(&events).last().unwrap(),
            &("setup_environment_repo_clone".to_owned(), false, message)
        );
    }
}

#[tokio::test]
async fn a_login_in_an_address_works_and_is_not_shown() {
    let room = Room::new();
    let server = GitHttp::start(&room.bare("app"), Some(("me", PASSWORD))).await;
    let url = format!("http://me:{}@{}/me/app.git", PASSWORD.replace('/', "%2F"), server.host);
    let source = Source::Local { prompt: "shell".into(), config: clones(&[url]), client: None };
    room.script("git remote -v; git fetch -q && echo fetched");
    let mut options = room.options(source);
    options.oz = room.oz();
    let (finished, events) = drive_all(options).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    let shown = format!("{events:?}");
    assert!(shown.contains("fetched") && !shown.contains("canary"), "{shown}");
    nowhere(&room.path("app"), "canary");
}

#[tokio::test]
async fn repositories_are_cloned_side_by_side_each_with_its_own_stage() {
    let room = Room::new();
    room.bare("one");
    let server = GitHttp::start(&room.bare("two"), None).await;
    let first = fs::read_to_string(room.dir.path().join("git/me/two.git.first")).unwrap();
    let mut config = clones(&[server.url("me/one.git"), server.url("me/two.git")]);
    config.source_repos[1].checkout_ref = Some(first.trim().to_owned());
    let plane = Plane::start("shell", config).await;
    room.script("cat one/f two/f; git -C two rev-list --count HEAD; git -C two status -sb");
    let (finished, events) = drive_all(room.task(&plane)).await;
    assert_eq!(finished.state, RunState::Succeeded, "{}", finished.status.message);
    let mut details: Vec<String> = stages(&events).into_iter().map(|(_, _, detail)| detail).collect();
    details.sort();
    let expected = [
        format!("cloned {}", server.url("me/one.git")),
        format!("cloned {} at {}", server.url("me/two.git"), first.trim()),
    ];
    assert_eq!(details, expected);
    let shown = format!("{events:?}");
    // One commit of two, without the branch.
    assert!(shown.contains("one again\\none\\n1\\n## HEAD (no branch)"), "{shown}");
}

#[tokio::test]
async fn a_mirror_makes_clones_faster_and_never_stands_in_for_the_host() {
    let room = Room::new();
    let server = GitHttp::start(&room.bare("app"), None).await;
    let cache = room.dir.path().join("cache");
    let clone = async |server: &GitHttp| {
        let plane = Plane::start("shell", clones(&[server.url("me/app.git")])).await;
        let _ = fs::remove_dir_all(room.path("app"));
        room.script(
            "cat f; git fsck --connectivity-only; test ! -e .git/objects/info/alternates && echo alone",
        );
        let mut options = room.task(&plane);
        options.env.insert("OZ_GIT_CACHE_DIR".into(), cache.to_string_lossy().into_owned());
        let (finished, events) = drive_all(options).await;
        (finished, format!("{events:?}"))
    };
    let mirror = || {
        let mirrors = fs::read_dir(&cache).unwrap().flatten().map(|e| e.path());
        mirrors.filter(|path| path.extension().is_some_and(|e| e == "git")).collect::<Vec<_>>()
    };
    for round in ["made", "used", "broken", "replaced"] {
        let before = server.fetches();
        let (finished, shown) = clone(&server).await;
        assert_eq!(finished.state, RunState::Succeeded, "{round}: {}", finished.status.message);
        assert!(shown.contains("alone") && shown.contains("app again\\n"), "{round}: {shown}");
        assert!(!shown.contains("OZ_GIT_CACHE_DIR"));
        let [mirror] = mirror().try_into().unwrap();
        let fetches = server.fetches() - before;
        match round {
            "made" => assert!(fetches > 1, "the mirror and the clone"),
            _ => assert!(fetches > 0, "{round}: the host was not asked"),
        }
        if round == "used" {
            // Neither fresh nor whole.
            fs::remove_file(mirror.join("oz-updated")).unwrap();
            fs::remove_dir_all(mirror.join("objects")).unwrap();
            fs::write(mirror.join("objects"), "").unwrap();
        }
    }
    // A mirror that is there does not let anybody in.
    server.lock(Some(("me", PASSWORD)));
    let (finished, _) = clone(&server).await;
    assert_eq!(finished.status.error_code, Some(ErrorCode::EnvironmentSetupFailed));
    assert!(finished.status.message.contains("no git logins"), "{}", finished.status.message);
    assert!(!room.path("app").exists());
    assert_eq!(mirror().len(), 1, "the mirror is not to blame");
}
