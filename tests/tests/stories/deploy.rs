//! What brings the system to clusters and machines: charts, images, compose, the unit of systemd, dashboard and alerts.

use oz_tests::{tools, world::oz_binary};
use std::{path::Path, process::Command, time::Duration};

#[test]
fn what_is_deployed_is_valid_and_does_what_its_settings_say() {
    let checks = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let python = tools::python_venv(&checks.join("requirements.txt")).join("bin/python");
    let scratch = tempfile::tempdir().unwrap();
    let mut check = Command::new(python);
    check.arg(checks.join("check.py")).env("OZ_BIN", oz_binary());
    check.env("TMPDIR", scratch.path()).env("PYTHONDONTWRITEBYTECODE", "1");
    let said = tools::run_within(&mut check, &scratch.path().join("check.log"), Duration::from_secs(300));
    assert!(said.ends_with("done\n"), "the checks did not come to their end:\n{said}");
}
