//! The published client libraries work with this server.

use oz_tests::{World, tools, world::KEY};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

const WORK: &str = r#"
scripts:
  - match: do the work
    turns:
      - tool_calls:
          - name: report_artifact
            input: { artifact_type: PULL_REQUEST, data: { url: "https://example.com/pull/1", branch: fix } }
          - { name: finish, input: { success: true, summary: The pull request is open. } }
      # A follow-up that comes while the agent works keeps it at work.
      - tool_calls: [{ name: finish, input: { success: true, summary: The pull request is open. } }]
      - tool_calls: [{ name: finish, input: { success: true, summary: The pull request is open. } }]
"#;

/// Where the drivers are.
fn drivers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk")
}

/// Runs a driver, which `prepare` places, against a world with a worker whose model makes a pull request.
fn drive(program: &Path, prepare: impl FnOnce(&World) -> PathBuf) {
    let world = World::scripted(WORK);
    let driver = prepare(&world);
    let mut command = tools::command(&world, program);
    command.arg(driver).env("OZ_API_BASE_URL", format!("{}/api/v1", world.url())).env("WARP_API_KEY", KEY);
    let out = tools::run_within(&mut command, &world.path().join("driver.log"), Duration::from_secs(300));
    assert!(out.contains("coverage"), "the driver did not come to its last step:\n{out}");
}

#[test]
fn the_python_package_works() {
    let dir = drivers().join("python");
    let python = tools::python_venv(&dir.join("requirements.txt")).join("bin/python");
    drive(&python, |_| dir.join("drive.py"));
}

#[test]
fn the_node_package_works() {
    let dir = drivers().join("node");
    let modules = tools::node_modules(&dir);
    drive(Path::new("node"), |world| {
        // Node looks for packages beside the file that imports them.
        let beside = world.path().join("driver");
        fs::create_dir(&beside).unwrap();
        symlink(modules, beside.join("node_modules")).unwrap();
        let driver = beside.join("drive.mjs");
        fs::copy(dir.join("drive.mjs"), &driver).unwrap();
        driver
    });
}
