//! Volumes with the files of the agent and of sidecars. Each is named for its content, filled once and then only read, so
//! that runs share it. Its last file marks it as complete: a volume that somebody began to fill is filled again.

use super::{
    archive::{self, Owner},
    engine::{Engine, words},
    helper::{self, Helper},
    image::Image,
    presence::Presence,
    program::Program,
};
use bollard::{body_try_stream, errors::Error, query_parameters::UploadToContainerOptionsBuilder};
use futures_util::TryStreamExt as _;
use std::{collections::HashSet, io, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// Where helpers mount a volume.
const MOUNTED: &str = "/oz-volume";
const COMPLETE: &str = ".oz-complete";
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How long somebody else of whom nothing is known may take to fill a volume.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a volume is filled with.
pub(super) enum Content<'a> {
    /// The agent.
    Program(&'a Program),
    /// All files of an image.
    Files(&'a Image),
}

/// The volumes of an engine.
#[derive(Default)]
pub(super) struct Volumes {
    /// Those that are known to be complete.
    complete: Mutex<HashSet<String>>,
}

impl Volumes {
    /// Makes sure that the volume has its content; `image` is any image that the engine has.
    pub(super) async fn ensure(
        &self,
        engine: &Engine,
        presence: &Presence,
        volume: &str,
        image: &str,
        content: Content<'_>,
    ) -> Result<(), String> {
        let mut complete = self.complete.lock().await;
        if complete.contains(volume) && engine.client.inspect_volume(volume).await.is_ok() {
            return Ok(());
        }
        let helper = alone(engine, presence, volume, image).await?;
        let filled = fill(engine, presence, &helper, content).await;
        helper.remove().await;
        filled.map_err(|error| format!("volume '{volume}' can't be filled: {}", words(&error)))?;
        complete.insert(volume.to_owned());
        Ok(())
    }
}

/// A helper with the volume, which nobody else fills meanwhile: its name is the lock.
async fn alone(engine: &Engine, presence: &Presence, volume: &str, image: &str) -> Result<Helper, String> {
    let name = format!("oz-fill-{volume}");
    let bind = format!("{volume}:{MOUNTED}:nocopy");
    let failed = |error: Error| format!("volume '{volume}' can't be mounted: {}", words(&error));
    let began = Instant::now();
    loop {
        let made = Helper::create(engine, presence, image, Some(bind.clone()), Some(&name)).await;
        if let Some(helper) = made.map_err(failed)? {
            return Ok(helper);
        }
        if let Ok(other) = engine.client.inspect_container(&name, None).await {
            let labels = other.config.and_then(|config| config.labels).unwrap_or_default();
            let lives = presence.lives(&labels).unwrap_or(began.elapsed() < PATIENCE);
            if !lives {
                helper::remove(engine, &name).await;
                continue;
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn fill(
    engine: &Engine,
    presence: &Presence,
    helper: &Helper,
    content: Content<'_>,
) -> Result<(), Error> {
    let marker = format!("{MOUNTED}/{COMPLETE}");
    if archive::exists(&engine.client, &helper.id, &marker).await? {
        return Ok(());
    }
    match content {
        Content::Program(program) => {
            let (size, reader) = (program.size, program.reader());
            archive::put(&engine.client, &helper.id, MOUNTED, move |archive| {
                archive::file(archive, "oz", 0o755, Owner::default(), size, reader)
            })
            .await?;
        }
        Content::Files(image) => copy(engine, presence, image, &helper.id, MOUNTED).await?,
    }
    // Only now: a volume without this file is not used.
    archive::put(&engine.client, &helper.id, MOUNTED, |archive| {
        archive::file(archive, COMPLETE, 0o444, Owner::default(), 0, io::empty())
    })
    .await
}

/// Copies all files of an image to a directory of a container.
pub(super) async fn copy(
    engine: &Engine,
    presence: &Presence,
    image: &Image,
    into: &str,
    path: &str,
) -> Result<(), Error> {
    let Some(from) = Helper::create(engine, presence, &image.id, None, None).await? else { return Ok(()) };
    // The stream must not borrow, so it has a client of its own.
    let (client, id) = (engine.client.clone(), from.id.clone());
    let (send, receive) = tokio::sync::mpsc::channel::<io::Result<bytes::Bytes>>(4);
    let reading = tokio::spawn(async move {
        let mut files = Box::pin(client.export_container(&id));
        loop {
            let piece = files.try_next().await.map_err(io::Error::other).transpose();
            let Some(piece) = piece else { return };
            if send.send(piece).await.is_err() {
                return;
            }
        }
    });
    let pieces = futures_util::stream::unfold(receive, |mut pieces| async move {
        pieces.recv().await.map(|piece| (piece, pieces))
    });
    let options = UploadToContainerOptionsBuilder::new().path(path).build();
    let copied = engine.client.upload_to_container(into, Some(options), body_try_stream(pieces)).await;
    reading.abort();
    from.remove().await;
    copied
}

/// The name of the volume with an image's files: the last part of its name, so that people know it, and its digest.
pub(super) fn of_sidecar(name: &str, digest: &str) -> String {
    let bare = name.split('@').next().unwrap_or(name);
    let end = bare.rfind('/').map_or(0, |slash| slash + 1);
    let untagged = bare[end..].split(':').next().map_or(bare, |last| &bare[..end + last.len()]);
    let readable: String = untagged
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') { c } else { '-' })
        .collect();
    let digest = digest.rsplit(':').next().unwrap_or(digest);
    format!("oz-sidecar-{readable}-{}", digest.get(..12).unwrap_or(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_volume_of_a_sidecar_is_named_for_its_content() {
        let digest = "example.com:5000/team/agent@sha256:0123456789abcdef0123";
        assert_eq!(
            of_sidecar("example.com:5000/team/agent:9", digest),
            "oz-sidecar-example.com-5000-team-agent-0123456789ab"
        );
        assert_eq!(of_sidecar("agent@sha256:00", "sha256:0123456789abcdef"), "oz-sidecar-agent-0123456789ab");
    }
}
