//! Containers that are never started: through them the engine reads and fills volumes and shows what is in an image.

use super::{
    engine::{Engine, status, words},
    presence::Presence,
};
use bollard::{
    errors::Error,
    models::{ContainerCreateBody, HostConfig},
    query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder},
};

/// The label of such containers.
pub(super) const LABEL: &str = "oz.helper";

/// One of them. It is removed when it is dropped.
pub(super) struct Helper {
    pub(super) id: String,
    engine: Engine,
    removed: bool,
}

impl Helper {
    /// Makes one from an image. A name makes sure that there is only one: absent when somebody else has it.
    pub(super) async fn create(
        engine: &Engine,
        presence: &Presence,
        image: &str,
        bind: Option<String>,
        name: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        let mut options = CreateContainerOptionsBuilder::new();
        if let Some(name) = name {
            options = options.name(name);
        }
        let labels = presence.labels().into_iter().chain([(LABEL.to_owned(), String::new())]);
        let host = HostConfig { binds: bind.map(|bind| vec![bind]), ..HostConfig::default() };
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(vec!["/never-started".to_owned()]),
            labels: Some(labels.collect()),
            network_disabled: Some(true),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        };
        match engine.client.create_container(Some(options.build()), body).await {
            Ok(made) => Ok(Some(Self { id: made.id, engine: engine.clone(), removed: false })),
            Err(error) if name.is_some() && status(&error) == Some(409) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes it now.
    pub(super) async fn remove(mut self) {
        self.removed = true;
        remove(&self.engine, &self.id).await;
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if !self.removed {
            let (engine, id) = (self.engine.clone(), self.id.clone());
            tokio::spawn(async move { remove(&engine, &id).await });
        }
    }
}

/// Removes a container with its own volumes, whatever it does.
pub(super) async fn remove(engine: &Engine, id: &str) {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match engine.client.remove_container(id, Some(options)).await {
        Ok(()) => {}
        // Gone, or going.
        Err(error) if matches!(status(&error), Some(404 | 409)) => {}
        Err(error) => tracing::warn!(container = id, "could not be removed: {}", words(&error)),
    }
}
