use super::{clone::plans, *};
use crate::driver::git::Logins;
use oz_core::config::SourceRepo;
use std::{fs, path::PathBuf};

type Variables = BTreeMap<String, String>;
const LIMIT: Duration = Duration::from_secs(60);

fn repo(url: &str, checkout_ref: Option<&str>) -> SourceRepo {
    SourceRepo { url: url.into(), checkout_ref: checkout_ref.map(str::to_owned) }
}

#[test]
fn the_calls_of_git() {
    let calls = |url: &str, reference: Option<&str>, mirror: Option<&str>| {
        let plans = plans(&repo(url, reference), "d", mirror.map(Path::new));
        let plan =
            |plan: &Vec<Vec<String>>| plan.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join("; ");
        plans.iter().map(plan).collect::<Vec<_>>()
    };
    let (https, commit, whole) = ("https://h/o/r.git", "0123abc", "0123456789012345678901234567890123456789");
    for (url, reference, mirror, expected) in [
        (https, None, None, &["clone --quiet --depth 1 -- https://h/o/r.git d"][..]),
        ("/srv/r", None, None, &["clone --quiet -- /srv/r d"]),
        ("file:///srv/r", None, None, &["clone --quiet -- file:///srv/r d"]),
        ("git@h:o/r", Some("main"), None, &["clone --quiet --depth 1 --branch main -- git@h:o/r d"]),
        (
            https,
            Some(commit),
            None,
            &["clone --quiet --no-checkout -- https://h/o/r.git d; -C d checkout --quiet 0123abc --"],
        ),
        (
            https,
            Some(whole),
            None,
            &[
                "init --quiet d; -C d remote add origin https://h/o/r.git; \
                 -C d fetch --quiet --depth 1 origin 0123456789012345678901234567890123456789; \
                 -C d checkout --quiet --detach FETCH_HEAD",
                "clone --quiet --no-checkout -- https://h/o/r.git d; \
                 -C d checkout --quiet 0123456789012345678901234567890123456789 --",
            ],
        ),
        (
            https,
            Some("v1"),
            Some("/c/m"),
            &[
                "clone --quiet --reference-if-able /c/m --dissociate --depth 1 --branch v1 -- https://h/o/r.git d",
                "clone --quiet --depth 1 --branch v1 -- https://h/o/r.git d",
            ],
        ),
    ] {
        assert_eq!(calls(url, reference, mirror), expected);
    }
}

#[test]
fn names_are_unique() {
    let repos = [repo("https://a/x", None), repo("https://b/x.git", None), repo("https://c/y", None)];
    assert_eq!(directories(&repos), ["x", "x-2", "y"]);
}

struct Room {
    dir: tempfile::TempDir,
    env: Variables,
    household: Household,
    redactor: Redactor,
    network: Network,
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
        let room = Self {
            dir,
            env,
            household: Household::new(),
            redactor: Redactor::default(),
            network: Network::default(),
        };
        fs::create_dir(room.dir.path().join("w")).unwrap();
        let script = "git init -q -b main origin && cd origin && echo one > f && git add f && git commit -qm one && git tag v1 \
                      && echo two > f && git commit -qam two && git rev-parse HEAD~1 > ../commit";
        room.run(script).await.unwrap();
        room
    }

    fn shell(&self) -> Shell<'_> {
        Shell { env: &self.env, household: &self.household, redactor: &self.redactor, network: &self.network }
    }

    async fn run(&self, script: &str) -> Result<(), String> {
        self.shell().run(&["/bin/sh", "-c", script], self.dir.path(), LIMIT, None).await
    }

    fn origin(&self) -> String {
        self.dir.path().join("origin").to_string_lossy().into_owned()
    }

    /// Clones into the directory `name`.
    async fn clone(&self, repo: &SourceRepo, name: &str) -> Result<String, String> {
        let (cwd, logins) = (self.dir.path().join("w"), Logins::default());
        let cloning = Cloning { cwd: &cwd, shell: self.shell(), logins: &logins, cache: None };
        cloning.clone(repo, name).await
    }
}

#[tokio::test]
async fn a_repository_is_there_at_the_wanted_place() {
    let room = Room::new().await;
    let commit = fs::read_to_string(room.dir.path().join("commit")).unwrap();
    for (reference, content) in [(None, "two\n"), (Some("v1"), "one\n"), (Some(commit.trim()), "one\n")] {
        let detail = room.clone(&repo(&room.origin(), reference), "d").await.unwrap();
        let made: PathBuf = room.dir.path().join("w/d");
        assert_eq!(fs::read_to_string(made.join("f")).unwrap(), content, "{reference:?}");
        assert!(detail.starts_with("cloned "), "{detail}");
        let again = room.clone(&repo(&room.origin(), None), "d").await.unwrap();
        assert!(again.ends_with("was there"), "{again}");
        fs::remove_dir_all(made).unwrap();
    }
}

#[tokio::test]
async fn a_failed_clone_is_named_without_its_password_and_leaves_nothing() {
    let room = Room::new().await;
    let problem = room.clone(&repo("http://me:secret@127.0.0.1:9/o/r", None), "r").await.unwrap_err();
    assert!(
        problem.contains("cloning 'http://127.0.0.1:9/o/r' failed") && problem.contains("exit code 128"),
        "{problem}"
    );
    assert!(!problem.contains("secret"), "{problem}");
    let problem = room.clone(&repo(&room.origin(), Some("nope")), "origin").await.unwrap_err();
    assert!(problem.contains("nope"), "{problem}");
    assert!(!room.dir.path().join("w/origin").exists());
}

#[tokio::test]
async fn hooks_of_the_user_do_not_run_in_a_clone() {
    let room = Room::new().await;
    let script = "mkdir hooks && printf '#!/bin/sh\\ntouch \"$HOME/hooked\"\\n' > hooks/post-checkout && chmod +x hooks/post-checkout \
                  && git config --global core.hooksPath \"$HOME/hooks\"";
    room.run(script).await.unwrap();
    room.clone(&repo(&room.origin(), None), "origin").await.unwrap();
    assert!(!room.dir.path().join("hooked").exists());
}

#[tokio::test]
async fn a_setup_command_that_fails_is_told_with_its_last_lines() {
    let room = Room::new().await;
    let live = Live::default();
    let set_up =
        |command: &'static str, limit| set_up(2, command, room.dir.path(), room.shell(), limit, &live);
    set_up("test \"$CI\" = true && echo a > order", LIMIT).await.unwrap();
    assert!(room.dir.path().join("order").exists());
    let problem = set_up("seq 100; echo because >&2; exit 7", LIMIT).await.unwrap_err();
    for expected in ["setup command 2 `seq 100;", "exit code 7", "\n52\n", "\nbecause"] {
        assert!(problem.contains(expected), "{expected:?} is not in {problem}");
    }
    assert!(!problem.contains("\n51\n"), "{problem}");
    let problem = set_up("echo begun; sleep 60", Duration::from_secs(1)).await.unwrap_err();
    assert!(problem.contains("did not end within 1 s and was killed\nbegun"), "{problem}");
}
