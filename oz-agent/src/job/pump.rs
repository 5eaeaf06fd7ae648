//! Takes what the process of a job prints until nothing comes any more, and notes how it ends.

use super::Job;
use oz_core::Redactor;
use std::{os::unix::process::ExitStatusExt as _, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::Child,
    time::{Instant, sleep_until, timeout},
};

/// How long output may still come when the command itself has ended, but something in the background has not.
const AFTERWARDS: Duration = Duration::from_millis(150);

/// How long a program may take to read an answer of its terminal.
const ANSWER: Duration = Duration::from_millis(100);

/// Begins to.
pub(super) fn begin(
    job: &Arc<Job>,
    reader: impl AsyncRead + Send + Unpin + 'static,
    child: Child,
    redactor: &Redactor,
) {
    tokio::spawn(pump(Arc::clone(job), reader, child, redactor.clone()));
}

async fn pump(
    job: Arc<Job>,
    mut reader: impl AsyncRead + Send + Unpin,
    mut child: Child,
    redactor: Redactor,
) {
    let mut clean = redactor.stream();
    let mut buffer = vec![0; 16 << 10];
    let mut open = true;
    let mut ended: Option<(i32, Instant)> = None;
    let mut told = false;
    while open || ended.is_none() || !told {
        let until = ended.map_or_else(Instant::now, |(_, until)| until);
        tokio::select! {
            read = reader.read(&mut buffer), if open => match read {
                Ok(n @ 1..) => {
                    let reply = job.took(&clean.push(&buffer[..n]));
                    answer(&job, &reply).await;
                }
                // A terminal whose programs are gone answers with an error.
                Ok(0) | Err(_) => open = false,
            },
            status = child.wait(), if ended.is_none() => {
                let code = status.ok().and_then(|s| s.code().or(s.signal().map(|n| 128 + n))).unwrap_or(-1);
                // From now on its number may be another's.
                job.family().leader = None;
                ended = Some((code, Instant::now() + AFTERWARDS));
            }
            () = sleep_until(until), if ended.is_some() && open && !told => {
                told = tell(&job, &mut clean, ended);
            }
        }
        if !open && ended.is_some() && !told {
            told = tell(&job, &mut clean, ended);
        }
    }
    job.took(&clean.finish());
    job.close_input().await;
}

/// Writes what the terminal answers. A program that asks and does not listen gets none, rather than hold up its output.
async fn answer(job: &Job, reply: &[u8]) {
    if reply.is_empty() {
        return;
    }
    if let Ok(mut input) = job.input.try_lock()
        && let Some(input) = input.as_mut()
    {
        let _ = timeout(ANSWER, input.write_all(reply)).await;
    }
}

fn tell(job: &Job, clean: &mut oz_core::redact::Stream, ended: Option<(i32, Instant)>) -> bool {
    job.took(&clean.finish());
    job.tell(|state| state.exit_code = ended.map(|(code, _)| code));
    true
}
