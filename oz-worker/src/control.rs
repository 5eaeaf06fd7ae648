//! How a worker steers the runs that it has begun.

use crate::telemetry::Trace;
use tokio_util::sync::CancellationToken;

/// What a backend has to heed while it runs an agent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Control {
    /// The agent is to end.
    pub(crate) stop: CancellationToken,
    /// The worker goes. An agent that outlives it is left alone; what is not yet running does not begin. Backends
    /// whose agents can't outlive the worker never see this: they are stopped.
    pub(crate) leave: CancellationToken,
    /// Where the backend notes what it does.
    pub(crate) trace: Trace,
}
