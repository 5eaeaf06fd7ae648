//! What earlier processes of a worker have left on an engine.

use super::{
    engine::{Engine, words},
    helper,
    presence::Presence,
    spec,
};
use crate::job::Identity;
use bollard::{
    models::{ContainerSummary, ContainerSummaryStateEnum as State},
    query_parameters::ListContainersOptionsBuilder,
};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// After which time a container that was never started is left over, when nobody knows whether its worker lives.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// The runs of this worker whose containers no living process watches; those of which nobody can tell are among them
/// unless it must be `sure`. Removes what is of no use to anybody.
pub(super) async fn find(engine: &Engine, presence: &Presence, worker_id: &str, sure: bool) -> Vec<Identity> {
    for container in list(engine, helper::LABEL.to_owned()).await {
        if abandoned(presence, &container) {
            remove(engine, &container).await;
        }
    }
    let mut found = Vec::new();
    for container in list(engine, format!("{}={worker_id}", spec::WORKER_ID)).await {
        let labels = container.labels.clone().unwrap_or_default();
        let Some(identity) = spec::identity(&labels) else { continue };
        let name = format!("/{}", spec::name(identity));
        let current = container.names.as_ref().is_some_and(|names| names.contains(&name));
        match container.state {
            Some(State::CREATED) if abandoned(presence, &container) => remove(engine, &container).await,
            None | Some(State::EMPTY | State::CREATED | State::REMOVING) => {}
            Some(_) if current && !presence.lives(&labels).unwrap_or(sure) => found.push(identity),
            Some(_) => {}
        }
    }
    found
}

/// Whether a container that was never started is of no use any more.
fn abandoned(presence: &Presence, container: &ContainerSummary) -> bool {
    let labels = container.labels.clone().unwrap_or_default();
    presence.lives(&labels).map_or_else(
        || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let created = container.created.and_then(|seconds| u64::try_from(seconds).ok());
            created.is_some_and(|seconds| now > Duration::from_secs(seconds) + FORGOTTEN)
        },
        |lives| !lives,
    )
}

async fn list(engine: &Engine, label: String) -> Vec<ContainerSummary> {
    let filters = HashMap::from([("label", vec![label])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    engine.client.list_containers(Some(options)).await.unwrap_or_else(|error| {
        tracing::error!("what an earlier worker left can't be looked for: {}", words(&error));
        Vec::new()
    })
}

async fn remove(engine: &Engine, container: &ContainerSummary) {
    if let Some(id) = &container.id {
        helper::remove(engine, id).await;
    }
}
