//! The one way from Rust back to JavaScript: messages with a number and a kind, put into the event loop of the thread
//! that made the port. It never keeps that loop alive; who waits for a message does that.

use futures_util::StreamExt as _;
use napi::{
    Either, Env, Status,
    bindgen_prelude::{Buffer, FnArgs, Function, Null},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;
use oz_bridge::{Bytes, CancellationToken, Failure, Kind as Why, Pieces, Served};
use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{sync::oneshot, task::AbortHandle, time::timeout};

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
    /// A question to a hook, which JavaScript answers under the same number: JSON with the hook and what is asked.
    Ask = 5,
    /// Something that happened in work that goes on: JSON.
    Event = 6,
    /// Something that a hook is told, and does not answer: JSON like that of a question.
    Tell = 7,
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
    /// What ends work that is asked to end rather than dropped.
    stops: Mutex<HashMap<u32, CancellationToken>>,
    served: Mutex<HashMap<u32, Served>>,
    asked: Mutex<HashMap<u32, oneshot::Sender<Result<String, Failure>>>>,
    last_ask: AtomicU32,
}

/// How long the end of a thread waits for control planes that it serves to end.
const FAREWELL: Duration = Duration::from_secs(5);

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
    pub fn new(env: Env, deliver: Function<'_, FnArgs<(u32, u32, Payload)>, ()>) -> napi::Result<Self> {
        let deliver =
            deliver.build_threadsafe_function::<Message>().weak::<true>().build_callback(|context| {
                let Message { id, kind, payload } = context.value;
                Ok(FnArgs::from((id, kind as u32, payload)))
            })?;
        let shared = Shared {
            deliver,
            tasks: Mutex::default(),
            streams: Mutex::default(),
            stops: Mutex::default(),
            served: Mutex::default(),
            asked: Mutex::default(),
            last_ask: AtomicU32::new(0),
        };
        let shared = Arc::new(shared);
        // It has no other end: JavaScript may leave its thread at any moment, and collects nothing when it does.
        env.add_env_cleanup_hook(Arc::clone(&shared), |shared| shared.close())?;
        Ok(Self { shared })
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

    /// Asks the work with this number to end; what comes of it is delivered as ever.
    #[napi]
    pub fn stop(&self, id: u32) {
        if let Some(stop) = lock(&self.shared.stops).get(&id) {
            stop.cancel();
        }
    }

    /// Answers a question that was delivered: with JSON, or else with why there is none and the code of that.
    #[napi]
    pub fn reply(&self, ask: u32, answer: Option<String>, why: Option<String>, code: Option<String>) {
        if let Some(asked) = lock(&self.shared.asked).remove(&ask) {
            let failure = || Failure {
                code: code.map(Into::into),
                ..Failure::new(Why::Api, why.unwrap_or_else(|| "no reason given".to_owned()))
            };
            // Who asked may be gone.
            let _ = asked.send(answer.ok_or_else(failure));
        }
    }

    /// Ends all that goes on, and waits for control planes that are served here; for the end of a program, which may come
    /// without that of its thread.
    #[napi]
    pub fn end(&self) {
        self.shared.close();
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
    /// The thread ends: nobody hears of anything any more, and what it serves must be gone before the process may be.
    fn close(&self) {
        let Self { tasks, streams, stops, served, asked, .. } = self;
        lock(stops).drain().for_each(|(_, stop)| stop.cancel());
        lock(asked).clear();
        lock(streams).clear();
        lock(tasks).drain().for_each(|(_, task)| task.abort());
        let served: Vec<Served> = lock(served).drain().map(|(_, served)| served).collect();
        if !served.is_empty() {
            oz_bridge::runtime().block_on(async {
                let ends = served.iter().map(Served::stop);
                let _ = timeout(FAREWELL, futures_util::future::join_all(ends)).await;
            });
        }
    }

    /// Asks a hook of JavaScript, and waits for its answer; question and answer are JSON.
    ///
    /// # Errors
    /// What the hook threw.
    pub(crate) async fn ask(&self, hook: u32, question: &str) -> Result<String, Failure> {
        let ask = self.last_ask.fetch_add(1, Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.asked).insert(ask, answer);
        self.send(ask, Kind::Ask, Either::A(format!(r#"{{"hook":{hook},"ask":{question}}}"#)));
        answered.await.map_err(|_| Failure::new(Why::Config, "the thread that was asked has ended"))?
    }

    /// Tells a hook of JavaScript something.
    pub(crate) fn tell(&self, hook: u32, what: &str) {
        self.send(0, Kind::Tell, Either::A(format!(r#"{{"hook":{hook},"ask":{what}}}"#)));
    }

    /// Tells who waits under the number `id` of something that happened.
    pub(crate) fn event(&self, id: u32, event: String) {
        self.send(id, Kind::Event, Either::A(event));
    }

    /// What ends the work with this number, for as long as it is in the map.
    pub(crate) fn stop(&self, id: u32) -> CancellationToken {
        let stop = CancellationToken::new();
        lock(&self.stops).insert(id, stop.clone());
        stop
    }

    /// Forgets what ends the work with this number.
    pub(crate) fn stopped(&self, id: u32) {
        lock(&self.stops).remove(&id);
    }

    /// Keeps a control plane for JavaScript under the number `id`.
    pub(crate) fn serve(&self, id: u32, served: Served) {
        lock(&self.served).insert(id, served);
    }

    /// Gives up the control plane with this number.
    pub(crate) fn served(&self, id: u32) -> Option<Served> {
        lock(&self.served).remove(&id)
    }

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
