//! What is mounted into the container of a run beside its image: the agent, and the images that the control plane names.

use super::{
    Docker,
    image::{self, Image},
    spec::AGENT,
    volume::{self, Content},
};
use crate::job::{Job, Outcome};
use oz_core::worker::Sidecar;
use std::collections::BTreeSet;

/// What control planes that bring the agent have in their image.
const ENTRYPOINT: &str = "/agent/entrypoint.sh";

/// The mounts of a run, and the program to start.
#[derive(Debug)]
pub(super) struct Mounts {
    pub(super) binds: Vec<String>,
    pub(super) entrypoint: Vec<String>,
    /// Images whose files the run may change, with their paths: a copy for each run.
    pub(super) copies: Vec<(Image, String)>,
}

/// Fills the volumes that a run needs; `image` is its own.
pub(super) async fn mounts(docker: &Docker, job: &Job, image: &Image) -> Result<Mounts, String> {
    let sidecars = sidecars(job)?;
    let (mut binds, mut copies) = (Vec::new(), Vec::new());
    let brought = sidecars.first().is_some_and(|sidecar| sidecar.mount_path == AGENT);
    let entrypoint = if brought {
        vec![ENTRYPOINT.to_owned()]
    } else {
        let name = format!("oz-agent-{}", docker.program.version);
        let content = Content::Program(&docker.program);
        docker.volumes.ensure(&docker.engine, &docker.presence, &name, &image.id, content).await?;
        binds.push(format!("{name}:{AGENT}:ro"));
        ["/agent/oz", "guard", "--", "/agent/oz"].map(str::to_owned).into()
    };
    for sidecar in &sidecars {
        let image = fetch(docker, sidecar).await?;
        if sidecar.read_write {
            copies.push((image, sidecar.mount_path.clone()));
            continue;
        }
        let name = volume::of_sidecar(&sidecar.image, &image.digest);
        let content = Content::Files(&image);
        docker.volumes.ensure(&docker.engine, &docker.presence, &name, &image.id, content).await?;
        binds.push(format!("{name}:{}:ro", sidecar.mount_path));
    }
    Ok(Mounts { binds, entrypoint, copies })
}

async fn fetch(docker: &Docker, sidecar: &Sidecar) -> Result<Image, String> {
    image::fetch(&docker.engine, &sidecar.image).await.map_err(|outcome| match outcome {
        Outcome::Failed { message, .. } => format!("sidecar: {message}"),
        other => format!("sidecar '{}': {other:?}", sidecar.image),
    })
}

/// The sidecars of a run in order, that of the agent first.
fn sidecars(job: &Job) -> Result<Vec<Sidecar>, String> {
    let assignment = &job.assignment;
    let agent = assignment.sidecar_image.as_deref().filter(|image| !image.trim().is_empty());
    let agent = agent.map(|image| Sidecar {
        image: image.to_owned(),
        mount_path: AGENT.to_owned(),
        read_write: false,
    });
    let all: Vec<Sidecar> = agent.into_iter().chain(assignment.additional_sidecars.iter().cloned()).collect();
    let mut paths = BTreeSet::new();
    for (at, sidecar) in all.iter().enumerate() {
        let path = sidecar.mount_path.trim_end_matches('/');
        if sidecar.image.trim().is_empty() {
            return Err(format!("a sidecar for '{}' names no image", sidecar.mount_path));
        }
        if !path.starts_with('/') || path.contains(':') {
            return Err(format!(
                "sidecar '{}': mount_path '{}' is not valid; expected an absolute path",
                sidecar.image, sidecar.mount_path
            ));
        }
        if !paths.insert(path.to_owned()) || (at > 0 && path == AGENT) {
            return Err(format!(
                "sidecar '{}': mount_path '{path}' is taken; expected another path",
                sidecar.image
            ));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::example;
    use serde_json::{Value, json};

    fn job(sidecar: Option<&str>, more: &Value) -> Job {
        let id = "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11";
        let task = json!({ "id": id, "title": "t", "task_definition": { "prompt": "p" },
            "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z" });
        let assignment =
            json!({ "task_id": id, "task": task, "sidecar_image": sidecar, "additional_sidecars": more });
        Job::new(serde_json::from_value(assignment).unwrap(), &example())
    }

    #[test]
    fn sidecars_are_checked() {
        let more = json!([{ "image": "x", "mount_path": "/mnt/x" }]);
        let paths = |all: Vec<Sidecar>| all.into_iter().map(|s| s.mount_path).collect::<Vec<_>>();
        assert_eq!(paths(sidecars(&job(Some("a:1"), &more)).unwrap()), ["/agent", "/mnt/x"]);
        assert_eq!(paths(sidecars(&job(Some(" "), &more)).unwrap()), ["/mnt/x"]);
        for (more, why) in [
            (json!([{ "image": "", "mount_path": "/x" }]), "names no image"),
            (json!([{ "image": "x", "mount_path": "" }]), "mount_path '' is not valid"),
            (json!([{ "image": "x", "mount_path": "x" }]), "mount_path 'x' is not valid"),
            (json!([{ "image": "x", "mount_path": "/agent/" }]), "mount_path '/agent' is taken"),
            (
                json!([{ "image": "x", "mount_path": "/x" }, { "image": "y", "mount_path": "/x/" }]),
                "mount_path '/x' is taken",
            ),
        ] {
            let text = sidecars(&job(Some("a"), &more)).unwrap_err();
            assert!(text.contains(why), "{text}");
        }
    }
}
