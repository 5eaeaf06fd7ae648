//! The one way from Rust back to JavaScript: messages with a number and a kind, put into the event loop of the thread
//! that made the port. It never keeps that loop alive; who waits for a message does that.

use futures_util::StreamExt as _;
use napi::{
    Either, Status,
    bindgen_prelude::{Buffer, FnArgs, Function, Null},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;
use oz_bridge::{Bytes, Failure, Kind as Why, Pieces};
use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::AbortHandle;

/// What a message is about; the same numbers stand in `src/port.ts`.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// The answer of a call: JSON.
    Answer = 0,
    /// Why a call or stream failed: the failure as JSON.
    Failure = 1,
    /// Items of a stream: a JSON array.
    Items = 2,
    /// A piece of a stream of bytes.
    Bytes = 3,
    /// A stream is over.
    End = 4,
}

/// What a message carries.
pub(crate) type Payload = Either<String, Either<Buffer, Null>>;

/// A message without anything.
const NOTHING: Payload = Either::B(Either::B(Null));

struct Message {
    id: u32,
    kind: Kind,
    payload: Payload,
}

type Deliver = ThreadsafeFunction<Message, (), FnArgs<(u32, u32, Payload)>, Status, false, true>;

/// A stream that JavaScript reads.
struct Source {
    pieces: Pieces,
    /// Whether its pieces are bytes rather than arrays of items.
    raw: bool,
}

/// What goes on for JavaScript on one thread.
pub(crate) struct Shared {
    deliver: Deliver,
    tasks: Mutex<HashMap<u32, AbortHandle>>,
    streams: Mutex<HashMap<u32, Arc<tokio::sync::Mutex<Source>>>>,
}

/// Nothing that holds such a lock can panic half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The port of one thread of JavaScript.
#[napi]
pub struct Port {
    pub(crate) shared: Arc<Shared>,
}

#[napi]
impl Port {
    /// A port that hands `(number, kind, payload)` to `deliver`.
    ///
    /// # Errors
    /// When Node can't make it.
    #[napi(constructor)]
    pub fn new(deliver: Function<'_, FnArgs<(u32, u32, Payload)>, ()>) -> napi::Result<Self> {
        let deliver =
            deliver.build_threadsafe_function::<Message>().weak::<true>().build_callback(|context| {
                let Message { id, kind, payload } = context.value;
                Ok(FnArgs::from((id, kind as u32, payload)))
            })?;
        let shared = Shared { deliver, tasks: Mutex::default(), streams: Mutex::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Stops the work with this number; nothing more is delivered for it.
    #[napi]
    pub fn abort(&self, id: u32) {
        if let Some(task) = lock(&self.shared.tasks).remove(&id) {
            task.abort();
        }
    }

    /// Asks for what the stream with this number has next. One answer comes under the number `id`.
    #[napi]
    pub fn next(&self, stream: u32, id: u32) {
        let Some(source) = lock(&self.shared.streams).get(&stream).cloned() else {
            return self.shared.send(id, Kind::End, NOTHING);
        };
        self.shared.start(id, async move {
            let Source { pieces, raw } = &mut *source.lock().await;
            match pieces.next().await {
                None => (Kind::End, NOTHING),
                Some(Err(failure)) => failed(&failure),
                Some(Ok(piece)) if *raw => (Kind::Bytes, Either::B(Either::A(Vec::from(piece).into()))),
                Some(Ok(piece)) => text(Kind::Items, piece),
            }
        });
    }

    /// Ends the stream with this number: its connection closes.
    #[napi]
    pub fn close(&self, stream: u32) {
        lock(&self.shared.streams).remove(&stream);
    }

    /// How much goes on: work and open streams. Tests hold it to zero.
    #[napi(getter)]
    #[must_use]
    pub fn busy(&self) -> u32 {
        let busy = lock(&self.shared.tasks).len() + lock(&self.shared.streams).len();
        u32::try_from(busy).unwrap_or(u32::MAX)
    }
}

impl Shared {
    /// Does `work` beside JavaScript and delivers what came of it under the number `id`.
    pub(crate) fn start(
        self: &Arc<Self>,
        id: u32,
        work: impl Future<Output = (Kind, Payload)> + Send + 'static,
    ) {
        let shared = Arc::clone(self);
        // The lock is held until the task is in the map, so that it can't have left before it came.
        let mut tasks = lock(&self.tasks);
        let task = oz_bridge::runtime().spawn(async move {
            let (kind, payload) = work.await;
            if lock(&shared.tasks).remove(&id).is_some() {
                shared.send(id, kind, payload);
            }
        });
        tasks.insert(id, task.abort_handle());
    }

    /// Keeps a stream for JavaScript to read under the number `id`.
    pub(crate) fn keep(&self, id: u32, pieces: Pieces, raw: bool) {
        lock(&self.streams).insert(id, Arc::new(tokio::sync::Mutex::new(Source { pieces, raw })));
    }

    /// Puts a message into the event loop. One that is closing takes none, and nobody waits there any more.
    pub(crate) fn send(&self, id: u32, kind: Kind, payload: Payload) {
        self.deliver.call(Message { id, kind, payload }, ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// A message of JSON.
pub(crate) fn text(kind: Kind, json: impl Into<Vec<u8>>) -> (Kind, Payload) {
    match String::from_utf8(json.into()) {
        Ok(text) => (kind, Either::A(text)),
        Err(e) => failed(&Failure::new(Why::Decode, format!("what came is not UTF-8: {e}"))),
    }
}

/// A message of a failure.
pub(crate) fn failed(failure: &Failure) -> (Kind, Payload) {
    (Kind::Failure, Either::A(failure.to_json()))
}

/// What a call answered.
pub(crate) fn answered(answer: Result<Bytes, Failure>) -> (Kind, Payload) {
    match answer {
        Ok(json) => text(Kind::Answer, json),
        Err(failure) => failed(&failure),
    }
}
