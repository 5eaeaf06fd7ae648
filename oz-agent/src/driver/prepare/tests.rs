use super::*;
use std::fs;

fn repo(url: &str, checkout_ref: Option<&str>) -> SourceRepo {
    SourceRepo { url: url.into(), checkout_ref: checkout_ref.map(str::to_owned) }
}

#[test]
fn the_calls_of_git() {
    let calls = |url: &str, reference: Option<&str>| {
        let plan = plan(&repo(url, reference), "d");
        plan.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join("; ")
    };
    let (https, commit) = ("https://h/o/r.git", "0123abc");
    for (url, reference, expected) in [
        (https, None, "clone --quiet --depth 1 -- https://h/o/r.git d"),
        ("/srv/r", None, "clone --quiet -- /srv/r d"),
        ("file:///srv/r", None, "clone --quiet -- file:///srv/r d"),
        ("git@h:o/r", Some("main"), "clone --quiet --depth 1 --branch main -- git@h:o/r d"),
        (
            https,
            Some(commit),
            "clone --quiet --no-checkout -- https://h/o/r.git d; -C d checkout --quiet 0123abc --",
        ),
    ] {
        assert_eq!(calls(url, reference), expected);
    }
}

#[test]
fn names_are_unique_and_credentials_are_not_shown() {
    let repos = [repo("https://a/x", None), repo("https://b/x.git", None), repo("https://c/y", None)];
    assert_eq!(directories(&repos), ["x", "x-2", "y"]);
    for (url, shown) in [
        ("https://me:secret@h/o/r", "https://h/o/r"),
        ("https://h/o/r@v1", "https://h/o/r@v1"),
        ("ssh://git@h/r", "ssh://h/r"),
        ("git@h:o/r", "git@h:o/r"),
        ("/srv/r", "/srv/r"),
    ] {
        assert_eq!(without_credentials(url), shown);
    }
}

struct Room {
    dir: tempfile::TempDir,
    env: Variables,
    household: Household,
}

impl Room {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_string_lossy().into_owned();
        let pairs = [
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", home),
            ("GIT_AUTHOR_NAME", "n".into()),
            ("GIT_AUTHOR_EMAIL", "e".into()),
            ("GIT_COMMITTER_NAME", "n".into()),
            ("GIT_COMMITTER_EMAIL", "e".into()),
            ("GIT_TERMINAL_PROMPT", "0".into()),
        ];
        let env = pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        let room = Self { dir, env, household: Household::new() };
        fs::create_dir(room.dir.path().join("w")).unwrap();
        let script = "git init -q -b main origin && cd origin && echo one > f && git add f && git commit -qm one && git tag v1 \
                      && echo two > f && git commit -qam two && git rev-parse HEAD~1 > ../commit";
        room.run(script).await.unwrap();
        room
    }

    async fn run(&self, script: &str) -> Result<(), String> {
        run(&["/bin/sh", "-c", script], self.dir.path(), &self.env, &self.household, SETUP).await
    }

    fn origin(&self) -> String {
        self.dir.path().join("origin").to_string_lossy().into_owned()
    }

    async fn clone(&self, repos: &[SourceRepo]) -> Result<(PathBuf, String), String> {
        clone(repos, &self.dir.path().join("w"), &self.env, &self.household).await
    }
}

#[tokio::test]
async fn one_repository_becomes_the_workspace_at_the_wanted_place() {
    let room = Room::new().await;
    let commit = fs::read_to_string(room.dir.path().join("commit")).unwrap();
    for (reference, content) in [(None, "two\n"), (Some("v1"), "one\n"), (Some(commit.trim()), "one\n")] {
        let (workspace, detail) = room.clone(&[repo(&room.origin(), reference)]).await.unwrap();
        assert_eq!(workspace, room.dir.path().join("w/origin"));
        assert_eq!(fs::read_to_string(workspace.join("f")).unwrap(), content, "{reference:?}");
        assert!(detail.starts_with("cloned "), "{detail}");
        let (_, again) = room.clone(&[repo(&room.origin(), None)]).await.unwrap();
        assert!(again.ends_with("was there"), "{again}");
        fs::remove_dir_all(workspace).unwrap();
    }
}

#[tokio::test]
async fn several_repositories_lie_side_by_side() {
    let room = Room::new().await;
    let origin = repo(&room.origin(), None);
    let (workspace, _) = room.clone(&[origin.clone(), origin]).await.unwrap();
    assert_eq!(workspace, room.dir.path().join("w"));
    assert!(workspace.join("origin/f").exists() && workspace.join("origin-2/f").exists());
}

#[tokio::test]
async fn a_failed_clone_is_named_without_its_password_and_leaves_nothing() {
    let room = Room::new().await;
    let problem = room.clone(&[repo("http://me:secret@127.0.0.1:9/o/r", None)]).await.unwrap_err();
    assert!(
        problem.contains("cloning 'http://127.0.0.1:9/o/r' failed") && problem.contains("exit code 128"),
        "{problem}"
    );
    assert!(!problem.contains("secret"), "{problem}");
    let problem = room.clone(&[repo(&room.origin(), Some("nope"))]).await.unwrap_err();
    assert!(problem.contains("nope"), "{problem}");
    assert!(!room.dir.path().join("w/origin").exists());
}

#[tokio::test]
async fn hooks_of_the_user_do_not_run_in_a_clone() {
    let room = Room::new().await;
    let script = "mkdir hooks && printf '#!/bin/sh\\ntouch \"$HOME/hooked\"\\n' > hooks/post-checkout && chmod +x hooks/post-checkout \
                  && git config --global core.hooksPath \"$HOME/hooks\"";
    room.run(script).await.unwrap();
    room.clone(&[repo(&room.origin(), None)]).await.unwrap();
    assert!(!room.dir.path().join("hooked").exists());
}

#[tokio::test]
async fn setup_commands_run_in_order_and_the_first_failure_is_told() {
    let room = Room::new().await;
    let commands =
        ["test \"$CI\" = true && echo a > order", "seq 100; echo because >&2; exit 7", "touch never"];
    let commands = commands.map(str::to_owned);
    let here = room.dir.path();
    let problem = set_up(&commands, here, &room.env, &room.household).await.unwrap_err();
    for expected in ["setup command 2 `seq 100;", "exit code 7", "\n52\n", "\nbecause"] {
        assert!(problem.contains(expected), "{expected:?} is not in {problem}");
    }
    assert!(!problem.contains("\n51\n") && here.join("order").exists() && !here.join("never").exists());
}
