//! What the bindings for Python and TypeScript share. Everything crosses as JSON: a binding translates its language's
//! calling conventions to this crate's functions and knows nothing of Oz itself. No panic leaves this crate: it becomes
//! a [`Failure`].
//!
//! ```no_run
//! # async fn example() -> Result<(), oz_bridge::Failure> {
//! let bridge = oz_bridge::Bridge::new(oz_bridge::ClientOptions::default())?;
//! let answer = bridge.call("runs.create", br#"{"prompt": "fix the failing test"}"#, &Default::default()).await?;
//! println!("{}", String::from_utf8_lossy(&answer));
//! # Ok(()) }
//! ```

mod bridge;
mod failure;
mod guard;
mod harness;
mod local;
mod options;
mod runtime;
mod schemas;
mod serve;
#[cfg(test)]
mod tests;
mod vocabulary;
mod work;

pub use bridge::Bridge;
pub use bytes::Bytes;
pub use failure::{Failure, Kind};
pub use harness::{HarnessCall, HarnessHook};
pub use local::{LocalOptions, Observer, run_local, run_task};
pub use options::{CallOptions, ClientOptions};
pub use oz_client::method;
pub use oz_core::{
    harness::{DriverEvent, DriverResult, HarnessTask},
    worker::{WorkOutcome, WorkTask},
};
pub use runtime::runtime;
pub use schemas::schemas;
pub use serve::{ServeOptions, Served, serve};
pub use tokio_util::sync::CancellationToken;
pub use vocabulary::{TYPES, can_transition, next_state, validate};
pub use work::{WorkHook, WorkOptions, work};

/// Texts or bytes that come one after the other; an error is the last item.
pub type Pieces = futures_util::stream::BoxStream<'static, Result<Bytes, Failure>>;
