//! What runs in this process: runs, workers, a control plane. Each goes on beside JavaScript until it ends or is asked to.

use crate::{
    client::{Client, options},
    hooks::{Backend, Harness},
    port::{Kind, Payload, Port, Shared, failed, text},
};
use napi_derive::napi;
use oz_bridge::{
    CancellationToken, ClientOptions, DriverResult, Failure, LocalOptions, Observer, ServeOptions,
    WorkOptions, WorkTask,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use std::{
    future::Future,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU32},
};

/// Reads what is required to be there.
fn read<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    serde_json::from_str(json).map_err(|e| Failure::config(format!("the options: {e}")))
}

/// What came of work, as a message.
fn came<T: Serialize>(outcome: Result<T, Failure>) -> (Kind, Payload) {
    match outcome.and_then(|value| serde_json::to_vec(&value).map_err(|e| Failure::config(e.to_string()))) {
        Ok(json) => text(Kind::Answer, json),
        Err(failure) => failed(&failure),
    }
}

/// Starts work that can be asked to end.
fn start<T, F>(port: &Port, id: u32, work: impl FnOnce(Arc<Shared>, CancellationToken) -> F)
where
    T: Serialize,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let shared = Arc::clone(&port.shared);
    let working = work(Arc::clone(&shared), shared.stop(id));
    port.shared.start(id, async move {
        let outcome = working.await;
        shared.stopped(id);
        came(outcome)
    });
}

/// Tells who waits under the number `id` what happens.
fn observer(port: &Arc<Shared>, id: u32) -> Observer {
    let port = Arc::clone(port);
    Arc::new(move |event| port.event(id, event))
}

/// Does a run here with the harness of this name, which the hook answers for, and records it by way of a client when one
/// is given.
#[napi]
pub fn run_local(
    port: &Port,
    id: u32,
    json_options: String,
    name: String,
    hook: u32,
    client: Option<&Client>,
) {
    let bridge = client.map(|client| client.bridge.clone());
    start(port, id, |port, stop| async move {
        let options: LocalOptions = read(&json_options)?;
        let observer = observer(&port, id);
        let harness = Arc::new(Harness { port, hook, name });
        oz_bridge::run_local(options, bridge.as_ref(), harness, observer, stop).await
    });
}

/// Does the run of a task that a worker was given, likewise.
#[napi]
pub fn run_task(port: &Port, id: u32, task: String, cwd: Option<String>, name: String, hook: u32) {
    start(port, id, |port, stop| async move {
        let task: WorkTask = read(&task)?;
        let observer = observer(&port, id);
        let harness = Arc::new(Harness { port, hook, name });
        let done: DriverResult =
            oz_bridge::run_task(&task, cwd.map(PathBuf::from), harness, observer, stop).await?;
        Ok(done)
    });
}

/// Works for a control plane with a backend that the hook answers for.
#[napi]
pub fn work(port: &Port, id: u32, json_options: String, client_options: String, hook: u32) {
    start(port, id, |port, stop| async move {
        let work: WorkOptions = read(&json_options)?;
        let client: ClientOptions = options(Some(&client_options))?;
        let backend = Arc::new(Backend { port, hook, last: AtomicU32::new(0) });
        oz_bridge::work(&client, work, backend, stop).await
    });
}

/// Serves a control plane until [`stop_served`] is called with the same number. Answers with its address and key.
#[napi]
pub fn serve(port: &Port, id: u32, json_options: String) {
    let shared = Arc::clone(&port.shared);
    port.shared.start(id, async move {
        let served = match read::<ServeOptions>(&json_options) {
            Ok(options) => oz_bridge::serve(options).await,
            Err(failure) => Err(failure),
        };
        came(served.map(|served| {
            let said = json!({ "number": id, "url": served.url, "api_key": served.api_key });
            shared.serve(id, served);
            said
        }))
    });
}

/// Ends a control plane, and answers when nothing of it is left.
#[napi]
pub fn stop_served(port: &Port, id: u32, served: u32) {
    let served = port.shared.served(served);
    port.shared.start(id, async move {
        came(match served {
            Some(served) => served.stop().await,
            None => Ok(()),
        })
    });
}
