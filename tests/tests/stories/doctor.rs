//! `oz doctor` against a control plane that is well, one that is not, and a machine that lacks things.

use oz_tests::World;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;

fn quiet() -> World {
    World::start(oz_tests::world::Options { embedded_worker: false, ..Default::default() })
}

/// The status and message of each check.
fn checks(json: &str) -> Vec<(String, String, String)> {
    let report: Value = serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {json}"));
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let checks = report["checks"].as_array().unwrap();
    for check in checks {
        let needs_fix = check["status"] == "warning" || check["status"] == "problem";
        assert!(!needs_fix || check["fix"].is_string(), "{check}");
    }
    checks.iter().map(|check| (text(check, "name"), text(check, "status"), text(check, "message"))).collect()
}

fn status<'a>(checks: &'a [(String, String, String)], name: &str) -> &'a str {
    let found = checks.iter().find(|(other, ..)| other == name);
    &found.unwrap_or_else(|| panic!("no check '{name}' in {checks:?}")).1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_with_a_worker_is_well() {
    let mut world = quiet();
    let args = ["doctor", "--server-only", "--output-format", "json"];
    let out = world.oz(&args);
    let alone = checks(&out.stdout);
    assert_eq!((out.code, status(&alone, "workers")), (1, "problem"), "nobody takes runs: {alone:?}");
    world.start_worker("build-1");
    while world.client().account().workers().await.unwrap().workers.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let found = checks(&world.oz(&args).success());
    let expected = ["configuration", "login", "server", "key", "clock", "workers"].map(|name| (name, "ok"));
    let got: Vec<_> = found.iter().map(|(name, status, _)| (name.as_str(), status.as_str())).collect();
    assert_eq!(got, expected, "{found:?}");
    let message = |name: &str| found.iter().find(|(other, ..)| other == name).unwrap().2.clone();
    assert!(message("server").contains("ready, version"), "{}", message("server"));
    assert!(message("workers").contains("build-1"), "{}", message("workers"));
    let wrong = world.oz(&["doctor", "--server-only", "--api-key", "wk-1.wrong", "--output-format", "json"]);
    assert_eq!((wrong.code, status(&checks(&wrong.stdout), "key")), (1, "problem"), "{}", wrong.stdout);
}

#[test]
fn what_is_wrong_on_a_machine_comes_with_what_to_type() {
    let world = quiet();
    let config = world.path().join("home/.config/oz");
    std::fs::create_dir_all(&config).unwrap();
    let login = config.join("login.json");
    std::fs::write(&login, r#"{"server_url":"http://127.0.0.1:9","api_key":"wk-1.secret"}"#).unwrap();
    std::fs::set_permissions(&login, std::fs::Permissions::from_mode(0o644)).unwrap();
    let doctor = |args: &[&str]| {
        let mut command = world.oz_command();
        command.env_remove("OZ_API_KEY").env_remove("OZ_SERVER_URL").env("PATH", world.path()).arg("doctor");
        oz_tests::Oz::from(command.args(args).output().unwrap())
    };
    let out = doctor(&["--output-format", "json"]);
    let found = checks(&out.stdout);
    assert_eq!(out.code, 1);
    for (name, expected) in [
        ("login", "problem"),
        ("server", "problem"),
        ("key", "skipped"),
        ("git", "problem"),
        ("docker", "skipped"),
        ("claude", "skipped"),
        ("data-directory", "ok"),
        ("completions", "skipped"),
    ] {
        assert_eq!(status(&found, name), expected, "{name}: {found:?}");
    }
    let text = doctor(&["--local-only"]);
    assert!(text.stdout.contains(&format!("=> chmod 600 {}", login.display())), "{}", text.stdout);
    assert!(
        text.stdout.ends_with("problems, 1 warning.\n") || text.stdout.contains(" problems"),
        "{}",
        text.stdout
    );
    assert!(!text.stdout.contains("127.0.0.1:9:"), "the server is not asked: {}", text.stdout);
    assert!(!format!("{}{}", out.stdout, text.stdout).contains("wk-1.secret"));
}
