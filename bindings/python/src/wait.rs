//! Waiting from a Python thread that blocks.

use oz_bridge::Failure;
use pyo3::prelude::*;
use std::{pin::pin, time::Duration};

/// How long a signal such as Ctrl-C may wait for its handler.
const SIGNALS: Duration = Duration::from_millis(100);

/// Waits for a future without the interpreter, so that other threads go on; the handlers of signals run meanwhile, and
/// when one raises, the future is dropped.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    future: impl Future<Output = Result<T, Failure>> + Send,
) -> PyResult<Result<T, Failure>> {
    let runtime = oz_bridge::runtime();
    let mut future = pin!(future);
    loop {
        let slice = || runtime.block_on(async { tokio::time::timeout(SIGNALS, future.as_mut()).await });
        match py.detach(slice) {
            Ok(outcome) => return Ok(outcome),
            Err(_) => py.check_signals()?,
        }
    }
}
