//! git, which every run with a repository needs.

use super::{
    report::Check,
    tool::{Answer, LIMIT, ask, version},
};

/// The oldest version that gives a run a configuration of its own (`GIT_CONFIG_GLOBAL`).
const OLDEST: (u32, u32) = (2, 32);

pub(super) async fn checks(path: &str) -> Vec<Check> {
    let git = program(ask("git", &["--version"], path, LIMIT).await);
    let there = git.fix.is_none();
    let mut checks = vec![git];
    if there {
        checks.push(author(path).await);
    }
    checks
}

fn program(answer: Answer) -> Check {
    let install = if cfg!(target_os = "macos") { "brew install git" } else { "sudo apt-get install git" };
    match answer {
        Answer::Missing => Check::problem("git", "not installed; runs can't clone repositories", install),
        Answer::Silent => Check::problem("git", "`git --version` does not answer", "type -a git"),
        Answer::Failed(why) => Check::problem("git", why, install),
        Answer::Said(text) => match version(&text) {
            Some(version) if version >= OLDEST => Check::ok("git", text),
            Some(_) => {
                let (major, minor) = OLDEST;
                Check::problem(
                    "git",
                    format!("{text} is too old; {major}.{minor} or newer is needed"),
                    install,
                )
            }
            None => Check::warning("git", format!("'{text}' names no version"), "type -a git"),
        },
    }
}

/// Commits of agents on this machine carry this name.
async fn author(path: &str) -> Check {
    let asked = async |key| ask("git", &["config", "--get", key], path, LIMIT).await;
    // Without these the command fails in silence.
    let is_set = |answer: &Answer| matches!(answer, Answer::Said(text) if !text.is_empty());
    let (name, email) = (asked("user.name").await, asked("user.email").await);
    match (is_set(&name), is_set(&email)) {
        (true, true) => {
            let text = |answer| if let Answer::Said(text) = answer { text } else { String::new() };
            Check::ok("git-user", format!("{} <{}>", text(name), text(email)))
        }
        (false, _) => Check::warning(
            "git-user",
            "git knows no name to commit with",
            "git config --global user.name \"Your Name\"",
        ),
        (true, false) => Check::warning(
            "git-user",
            "git knows no e-mail address to commit with",
            "git config --global user.email you@example.com",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{Programs, shown},
        *,
    };

    async fn found(script: &str) -> String {
        let programs = Programs::new(&[("git", script)]);
        shown(&checks(programs.path()).await)
    }

    #[tokio::test]
    async fn git_is_there_new_and_knows_who_commits() {
        let known = "case \"$3\" in user.name) echo Ann;; user.email) echo ann@example.com;; *) echo git version 2.43.0;; esac";
        insta::assert_snapshot!(found(known).await, @"
        ok git: git version 2.43.0
        ok git-user: Ann <ann@example.com>
        ");
        let half =
            "case \"$3\" in user.name) echo Ann;; user.email) exit 1;; *) echo git version 2.43.0;; esac";
        insta::assert_snapshot!(found(half).await, @"
        ok git: git version 2.43.0
        warning git-user: git knows no e-mail address to commit with => git config --global user.email you@example.com
        ");
        let nobody = "case \"$1\" in config) exit 1;; *) echo git version 2.43.0;; esac";
        insta::assert_snapshot!(found(nobody).await, @r#"
        ok git: git version 2.43.0
        warning git-user: git knows no name to commit with => git config --global user.name "Your Name"
        "#);
        assert!(
            found("echo git version 2.20.1").await.starts_with("problem git: git version 2.20.1 is too old")
        );
        assert!(found("echo xcrun: error >&2; exit 1").await.starts_with("problem git: xcrun: error"));
        let nothing = shown(&checks(Programs::new(&[]).path()).await);
        assert!(nothing.starts_with("problem git: not installed"), "{nothing}");
    }
}
