//! The images whose files a run needs beside its own, and how each gets there: copied by an init container, or mounted
//! as an image volume.

use super::settings::Settings;
use oz_core::worker::Assignment;
use serde_json::{Value, json};

/// Where the agent's program is.
pub(super) const AGENT: &str = "/agent";
/// Where a run works.
pub(super) const WORKSPACE: &str = "/workspace";
/// Everything but what is another file system or the container's own; owners and modes are the reader's, because the
/// reader may not be root.
const COPY: &str = "cd / && tar -cf - --exclude=./target --exclude=./proc --exclude=./sys --exclude=./dev \
    --exclude=./.dockerenv --exclude=./var/run/secrets --exclude=./run/secrets . \
    | tar -xf - -C /target --no-same-owner --no-same-permissions";

/// What fills a mount.
#[derive(Debug, Clone, PartialEq)]
enum Content {
    /// The files of an image that has a shell and `tar`.
    Image(String),
    /// The program `/oz` of an image that needs nothing else.
    Program(String),
}

#[derive(Debug, Clone, PartialEq)]
struct Sidecar {
    content: Content,
    mount_path: String,
    read_write: bool,
}

/// The sidecars of one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sidecars(Vec<Sidecar>);

impl Sidecars {
    /// What a run gets.
    ///
    /// # Errors
    /// What is wrong, for whoever reads why the run failed.
    pub(super) fn of(assignment: &Assignment, settings: &Settings) -> Result<Self, String> {
        let config = &settings.config;
        let brought = config.sidecar_image.as_ref().or(assignment.sidecar_image.as_ref());
        let content = match (brought, &config.agent_image) {
            (Some(image), _) => Content::Image(image.clone()),
            (None, Some(image)) => Content::Program(image.clone()),
            (None, None) => {
                return Err("nothing brings the agent into the pod: the control plane names no sidecar image; set \
                     agent_image in backend.kubernetes to an image with the program /oz, such as the worker's own, or \
                     sidecar_image to one with /agent/entrypoint.sh"
                    .to_owned());
            }
        };
        let mut all = vec![Sidecar { content, mount_path: AGENT.to_owned(), read_write: false }];
        all.extend(assignment.additional_sidecars.iter().map(|sidecar| Sidecar {
            content: Content::Image(sidecar.image.clone()),
            mount_path: sidecar.mount_path.clone(),
            read_write: sidecar.read_write,
        }));
        let snapshot = assignment.task.agent_config_snapshot.as_ref();
        let harness =
            snapshot.and_then(|config| config.harness.as_ref()).map(|harness| harness.kind.as_str());
        if let Some((harness, image)) =
            harness.and_then(|name| config.coding_cli_sidecars.get_key_value(name))
        {
            let mount_path = format!("/mnt/{harness}-cli-sidecar");
            all.retain(|sidecar| sidecar.mount_path != mount_path);
            all.push(Sidecar { content: Content::Image(image.clone()), mount_path, read_write: false });
        }
        let sidecars = Self(all);
        sidecars.check(config.use_image_volumes)?;
        Ok(sidecars)
    }

    fn check(&self, image_volumes: bool) -> Result<(), String> {
        for (at, sidecar) in self.0.iter().enumerate() {
            let (Content::Image(image) | Content::Program(image)) = &sidecar.content;
            let path = sidecar.mount_path.trim_end_matches('/');
            if image.trim().is_empty() {
                return Err(format!("the sidecar for '{path}' names no image"));
            }
            if !path.starts_with('/') {
                return Err(format!(
                    "the sidecar {image} is to be mounted at '{path}', which is not an absolute path"
                ));
            }
            if path == WORKSPACE {
                return Err(format!(
                    "the sidecar {image} is to be mounted at {WORKSPACE}, which is the run's own"
                ));
            }
            if self.0[..at].iter().any(|other| other.mount_path.trim_end_matches('/') == path) {
                return Err(format!("two sidecars are to be mounted at '{path}'"));
            }
            if sidecar.read_write && image_volumes {
                return Err(format!(
                    "the sidecar {image} is to be writable, which image volumes are not; set use_image_volumes to false"
                ));
            }
        }
        Ok(())
    }

    /// The program that is the agent, as the run's container sees it.
    pub(super) fn agent(&self) -> &'static str {
        match self.0.first().map(|sidecar| &sidecar.content) {
            Some(Content::Program(_)) => "/agent/oz",
            _ => "/agent/entrypoint.sh",
        }
    }

    pub(super) fn volumes(&self, settings: &Settings) -> Vec<Value> {
        let volume = |(at, sidecar): (usize, &Sidecar)| {
            let (Content::Image(image) | Content::Program(image)) = &sidecar.content;
            let name = name(at, settings);
            if settings.config.use_image_volumes {
                json!({ "name": name, "image": { "reference": image, "pullPolicy": settings.pull_policy } })
            } else {
                json!({ "name": name, "emptyDir": {} })
            }
        };
        self.0.iter().enumerate().map(volume).collect()
    }

    pub(super) fn mounts(&self, settings: &Settings) -> Vec<Value> {
        let mount = |(at, sidecar): (usize, &Sidecar)| {
            let read_only = !sidecar.read_write;
            json!({ "name": name(at, settings), "mountPath": sidecar.mount_path, "readOnly": read_only })
        };
        self.0.iter().enumerate().map(mount).collect()
    }

    /// The containers that copy; none with image volumes.
    pub(super) fn init_containers(&self, settings: &Settings) -> Vec<Value> {
        if settings.config.use_image_volumes {
            return Vec::new();
        }
        let container = |(at, sidecar): (usize, &Sidecar)| {
            let volume = name(at, settings);
            let container = |image: &str, command: &[&str], target: &str| {
                json!({ "name": format!("copy-sidecar-{at}"), "image": image, "command": command,
                    "imagePullPolicy": settings.pull_policy,
                    "volumeMounts": [{ "name": volume, "mountPath": target }] })
            };
            match &sidecar.content {
                Content::Image(image) => {
                    let mut copy = container(image, &["/bin/sh", "-c", COPY], "/target");
                    copy["securityContext"] = json!({ "runAsUser": 0, "runAsGroup": 0 });
                    copy
                }
                Content::Program(image) => container(image, &["/oz", "bring", AGENT], AGENT),
            }
        };
        self.0.iter().enumerate().map(container).collect()
    }
}

fn name(at: usize, settings: &Settings) -> String {
    let kind = if settings.config.use_image_volumes { "image" } else { "data" };
    format!("sidecar-{at}-{kind}")
}
