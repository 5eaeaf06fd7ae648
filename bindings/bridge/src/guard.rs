//! Panics end here: one that went on into another language's runtime would take its process with it.

use crate::{Failure, Kind, Pieces};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Does something; a panic is a failure.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(failure(&*panic)))
}

/// The same for what takes its time.
pub(crate) async fn guarded_async<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| Err(failure(&*panic)))
}

/// The same for what comes piece by piece; a panic is the last item.
pub(crate) fn guarded_stream(pieces: Pieces) -> Pieces {
    let caught = AssertUnwindSafe(pieces).catch_unwind();
    caught.flat_map(|item| stream::iter([item.unwrap_or_else(|panic| Err(failure(&*panic)))])).boxed()
}

fn failure(panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().copied();
    let text =
        text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given");
    Failure::new(Kind::Panic, format!("a mistake in this library, please report it: {text}"))
}
