//! Runs that are driven in this process, by a harness of its own.

use crate::{
    Bridge, Failure, HarnessHook, Kind, guard::guarded_async, harness::Hooked, runtime::runtime,
    serve::find_oz,
};
use oz_agent::driver::{self, DriverEvent, DriverResult, Options, Source};
use oz_client::Client;
use oz_core::{config::AgentConfig, env, worker::WorkTask};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use tokio_util::sync::CancellationToken;

/// What is to be done here.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalOptions {
    /// What to do.
    pub prompt: String,
    /// How.
    #[serde(default)]
    pub config: AgentConfig,
    /// The directory to work in; a temporary one when absent.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    /// The model, before the one that the configuration names.
    #[serde(default)]
    pub model: Option<String>,
}

/// Is told of each [`DriverEvent`], as JSON.
pub type Observer = Arc<dyn Fn(String) + Send + Sync>;

/// Does a run in this process with a harness of the caller's own, and records it where `recorded_by` is given. `stop`
/// ends it early.
///
/// # Errors
/// When the directory can't be used. A run that ends badly is no error.
pub async fn run_local(
    options: LocalOptions,
    recorded_by: Option<&Bridge>,
    harness: Arc<dyn HarnessHook>,
    observer: Observer,
    stop: CancellationToken,
) -> Result<DriverResult, Failure> {
    guarded_async(async {
        let client = recorded_by.map(Bridge::plain).transpose()?;
        let source = Source::Local { prompt: options.prompt, config: options.config, client };
        drive(source, options.cwd, options.model, variables(), harness, observer, stop).await
    })
    .await
}

/// Does a run that a worker's backend was given in this process, with a harness of the caller's own, in the directory
/// `cwd` or a temporary one. It reports to the control plane as every agent does.
///
/// # Errors
/// When the directory can't be used, or the task has no token. A run that ends badly is no error.
pub async fn run_task(
    task: &WorkTask,
    cwd: Option<PathBuf>,
    harness: Arc<dyn HarnessHook>,
    observer: Observer,
    stop: CancellationToken,
) -> Result<DriverResult, Failure> {
    guarded_async(async {
        let token = task.env.get(env::WORKLOAD_TOKEN).ok_or_else(|| {
            Failure::config(format!("env: the token of the run is not in {}", env::WORKLOAD_TOKEN))
        })?;
        let client = Client::new(&task.server_url, None)?.with_workload_token(token);
        let source = Source::Task { run_id: task.run_id, client };
        let mut variables = variables();
        variables.extend(task.env.clone());
        drive(source, cwd, None, variables, harness, observer, stop).await
    })
    .await
}

async fn drive(
    source: Source,
    cwd: Option<PathBuf>,
    model: Option<String>,
    variables: BTreeMap<String, String>,
    harness: Arc<dyn HarnessHook>,
    observer: Observer,
    stop: CancellationToken,
) -> Result<DriverResult, Failure> {
    // Lives as long as the run.
    let temporary = match &cwd {
        Some(_) => None,
        None => Some(
            tempfile::Builder::new()
                .prefix("oz-run-")
                .tempdir()
                .map_err(|e| Failure::config(format!("cwd: a directory could not be made: {e}")))?,
        ),
    };
    let cwd = cwd.or_else(|| Some(temporary.as_ref()?.path().to_owned())).unwrap_or_default();
    let cwd = cwd.canonicalize().map_err(|e| Failure::config(format!("cwd: '{}': {e}", cwd.display())))?;
    let mut options = Options::new(source, cwd, variables);
    options.model = model;
    options.own_process = false;
    options.harness = Some(Arc::new(Hooked(harness)));
    // Only what logs git in needs it.
    options.oz = find_oz(None).unwrap_or_else(|_| "oz".into());
    // What drives a run stays on one thread. Who no longer waits for the run ends it.
    let stop = stop.child_token();
    let _ended = stop.clone().drop_guard();
    let driving = runtime().spawn_blocking(move || {
        runtime().block_on(driver::drive(options, &mut |event| tell(&observer, &event), stop))
    });
    let finished = driving.await.map_err(|e| Failure::new(Kind::Panic, e.to_string()))?;
    drop(temporary);
    Ok(finished)
}

fn tell(observer: &Observer, event: &DriverEvent) {
    // Every event can be written; they come from JSON.
    if let Ok(text) = serde_json::to_string(event) {
        observer(text);
    }
}

/// What agents get of the environment of this process.
fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| env::is_plain(name) || env::MODEL_PROVIDER.contains(&name.as_str()))
        .collect()
}
