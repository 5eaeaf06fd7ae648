//! Images of a registry that wants a login.

use super::{LONG, Yard, script};
use oz_core::{ErrorCode, RunState};
use oz_tests::docker::{Registry, engine};
use std::{fs, os::unix::fs::PermissionsExt as _};

const SECRET: &str = "secret-of-the-registry-0123";

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_pulled_with_the_login_of_a_helper_and_used_again_without_the_registry() {
    let registry = Registry::start("me", SECRET).await;
    let dir = tempfile::tempdir().unwrap();
    let helper = dir.path().join("docker-credential-story");
    fs::write(&helper, format!("#!/bin/sh\ncat >/dev/null\necho '{{\"ServerURL\":\"\",\"Username\":\"me\",\"Secret\":\"{SECRET}\"}}'\n")).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let env = [("PATH", path.as_str()), ("DOCKER_CONFIG", dir.path().to_str().unwrap())];
    let yard = Yard::with(engine(), "d-registry", &script(&["echo it works"]), &[], &env);

    let (run, _) = yard.run("work", yard.config(&registry.image())).await;
    let status = run.status_message.unwrap();
    assert_eq!((run.state, status.error_code), (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed)));
    for text in [&registry.image(), "no basic auth credentials", "docker login"] {
        assert!(status.message.contains(text), "{text}: {}", status.message);
    }
    assert_eq!(registry.served(), 0);

    let config = serde_json::json!({ "credHelpers": { registry.host(): "story" } });
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    let said = yard.succeeds("work", yard.config(&registry.image())).await;
    assert!(said.contains("it works") && registry.served() >= 4, "{} {said}", registry.served());

    let image = registry.image();
    drop(registry);
    let run_id = yard.world.dispatch("work", yard.config(&image)).await;
    let run = yard.world.wait_within(run_id, LONG).await;
    let log = yard.world.read_log("d-registry");
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{log}", run.status_message);
    assert!(log.contains("not pulled, so the copy here is used") && !log.contains(SECRET), "{log}");
    yard.tidy();
}
