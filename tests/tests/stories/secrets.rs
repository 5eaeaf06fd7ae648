//! Secrets: what they open, and that they are found nowhere.

use oz_client::{Client, NewSecret};
use oz_core::{
    ErrorCode, RunId, RunState,
    api::{CreateInvitation, ListSecretLog, ReadLog},
    config::{AgentConfig, GitCredential, SecretRef, SourceRepo},
};
use oz_tests::{
    World, canary,
    git_http::GitHost,
    world::{Options, oz_binary},
};
use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

/// With what percent, base64 and JSON change.
const TOKEN: &str = "glpat-Zr8/x+Q3\"w~&7kT2mVbN9s?";

const SCRIPT: &str = r#"
scripts:
  - match: open the vault
    turns:
      - tool_calls: [{ name: run_command, input: { command: "cat plans.txt && git fetch origin && git log --oneline -1" } }]
      - expect: forty barrels
        tool_calls: [{ name: run_command, input: { command: "echo 'nothing left' > plans.txt && git commit -qam Empty && git push -q origin HEAD:main; git remote -v; git config --list; env" } }]
      - tool_calls: [{ name: run_command, input: { command: "printf %s \"$VAULT_TOKEN\"; echo; printf %s \"$VAULT_TOKEN\" | base64; printf %s \"x$VAULT_TOKEN\" | base64; printf %s \"$VAULT_TOKEN\" | od -An -v -tx1 | tr -d ' \\n'" } }]
      - tool_calls: [{ name: run_command, input: { command: "for c in $(printf %s \"$VAULT_TOKEN\" | sed 's/./& /g'); do printf %s \"$c\"; sleep 0.005; done" } }]
      - tool_calls: [{ name: finish, input: { summary: The vault is empty. } }]
  - match: show the letters
    turns:
      - tool_calls: [{ name: run_command, input: { command: "echo TEAM=${TEAM_LETTER:+set} OWN=${OWN_LETTER:+set}" } }]
      - tool_calls: [{ name: finish, input: { summary: Shown. } }]
"#;

/// A bare repository with one file, as a git host has it.
fn vault(world: &World) {
    let repo = world.git_repo("vault", &[("plans.txt", "forty barrels\n")]);
    let hosted = world.path().join("hosted");
    fs::create_dir_all(&hosted).unwrap();
    world.git(&hosted, &["clone", "--quiet", "--bare", &repo, "vault.git"]);
}

/// `oz` with something to read on standard input.
fn oz_reads(world: &World, args: &[&str], input: &str) -> String {
    let mut command = world.oz_command();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    oz_tests::Oz::from(child.wait_with_output().unwrap()).success()
}

/// Everything that the run's log says.
async fn log_of(world: &World, run_id: RunId) -> String {
    let page = world.client().send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap();
    serde_json::to_string(&page).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_repository_is_cloned_and_its_token_is_found_nowhere() {
    let world = World::scripted(SCRIPT);
    vault(&world);
    let host = GitHost::start(&world.path().join("hosted"), TOKEN).await;
    let watch = canary::ProcessWatch::start(TOKEN);
    oz_reads(&world, &["secret", "create", "VAULT_TOKEN", "-d", "opens the vault"], TOKEN);
    let login = format!("{}=VAULT_TOKEN", host.host());
    let url = host.url("vault.git");
    let made = world.oz(&[
        "environment",
        "create",
        "-n",
        "vault",
        "-r",
        &url,
        "--git-credential",
        &login,
        "-c",
        "git remote -v",
        "--output-format",
        "json",
    ]);
    let made: Value = serde_json::from_str(&made.success()).unwrap();
    let config =
        AgentConfig { environment_id: made["uid"].as_str().map(str::to_owned), ..AgentConfig::default() };
    // Twice: the second clone finds a mirror.
    let run_id = world.dispatch("open the vault", config.clone()).await;
    let run = world.wait(run_id).await;
    let log = log_of(&world, run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{log}", run.status_message);
    assert_eq!(run.secrets.unwrap().given, ["VAULT_TOKEN"]);
    let again = world.dispatch("show the letters", config).await;
    assert_eq!(world.wait(again).await.state, RunState::Succeeded);
    let (welcomed, refused) = host.requests();
    assert!(welcomed >= 4 && refused > 0, "{welcomed} with the token, {refused} without");
    assert!(log.contains("***"), "{log}");
    let shown = world.git(&world.path().join("hosted/vault.git"), &["show", "main:plans.txt"]);
    assert_eq!(shown, "nothing left\n");
    let printed = world.oz(&["run", "transcript", &run_id.to_string()]).success();
    let (looks, lines) = watch.end();
    assert!(looks > 100 && lines.is_empty(), "{looks} looks: {lines:#?}");
    for (name, form) in canary::forms(TOKEN) {
        assert!(!log.contains(&form), "the log shows the token ({name}): {log}");
        assert!(!printed.contains(&form), "the transcript shows the token ({name})");
    }
    world.no_agents(std::time::Duration::from_secs(5));
    let found = canary::in_files(TOKEN, world.path());
    assert!(found.is_empty(), "{found:#?}");
    let found = canary::in_database(TOKEN, &world);
    assert!(found.is_empty(), "{found:#?}");
    let used = world.client().secrets().log(&ListSecretLog::default()).await.unwrap().entries;
    assert!(used.iter().any(|e| e.action.as_str() == "used" && e.run_id == Some(run_id)), "{used:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_login_a_private_repository_says_how_to_give_one() {
    let world = World::scripted(SCRIPT);
    vault(&world);
    let host = GitHost::start(&world.path().join("hosted"), TOKEN).await;
    let repo = SourceRepo { url: host.url("vault.git"), checkout_ref: None };
    let credential = GitCredential { host: host.host(), secret: "GONE".into(), username: None };
    for credentials in [Vec::new(), vec![credential]] {
        let config = AgentConfig {
            source_repos: vec![repo.clone()],
            git_credentials: credentials.clone(),
            ..AgentConfig::default()
        };
        let run_id = world.dispatch("open the vault", config).await;
        let run = world.wait(run_id).await;
        let status = run.status_message.unwrap();
        assert_eq!(
            (run.state, status.error_code),
            (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed)),
            "{}",
            status.message
        );
        assert!(status.message.contains("vault.git"), "{}", status.message);
        assert!(status.message.contains("--git-credential"), "{}", status.message);
        if !credentials.is_empty() {
            assert_eq!(run.secrets.unwrap().missing, ["GONE"]);
        }
    }
}

/// A member of the team besides the admin.
async fn ann(world: &World) -> Client {
    let admin = world.client();
    let invitation = CreateInvitation { email: "ann@example.com".into(), role: None };
    let code = admin.send(&invitation).await.unwrap().code;
    let accept = oz_core::api::AcceptInvitation { code, display_name: Some("Ann".into()) };
    let joined = admin.send(&accept).await.unwrap();
    Client::new(&world.url(), Some(joined.raw_api_key)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_gets_the_letters_in_its_scope_and_no_others() {
    let world = World::scripted(SCRIPT);
    let (admin, ann) = (world.client(), ann(&world).await);
    let letter = |name: &str, personal| NewSecret {
        name: name.into(),
        value: format!("the letter of {name}"),
        personal,
        ..NewSecret::default()
    };
    admin.secrets().create(&letter("TEAM_LETTER", false)).await.unwrap();
    admin.secrets().create(&letter("OWN_LETTER", true)).await.unwrap();
    let refs = |names: &[&str]| -> Option<Vec<SecretRef>> {
        Some(names.iter().map(|name| SecretRef { name: (*name).to_owned() }).collect())
    };
    for (client, who, secrets, expected, missing) in [
        (&admin, "its owner", None, "TEAM=set OWN=set", &[][..]),
        (&ann, "a teammate", None, "TEAM=set OWN=", &[]),
        (&admin, "its owner, with a list", refs(&["OWN_LETTER"]), "TEAM= OWN=set", &[]),
        (&ann, "a teammate who asks", refs(&["OWN_LETTER"]), "TEAM= OWN=", &["OWN_LETTER"]),
        (&admin, "its owner, with an empty list", refs(&[]), "TEAM= OWN=", &[]),
    ] {
        let request = oz_core::api::CreateRun {
            prompt: Some("show the letters".into()),
            config: Some(AgentConfig { secrets, ..AgentConfig::default() }),
            ..Default::default()
        };
        let run_id = client.send(&request).await.unwrap().run_id;
        let run = world.wait(run_id).await;
        assert_eq!(run.state, RunState::Succeeded, "{who}: {:?}", run.status_message);
        let log = log_of(&world, run_id).await;
        assert!(log.contains(&format!("{expected}\\n")), "{who}: expected {expected} in {log}");
        assert_eq!(run.secrets.unwrap_or_default().missing, missing, "{who}");
    }
}

#[test]
fn who_steals_the_data_gets_no_secret_out_of_it() {
    let world = World::start(Options { embedded_worker: false, postgres: false, ..Options::default() });
    oz_reads(&world, &["secret", "create", "VAULT_TOKEN"], TOKEN);
    oz_reads(&world, &["secret", "create", "--personal", "MY_TOKEN"], TOKEN);
    let data = world.path().join("data");
    let found = canary::in_files(TOKEN, &data);
    assert!(found.is_empty(), "{found:#?}");
    let stolen = world.path().join("stolen");
    copy(&data, &stolen.join("data"));
    fs::create_dir_all(stolen.join("home")).unwrap();
    // The key is not in what was stolen, so a server over it does not start, and says what it lacks.
    let mut server = Command::new(oz_binary());
    server.args(["serve", "--no-worker", "--listen", "127.0.0.1:0", "--data-dir"]).arg(stolen.join("data"));
    server.env_clear().env("HOME", stolen.join("home")).stdin(Stdio::null());
    let ended: oz_tests::Oz = server.output().unwrap().into();
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("OZ_MASTER_KEY"), "{}", ended.stderr);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
