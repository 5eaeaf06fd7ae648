use super::*;
use crate::cli::{Cli, Command};
use clap::Parser as _;
use serde_json::{Value, json};

/// What the environment of `config` becomes by a command line.
fn changed(config: &Value, line: &[&str]) -> Value {
    let cli = Cli::try_parse_from([&["oz", "environment", "update", "I"], line].concat()).unwrap();
    let Some(Command::Environment(crate::cmd::EnvironmentCommand::Update(args))) = cli.command else {
        panic!("{line:?}")
    };
    let mut config: EnvironmentConfig = serde_json::from_value(config.clone()).unwrap();
    apply(&mut config, *args).unwrap();
    serde_json::to_value(config).unwrap()
}

fn before() -> Value {
    json!({ "name": "app", "description": "old", "docker_image": "rust:1", "github_repos": [],
        "setup_commands": ["a", "b"], "environment_variables": { "A": "1", "B": "2" },
        "git_credentials": [{ "host": "github.com", "secret": "T" }], "secrets": [{ "name": "T" }],
        "providers": { "aws": { "role_arn": "arn:aws:iam::1:role/a" } }, "default_worker_host": "h",
        "setup_timeout_seconds": 60, "failure_session_retention_minutes": 5, "default_runner_uid": "r" })
}

#[test]
fn what_is_not_named_stays() {
    assert_eq!(changed(&before(), &["--force"]), before());
    let mut expected = before();
    expected["description"] = Value::Null;
    expected["setup_commands"] = json!(["b", "c"]);
    expected["environment_variables"] = json!({ "B": "3" });
    let line = [
        "--remove-description",
        "-c",
        "c",
        "--remove-setup-command",
        "a",
        "--remove-setup-command",
        "x",
        "--env",
        "B=3",
        "--remove-env",
        "A",
        "--remove-env",
        "X",
    ];
    assert_eq!(changed(&before(), &line), expected);
}

#[test]
fn everything_can_be_removed() {
    let line = "--remove-description --remove-docker-image --remove-setup-command a --remove-setup-command b \
                --remove-env A --remove-env B --remove-git-credential github.com --all-secrets \
                --remove-aws-role-arn --remove-gcp-provider --remove-default-host --remove-setup-timeout \
                --remove-retain-failed --remove-runner";
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(
        changed(&before(), &words),
        json!({ "name": "app", "description": null, "github_repos": [], "setup_commands": [] })
    );
}

#[test]
fn everything_can_be_set() {
    let line = "-n n --description d -d i -r me/app -c x --env K=V --git-credential gitlab.com=G:me --secret A \
                --secret B --secret A --aws-role-arn arn:aws:iam::1:role/b --gcp-provider 1/p/o --default-host w \
                --setup-timeout 2m --retain-failed 10m --runner R";
    let words: Vec<&str> = line.split_whitespace().collect();
    let gcp = json!({ "project_number": "1", "workload_identity_federation_pool_id": "p",
        "workload_identity_federation_provider_id": "o" });
    assert_eq!(
        changed(&json!({ "name": "" }), &words),
        json!({ "name": "n", "description": "d", "docker_image": "i",
            "github_repos": [{ "owner": "me", "repo": "app" }], "setup_commands": ["x"],
            "environment_variables": { "K": "V" },
            "git_credentials": [{ "host": "gitlab.com", "secret": "G", "username": "me" }],
            "secrets": [{ "name": "A" }, { "name": "B" }],
            "providers": { "aws": { "role_arn": "arn:aws:iam::1:role/b" }, "gcp": gcp },
            "default_worker_host": "w", "setup_timeout_seconds": 120, "failure_session_retention_minutes": 10,
            "default_runner_uid": "R" })
    );
}

#[test]
fn a_list_of_secrets_is_not_the_same_as_none() {
    let secrets = |config: Value, line: &[&str]| changed(&config, line).get("secrets").cloned();
    let absent = || json!({ "name": "n" });
    let listed = || json!({ "name": "n", "secrets": [{ "name": "A" }] });
    assert_eq!(secrets(absent(), &["--no-secrets"]), Some(json!([])));
    assert_eq!(secrets(absent(), &["--remove-secret", "A"]), None);
    assert_eq!(secrets(listed(), &["--remove-secret", "A"]), Some(json!([])));
    assert_eq!(secrets(listed(), &["--remove-secret", "A", "--secret", "B"]), Some(json!([{ "name": "B" }])));
    assert_eq!(secrets(listed(), &["--all-secrets"]), None);
}
