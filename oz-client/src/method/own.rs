//! The client's own methods that other languages can call.

use super::*;
use oz_core::{event::Event, transcript::LogItem};
use std::time::Duration;

/// The client's own methods.
pub(crate) const NOUN: Noun = Noun {
    name: "",
    type_name: "Client",
    doc: "A client of one control plane.",
    calls: &[],
    by_hand: METHODS,
};

const METHODS: &[Method] = &[
    Method::called::<Healthy, bool>(
        ("", "healthy"),
        "Whether a control plane answers at the address within so many seconds.",
        |client, request| {
            answering(&request, |Healthy { within }: Healthy| async move {
                let within = Duration::try_from_secs_f64(within).map_err(|_| {
                    oz_core::Error::invalid_field("within", &within.to_string(), "a number of seconds")
                })?;
                Ok(client.healthy(within).await)
            })
        },
    )
    .taking(&["within"]),
    Method::streamed::<WatchRun, LogItem>(
        ("", "watch"),
        "A run's events and transcript after the cursor `since` (0 for all), live until the run has ended. It comes back \
         by itself after interruptions, and loses and repeats nothing.",
        |client, request| {
            let WatchRun { run_id, since } = api::parse(&request)?;
            Ok(texts(client.watch(run_id, since)))
        },
    )
    .taking(&["run_id", "since"]),
    Method::streamed::<WatchEvents, Event>(
        ("", "events"),
        "The events of some runs after the cursor `since` (0 for all), live for as long as somebody reads. The sequence \
         of an event is the cursor to come back with.",
        |client, request| {
            let WatchEvents { run_ids, since } = api::parse(&request)?;
            Ok(texts(client.events(run_ids, since)))
        },
    )
    .taking(&["run_ids", "since"]),
    Method::streamed::<WatchRun, Event>(
        ("", "events_of_family"),
        "The events of a run and of every run that it started, directly or not, also of those that are yet to come; \
         otherwise like `events`.",
        |client, request| {
            let WatchRun { run_id, since } = api::parse(&request)?;
            Ok(texts(client.events_of_family(run_id, since)))
        },
    )
    .taking(&["run_id", "since"]),
    Method::transferred::<OfRun>(
        ("", "transcript"),
        "The raw transcript of a run, as bytes: JSON Lines.",
        How::Bytes(|client, request| {
            bytes(&request, |of: OfRun| async move { client.transcript(of.run_id).await })
        }),
    )
    .taking(&["run_id"]),
    Method::transferred::<OfRun>(
        ("", "raw_transcript"),
        "What the harness of a run itself keeps of the conversation, in its own format, as bytes.",
        How::Bytes(|client, request| {
            bytes(&request, |of: OfRun| async move { client.raw_transcript(of.run_id).await })
        }),
    )
    .taking(&["run_id"]),
    Method::transferred::<UploadTo>(
        ("", "upload"),
        "Sends bytes to the address that the server named for them. The key stays here.",
        How::Upload(|client, request, bytes| {
            async move { client.upload(&api::parse::<UploadTo>(&request)?.target, bytes).await }.boxed()
        }),
    ),
    Method::transferred::<DownloadFrom>(
        ("", "download"),
        "The bytes behind a signed address. The key stays here.",
        How::Bytes(|client, request| {
            bytes(&request, |from: DownloadFrom| async move { client.download(&from.url).await })
        }),
    )
    .taking(&["url"]),
];
