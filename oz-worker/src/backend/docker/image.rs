//! Images: pulled for the engine's platform, and checked.

use super::{
    engine::{Engine, status, words},
    login,
};
use crate::job::Outcome;
use bollard::{models::ImageInspect, query_parameters::CreateImageOptionsBuilder};
use futures_util::TryStreamExt as _;
use oz_core::worker::FailureReason;

/// The image of runs that nobody chose one for.
pub(super) const USUAL: &str = "ubuntu:22.04";

/// An image that the engine has.
#[derive(Debug, Clone, Default)]
pub(super) struct Image {
    /// What containers are made from: its id, so that nobody can put another image in its place.
    pub(super) id: String,
    /// What tells its content from that of others: its first digest in a registry, or else its id.
    pub(super) digest: String,
    /// The user of its processes, as the image says it.
    pub(super) user: String,
    /// The variables that it sets.
    pub(super) environment: Vec<String>,
}

/// Pulls an image and checks it. One that can't be pulled but is here is used as it is, so that local images work, and
/// others without a network.
pub(super) async fn fetch(engine: &Engine, name: &str) -> Result<Image, Outcome> {
    let failed = |reason, message| Outcome::Failed { reason, message, exit_code: None };
    let pulled = pull(engine, name).await;
    let found = engine.client.inspect_image(name).await;
    let image = match (pulled, found) {
        (Ok(()), Ok(image)) => image,
        (Err(error), Ok(image)) => {
            tracing::info!(image = name, "not pulled, so the copy here is used: {}", words(&error));
            image
        }
        (Err(error), Err(_)) if status(&error) == Some(400) => {
            let message = format!(
                "image '{name}' is no valid name: {}; expected one such as ubuntu:22.04 or ghcr.io/team/image:1",
                words(&error)
            );
            return Err(failed(FailureReason::InvalidImage, message));
        }
        (Err(error), Err(_)) => {
            let message = format!(
                "image '{name}' can't be pulled for {}: {}; if its name is right, try `docker pull {name}` on the \
                 engine's machine, and `docker login` where the worker runs if it is private",
                engine.platform(),
                words(&error)
            );
            return Err(failed(FailureReason::ImagePull, message));
        }
        (Ok(()), Err(error)) => {
            let message = format!("image '{name}' can't be read after it was pulled: {}", words(&error));
            return Err(failed(FailureReason::ImagePull, message));
        }
    };
    check(engine, name, image).map_err(|message| failed(FailureReason::ImagePull, message))
}

async fn pull(engine: &Engine, name: &str) -> Result<(), bollard::errors::Error> {
    let tagged = tagged(name);
    let options = CreateImageOptionsBuilder::new().from_image(&tagged).platform(&engine.platform()).build();
    let credentials = login::of(name).await;
    engine.client.create_image(Some(options), None, credentials).try_for_each(|_| async { Ok(()) }).await
}

/// A name without a tag would mean all of them.
fn tagged(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) { name.to_owned() } else { format!("{name}:latest") }
}

fn check(engine: &Engine, name: &str, image: ImageInspect) -> Result<Image, String> {
    let of_image = format!(
        "{}/{}",
        image.os.as_deref().unwrap_or("linux"),
        image.architecture.as_deref().filter(|a| !a.is_empty()).unwrap_or(&engine.architecture)
    );
    if of_image != engine.platform() {
        return Err(format!(
            "image '{name}' is for {of_image}, but the engine runs {}; build or choose an image for {}",
            engine.platform(),
            engine.platform()
        ));
    }
    let id = image.id.unwrap_or_else(|| name.to_owned());
    let config = image.config.unwrap_or_default();
    Ok(Image {
        digest: image.repo_digests.unwrap_or_default().into_iter().next().unwrap_or_else(|| id.clone()),
        id,
        user: config.user.unwrap_or_default(),
        environment: config.env.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_tag_means_the_latest() {
        for (name, expected) in [
            ("ubuntu", "ubuntu:latest"),
            ("ubuntu:22.04", "ubuntu:22.04"),
            ("h:5000/a", "h:5000/a:latest"),
            ("h:5000/a:1", "h:5000/a:1"),
            ("a@sha256:00", "a@sha256:00"),
        ] {
            assert_eq!(tagged(name), expected);
        }
    }
}
