//! Where calls of an asyncio loop come back. Threads of the runtime never touch Python: they queue what is done and wake the
//! loop through a pipe that it watches, once for however many calls are done by then.

use crate::failure::told;
use oz_bridge::{Bytes, CancellationToken, Failure};
use pyo3::{prelude::*, types::PyBytes};
use std::{
    io::{Read as _, Write as _},
    os::fd::AsRawFd as _,
    os::unix::net::UnixStream,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::task::AbortHandle;

/// What became of a call: its answer, nothing when a stream has ended, or why it failed.
type Outcome = Result<Option<Bytes>, Failure>;

/// What is done, for one loop.
struct Queue {
    done: Mutex<Vec<(u64, Outcome)>>,
    wake: UnixStream,
}

impl Queue {
    fn push(&self, id: u64, outcome: Outcome) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.push((id, outcome));
        if done.len() == 1 {
            // It can't be full: there is at most one byte in it.
            let _ = (&self.wake).write(&[1]);
        }
    }
}

/// The port of one asyncio loop.
#[pyclass(frozen, module = "oz._native")]
pub(crate) struct Port {
    queue: Arc<Queue>,
    woken: UnixStream,
    next: AtomicU64,
}

#[pymethods]
impl Port {
    #[new]
    fn new() -> PyResult<Self> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let queue = Arc::new(Queue { done: Mutex::default(), wake });
        Ok(Self { queue, woken, next: AtomicU64::new(1) })
    }

    /// The descriptor that can be read when something is done.
    fn fileno(&self) -> i32 {
        self.woken.as_raw_fd()
    }

    /// What is done: each with its ticket, whether it went well, and its answer or failure as JSON; the answer is None at
    /// the end of a stream.
    fn drain<'py>(&self, py: Python<'py>) -> Vec<(u64, bool, Option<Bound<'py, PyBytes>>)> {
        let _ = (&self.woken).read(&mut [0; 8]);
        let done = std::mem::take(&mut *self.queue.done.lock().unwrap_or_else(PoisonError::into_inner));
        let crossed = |(id, outcome): (u64, Outcome)| match outcome {
            Ok(answer) => (id, true, answer.map(|bytes| PyBytes::new(py, &bytes))),
            Err(failure) => (id, false, Some(PyBytes::new(py, &told(&failure)))),
        };
        done.into_iter().map(crossed).collect()
    }
}

impl Port {
    /// Does something in the background, whose outcome will come here.
    pub(crate) fn begin(&self, work: impl Future<Output = Outcome> + Send + 'static) -> Ticket {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let queue = Arc::clone(&self.queue);
        let task = oz_bridge::runtime().spawn(async move { queue.push(id, work.await) });
        Ticket { id, task: task.abort_handle() }
    }
}

/// A call that is under way.
#[pyclass(frozen, module = "oz._native")]
pub(crate) struct Ticket {
    /// What its outcome will bear.
    #[pyo3(get)]
    id: u64,
    task: AbortHandle,
}

#[pymethods]
impl Ticket {
    /// Drops the call: its request is cancelled, and no outcome comes.
    fn cancel(&self) {
        self.task.abort();
    }
}

/// Asks something to stop.
#[pyclass(frozen, module = "oz._native")]
pub(crate) struct Stop(pub(crate) CancellationToken);

#[pymethods]
impl Stop {
    #[new]
    fn new() -> Self {
        Self(CancellationToken::new())
    }

    /// Asks for it.
    fn set(&self) {
        self.0.cancel();
    }

    /// Whether it was asked for.
    fn is_set(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until it is asked for, or for so many seconds. Returns whether it was.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let limit = std::time::Duration::try_from_secs_f64(timeout.unwrap_or(1e9)).unwrap_or_default();
        let asked = async { Ok(tokio::time::timeout(limit, self.0.cancelled()).await.is_ok()) };
        Ok(crate::wait::wait(py, asked)?.unwrap_or_default())
    }
}
