//! A worker whose runs are done by code of another language.

use crate::{ClientOptions, Failure, guard::guarded_async};
use async_trait::async_trait;
use oz_client::connection::Connection;
use oz_core::worker::{WorkOutcome, WorkTask};
use oz_worker::{BackendConfig, Config, OwnBackend};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How a worker works.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkOptions {
    /// Its name; runs whose `worker_host` equals it come here.
    pub worker_id: String,
    /// How many runs it takes at once; 4 when absent, 0 for no limit.
    #[serde(default)]
    pub max_concurrent_tasks: Option<u32>,
    /// What it offers to runs that ask for it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Further environment of the agents.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How many seconds runs may go on after the worker was asked to end; none when absent.
    #[serde(default)]
    pub drain: Option<f64>,
    /// The lease of the control plane in seconds; 30 when absent.
    #[serde(default)]
    pub lease: Option<f64>,
}

/// What another language brings: a function that runs the agent of a task until it ends or `stop` is cancelled.
#[async_trait]
pub trait WorkHook: Send + Sync {
    /// Runs it. An error, such as an exception, ends the run with its message.
    async fn execute(&self, task: WorkTask, stop: CancellationToken) -> Result<WorkOutcome, Failure>;
}

struct Hooked(Arc<dyn WorkHook>);

#[async_trait]
impl OwnBackend for Hooked {
    async fn execute(&self, task: WorkTask, stop: CancellationToken) -> WorkOutcome {
        let outcome = guarded_async(self.0.execute(task, stop)).await;
        outcome.unwrap_or_else(|e| WorkOutcome::Failed { message: e.message, exit_code: None })
    }
}

/// Works for a control plane until `stop` is cancelled. Connections that fail are made again for ever.
///
/// # Errors
/// [`Kind::Config`](crate::Kind::Config) when the options are not valid, or there is no key.
pub async fn work(
    client: &ClientOptions,
    options: WorkOptions,
    hook: Arc<dyn WorkHook>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    guarded_async(async {
        let Connection { server_url, api_key, .. } =
            Connection::find(client.base_url.clone(), client.api_key.clone());
        let key = api_key.ok_or_else(Failure::no_key)?;
        let seconds = |name: &str, value: Option<f64>, usual: Duration| match value {
            None => Ok(usual),
            Some(value) => Duration::try_from_secs_f64(value).map_err(|_| {
                Failure::config(format!("{name}: '{value}' is not valid; expected a number of seconds"))
            }),
        };
        let usual =
            Config::new(&options.worker_id, &server_url, &key, BackendConfig::Own(Arc::new(Hooked(hook))));
        let config = Config {
            max_concurrent_tasks: options.max_concurrent_tasks.unwrap_or(usual.max_concurrent_tasks),
            drain: seconds("drain", options.drain, usual.drain)?,
            lease: seconds("lease", options.lease, usual.lease)?,
            labels: options.labels,
            environment: options.env,
            ..usual
        };
        Box::pin(oz_worker::run(config, stop)).await.map_err(|e| Failure::config(e.to_string()))
    })
    .await
}
