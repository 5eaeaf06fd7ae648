//! Setup commands: one after the other, each with a time-out, shown while they run.

use super::Shell;
use crate::command::Live;
use std::{collections::BTreeMap, path::Path, time::Duration};

/// How often what a command prints is shown.
pub(in crate::driver) const GATHER: Duration = Duration::from_millis(200);

/// Runs the setup command `number`, counted from 1.
pub(in crate::driver) async fn set_up(
    number: usize,
    command: &str,
    workspace: &Path,
    shell: Shell<'_>,
    limit: Duration,
    live: &Live,
) -> Result<(), String> {
    let mut env: BTreeMap<String, String> = shell.env.clone();
    env.insert("CI".to_owned(), "true".to_owned());
    let shell = Shell { env: &env, ..shell };
    let ran = shell.run(&["/bin/sh", "-c", command], workspace, limit, Some(live)).await;
    ran.map_err(|problem| format!("setup command {number} `{command}` {problem}"))
}
