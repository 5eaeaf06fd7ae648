//! A container at work: watched to its end, also across restarts of the engine, and stopped.

use super::{
    engine::{Engine, status, words},
    helper,
};
use crate::{control::Control, job::Outcome, output::Tail, redact::Secrets};
use bollard::{
    errors::Error,
    models::ContainerInspectResponse,
    query_parameters::{LogsOptionsBuilder, StopContainerOptionsBuilder, WaitContainerOptionsBuilder},
};
use futures_util::{StreamExt as _, TryStreamExt as _};
use oz_core::worker::FailureReason;
use std::{
    io,
    pin::pin,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};
use tokio_util::io::StreamReader;

/// Seconds that an agent has to end when it is asked to.
const GRACE_SECONDS: i32 = 1;
/// How long stopping is tried when the engine does not answer.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How long an engine may be away before a run on it is given up.
const AWAY_LIMIT: Duration = Duration::from_secs(300);
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long output may still come when the container has ended.
const FLUSH_LIMIT: Duration = Duration::from_millis(500);
/// How many lines of earlier output are read.
const LINES: &str = "50";

/// Waits until a container ends, or does what `control` says.
pub(super) async fn watch(engine: &Engine, id: &str, control: &Control) -> Outcome {
    tokio::select! {
        biased;
        outcome = end(engine, id) => outcome,
        () = control.stop.cancelled() => {
            stop(engine, id).await;
            Outcome::Cancelled
        }
        () = control.leave.cancelled() => Outcome::Left,
    }
}

/// Asks a container to end and kills it soon after.
async fn stop(engine: &Engine, id: &str) {
    let began = Instant::now();
    loop {
        let options = StopContainerOptionsBuilder::new().t(GRACE_SECONDS).build();
        match engine.client.stop_container(id, Some(options)).await {
            Ok(()) => return,
            // Gone, or not running.
            Err(error) if matches!(status(&error), Some(304 | 404)) => return,
            Err(error) if began.elapsed() < STOP_LIMIT => {
                tracing::warn!("the container could not be stopped; trying again: {}", words(&error));
                sleep(ASK_AGAIN).await;
            }
            Err(error) => {
                tracing::error!(container = id, "the container may still run: {}", words(&error));
                return helper::remove(engine, id).await;
            }
        }
    }
}

async fn end(engine: &Engine, id: &str) -> Outcome {
    let mut away: Option<Instant> = None;
    let mut restarted = false;
    loop {
        let seen = match engine.client.inspect_container(id, None).await {
            Ok(seen) => {
                if away.take().is_some() {
                    tracing::info!("the engine answers again");
                }
                let tail = Tail::new(secrets(&seen));
                let waited = listen(engine, id, &tail).await;
                match waited {
                    Ok(()) => engine.client.inspect_container(id, None).await.map(|seen| (seen, tail)),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        };
        match seen {
            Ok((seen, tail)) => {
                if let Some(outcome) = outcome(&seen, &tail, restarted) {
                    return outcome;
                }
            }
            Err(error) if status(&error) == Some(404) => {
                let message = "the container was removed by somebody else while the agent worked";
                return failed(FailureReason::ContainerExit, message.to_owned(), None);
            }
            Err(error) => {
                restarted = true;
                let since = *away.get_or_insert_with(|| {
                    tracing::warn!("the engine does not answer; the agent may go on: {}", words(&error));
                    Instant::now()
                });
                if since.elapsed() > AWAY_LIMIT {
                    let message = format!(
                        "the engine has not answered for {} s, so nobody knows how the container {id} goes on: {}",
                        AWAY_LIMIT.as_secs(),
                        words(&error)
                    );
                    return failed(FailureReason::ContainerWait, message, None);
                }
                sleep(ASK_AGAIN).await;
            }
        }
    }
}

/// Reads the output of a container and waits for its end.
async fn listen(engine: &Engine, id: &str, tail: &Tail) -> Result<(), Error> {
    let options = LogsOptionsBuilder::new().follow(true).stdout(true).stderr(true).tail(LINES).build();
    let output = engine.client.logs(id, Some(options)).map_ok(bollard::container::LogOutput::into_bytes);
    let mut reading = pin!(tail.drain(StreamReader::new(Box::pin(output.map_err(io::Error::other)))));
    let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
    let mut ended = pin!(engine.client.wait_container(id, Some(options)));
    let mut read = false;
    let answer = loop {
        tokio::select! {
            answer = ended.next() => break answer,
            () = &mut reading, if !read => read = true,
        }
    };
    match answer {
        // An exit code other than 0 counts as an error there.
        Some(Ok(_) | Err(Error::DockerContainerWaitError { .. })) => {
            if !read {
                let _ = timeout(FLUSH_LIMIT, reading).await;
            }
            Ok(())
        }
        Some(Err(error)) => Err(error),
        None => Err(Error::IOError { err: io::ErrorKind::UnexpectedEof.into() }),
    }
}

/// How the container ended, unless it runs. `restarted`: the engine was away meanwhile.
fn outcome(seen: &ContainerInspectResponse, tail: &Tail, restarted: bool) -> Option<Outcome> {
    let state = seen.state.clone().unwrap_or_default();
    if state.running == Some(true) || state.restarting == Some(true) {
        return None;
    }
    let code = i32::try_from(state.exit_code.unwrap_or_default()).unwrap_or(i32::MAX);
    let trouble = state.error.filter(|text| !text.is_empty());
    if code == 0 && trouble.is_none() {
        return Some(Outcome::Finished);
    }
    if state.oom_killed == Some(true) {
        let limit = seen.host_config.as_ref().and_then(|host| host.memory).filter(|bytes| *bytes > 0);
        let why = limit.map_or("the machine had no memory left".to_owned(), |bytes| {
            format!("its processes used more than the {} MiB that the run may use", bytes >> 20)
        });
        let message = tail.explain(&format!("the container ran out of memory: {why}"));
        return Some(failed(FailureReason::ContainerOom, message, Some(code)));
    }
    let mut what = format!("the container exited with code {code}");
    if (129..=192).contains(&code) {
        what = format!("{what} (128 + signal {})", code - 128);
    }
    if let Some(trouble) = trouble {
        what = format!("{what} ({trouble})");
    }
    let reason = if restarted {
        what = format!("{what} while the engine was restarted");
        FailureReason::ContainerWait
    } else {
        FailureReason::ContainerExit
    };
    Some(failed(reason, tail.explain(&what), Some(code)))
}

/// The values to keep out of messages.
fn secrets(seen: &ContainerInspectResponse) -> Secrets {
    let environment = seen.config.as_ref().and_then(|config| config.env.as_deref()).unwrap_or_default();
    Secrets::among(environment.iter().filter_map(|entry| entry.split_once('=')))
}

fn failed(reason: FailureReason, message: String, exit_code: Option<i32>) -> Outcome {
    Outcome::Failed { reason, message, exit_code }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::{ContainerState, HostConfig};

    fn told(state: ContainerState, restarted: bool) -> Option<Outcome> {
        let host_config = Some(HostConfig { memory: Some(64 << 20), ..HostConfig::default() });
        let seen = ContainerInspectResponse {
            state: Some(state),
            host_config,
            ..ContainerInspectResponse::default()
        };
        outcome(&seen, &Tail::new(Secrets::default()), restarted)
    }

    fn ended(code: i64) -> ContainerState {
        ContainerState { exit_code: Some(code), running: Some(false), ..ContainerState::default() }
    }

    #[test]
    fn ends_are_told_apart() {
        assert_eq!(told(ContainerState { running: Some(true), ..ended(0) }, false), None);
        assert_eq!(told(ended(0), true), Some(Outcome::Finished));
        for (state, restarted, expected, words) in [
            (ended(3), false, FailureReason::ContainerExit, "exited with code 3 and printed nothing"),
            (ended(143), false, FailureReason::ContainerExit, "(128 + signal 15)"),
            (ended(137), true, FailureReason::ContainerWait, "while the engine was restarted"),
            (
                ContainerState { oom_killed: Some(true), ..ended(137) },
                false,
                FailureReason::ContainerOom,
                "more than the 64 MiB",
            ),
            (
                ContainerState { error: Some("bad luck".into()), ..ended(128) },
                false,
                FailureReason::ContainerExit,
                "bad luck",
            ),
        ] {
            let Some(Outcome::Failed { reason, message, exit_code }) = told(state, restarted) else {
                panic!()
            };
            assert_eq!(reason, expected);
            assert!(message.contains(words) && exit_code.is_some(), "{message}");
        }
    }
}
