//! The worker: takes runs from a control plane over one WebSocket and starts an agent process for each of them. It
//! keeps no state on disk beyond the workspaces of the runs it works on, and never talks to a model.
//!
//! Three parts that share nothing but messages: `link` keeps the connection up and writes what the `mailbox` holds,
//! `worker` decides, and a task per run (`job`) drives a backend. Each agent runs below a [`guard()`] process, so that
//! nothing of a run outlives it, however the run or the worker ends.

mod arguments;
mod backend;
mod bring;
mod cgroup;
mod config;
mod control;
mod elsewhere;
mod environment;
mod error;
mod guard;
mod job;
mod link;
mod mailbox;
mod models_file;
mod output;
mod process;
mod redact;
mod socket;
mod telemetry;
mod worker;

pub use backend::own::OwnBackend;
pub use bring::bring;
pub use cgroup::Cgroup;
pub use config::{
    BackendConfig, CommandConfig, Config, ConfigFile, Credentials, DirectConfig, DockerConfig,
    KubernetesConfig, Variable, parse_duration,
};
pub use error::Error;
pub use guard::guard;
pub use worker::run;
