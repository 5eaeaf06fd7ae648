//! The environment of what an agent runs. In a run of a worker it is what has a usual name, what names the run, and what
//! somebody has named for it; at a person's own terminal it is the person's, without keys. The choice is pure; only the
//! question whether git knows its user looks at the machine.

use oz_core::{RunId, env};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
};

type Variables = BTreeMap<String, String>;

/// Withheld by name.
const WITHHELD: &[&str] = &[env::API_KEY, env::WARP_API_KEY, env::WORKLOAD_TOKEN, env::BOOTSTRAP_API_KEY];
/// Withheld by the end of the name.
const SECRET: &[&str] = &["_API_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_SECRET_ACCESS_KEY", "_PRIVATE_KEY"];

const NAME: &str = "Oz Agent";
const EMAIL: &str = "agent@oz.invalid";

/// Whether a variable of the host holds a key of the platform or of a model provider.
pub(super) fn is_key(name: &str) -> bool {
    WITHHELD.contains(&name) || [env::ANTHROPIC_API_KEY, env::OPENAI_API_KEY].contains(&name)
}

/// What the commands of a run get of `host`, without `keys` either.
pub(super) fn of_commands(host: &Variables, keys: &[String], run_id: Option<RunId>, cwd: &Path) -> Variables {
    let secret = |name: &str| {
        let upper = name.to_ascii_uppercase();
        WITHHELD.contains(&upper.as_str())
            || upper == env::GIT_CACHE_DIR
            || env::MODEL_PROVIDER.contains(&upper.as_str())
            || env::HARNESS_LOGIN.contains(&upper.as_str())
            || keys.iter().any(|key| key == name)
            || SECRET.iter().any(|end| upper.ends_with(end))
    };
    let of_worker = host.contains_key(env::WORKER_BACKEND);
    let named = host.get(env::AGENT_ENV_PASS).map(String::as_str).unwrap_or_default();
    let meant = |name: &str| {
        !of_worker
            || env::is_plain(name)
            || env::OF_RUN.contains(&name)
            || env::listed(named).any(|listed| listed == name)
    };
    let given = host.iter().filter(|(name, _)| meant(name) && !secret(name) && *name != env::AGENT_ENV_PASS);
    let mut all: Variables = given.map(|(n, v)| (n.clone(), v.clone())).collect();
    if let Some(run_id) = run_id {
        all.insert(env::RUN_ID.to_owned(), run_id.to_string());
    }
    all.entry(env::WORKSPACE_ROOT.to_owned()).or_insert_with(|| cwd.to_string_lossy().into_owned());
    // Nobody could answer.
    all.insert("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned());
    all
}

/// What git needs to commit, unless it knows its user already.
pub(super) async fn git_identity(env: &Variables, workspace: &Path) -> Vec<(String, String)> {
    if git_knows(env, workspace).await {
        return Vec::new();
    }
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("GIT_AUTHOR_NAME", NAME),
        pair("GIT_AUTHOR_EMAIL", EMAIL),
        pair("GIT_COMMITTER_NAME", NAME),
        pair("GIT_COMMITTER_EMAIL", EMAIL),
    ]
}

async fn git_knows(env: &Variables, workspace: &Path) -> bool {
    if ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL", "EMAIL"].iter().any(|name| env.contains_key(*name)) {
        return true;
    }
    // Starting git takes longer than all the rest of the preparation; without a file it knows nothing.
    if !files(env, workspace).iter().any(|file| file.exists()) {
        return false;
    }
    let asked = tokio::process::Command::new("git")
        .args(["config", "--get", "user.email"])
        .current_dir(workspace)
        .env_clear()
        .envs(env)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status();
    asked.await.is_ok_and(|status| status.success())
}

/// Where git could be told who its user is.
fn files(env: &Variables, workspace: &Path) -> Vec<PathBuf> {
    let path = |name: &str| env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let mut files: Vec<PathBuf> = workspace.ancestors().map(|dir| dir.join(".git")).collect();
    files.push(path("GIT_CONFIG_SYSTEM").unwrap_or_else(|| "/etc/gitconfig".into()));
    files.extend(path("GIT_CONFIG_GLOBAL"));
    files.extend(path("GIT_CONFIG_COUNT").map(|_| PathBuf::from("/")));
    if let Some(home) = path("HOME") {
        files.push(home.join(".gitconfig"));
        files.push(path("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("git/config"));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn nothing_secret_is_left_and_everything_else_is() {
        let names = [
            "WARP_API_KEY",
            "OZ_API_KEY",
            "WARP_WORKLOAD_TOKEN",
            "OZ_BOOTSTRAP_API_KEY",
            "ANTHROPIC_API_KEY",
            "OZ_MODEL",
            "OPENAI_BASE_URL",
            "GITHUB_TOKEN",
            "my_password",
            "CLIENT_SECRET",
            "AWS_SECRET_ACCESS_KEY",
        ];
        let mut host: Variables = names.iter().map(|n| ((*n).to_owned(), "canary".to_owned())).collect();
        host.extend(variables(&[
            ("PATH", "/bin"),
            ("HOME", "/h"),
            ("OZ_EXECUTION_ID", "e"),
            ("TOKENIZER", "t"),
            ("ROUTER", "canary"),
        ]));
        let run_id: RunId = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e".parse().unwrap();
        let all = of_commands(&host, &["ROUTER".to_owned()], Some(run_id), Path::new("/w"));
        let expected = variables(&[
            ("PATH", "/bin"),
            ("HOME", "/h"),
            ("OZ_EXECUTION_ID", "e"),
            ("TOKENIZER", "t"),
            ("OZ_RUN_ID", "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e"),
            ("OZ_WORKSPACE_ROOT", "/w"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ]);
        assert_eq!(all, expected);
    }

    #[test]
    fn a_run_of_a_worker_gets_only_what_is_meant_for_it() {
        let host = variables(&[
            ("OZ_WORKER_BACKEND", "direct"),
            ("OZ_AGENT_ENV_PASS", "MINE, MY_TOKEN"),
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("OZ_EXECUTION_ID", "e"),
            ("MINE", "m"),
            ("MY_TOKEN", "canary"),
            ("DATABASE", "canary"),
            ("KUBECONFIG", "canary"),
            ("SSH_AUTH_SOCK", "canary"),
        ]);
        let all = of_commands(&host, &[], None, Path::new("/w"));
        let expected = variables(&[
            ("OZ_WORKER_BACKEND", "direct"),
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("OZ_EXECUTION_ID", "e"),
            ("MINE", "m"),
            ("OZ_WORKSPACE_ROOT", "/w"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ]);
        assert_eq!(all, expected);
        let own: Variables = host.into_iter().filter(|(name, _)| name != "OZ_WORKER_BACKEND").collect();
        assert_eq!(
            of_commands(&own, &[], None, Path::new("/w"))["KUBECONFIG"],
            "canary",
            "at one's own terminal"
        );
    }

    #[tokio::test]
    async fn git_gets_a_user_only_when_it_has_none() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_string_lossy().into_owned();
        let path = std::env::var("PATH").unwrap();
        let env = variables(&[
            ("HOME", &home),
            ("PATH", &path),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_SYSTEM", "/none"),
        ]);
        assert_eq!(git_identity(&env, dir.path()).await.len(), 4);
        std::fs::write(dir.path().join(".gitconfig"), "[core]\n\tpager = cat\n").unwrap();
        assert_eq!(git_identity(&env, dir.path()).await.len(), 4);
        std::fs::write(dir.path().join(".gitconfig"), "[user]\n\temail = me@here\n").unwrap();
        assert_eq!(git_identity(&env, dir.path()).await, []);
        let own = variables(&[("GIT_AUTHOR_EMAIL", "x")]);
        assert_eq!(git_identity(&own, dir.path()).await, []);
    }
}
