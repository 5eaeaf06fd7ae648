//! What the containers of a run have printed.

use super::cluster::{Cluster, Trouble};
use crate::{output::Tail, redact::Secrets};
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;

/// The most of one container's output that is read.
const MOST_BYTES: i64 = 1024 * 1024;
const MOST_LINES: i64 = 1000;

/// Logs what the containers of these pods have printed. Answers the message with the last lines of the culprit.
pub(super) async fn explain(
    cluster: &Cluster,
    pods: &[Pod],
    secrets: &Secrets,
    culprit: Option<&(String, String)>,
    message: &str,
) -> String {
    let mut explained = None;
    for pod in pods {
        let Some(name) = &pod.metadata.name else { continue };
        let spec = pod.spec.as_ref();
        let init = spec.and_then(|spec| spec.init_containers.as_ref()).into_iter().flatten();
        for container in init.chain(spec.map(|spec| &spec.containers).into_iter().flatten()) {
            let tail = Tail::new(secrets.clone());
            let chosen = LogParams {
                container: Some(container.name.clone()),
                limit_bytes: Some(MOST_BYTES),
                tail_lines: Some(MOST_LINES),
                ..LogParams::default()
            };
            let is_culprit = culprit.is_some_and(|(p, c)| p == name && *c == container.name);
            match cluster.log(name, &chosen).await {
                Ok(text) => {
                    tail.drain(text.as_bytes()).await;
                    if is_culprit {
                        explained = Some(tail.explain(message));
                    }
                }
                Err(trouble @ Trouble::Forbidden(_)) => {
                    tracing::warn!("the output of pod {name} can't be read: {trouble}");
                }
                // A container that has not begun has no output.
                Err(trouble) => {
                    tracing::debug!("no output of pod {name}, container {}: {trouble}", container.name);
                }
            }
        }
    }
    explained.unwrap_or_else(|| message.to_owned())
}
