//! What `dispatch_command` reads: a run as JSON, version 1. The secrets of a run travel here and nowhere else.

use crate::{environment::Environment, job::Job};
use oz_core::{
    RunId,
    worker::{Sidecar, Task},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Where the sidecar that brings the agent is mounted.
const AGENT: &str = "/agent";

/// The run.
#[derive(Serialize)]
pub(super) struct Payload<'a> {
    version: u32,
    run_id: RunId,
    execution_id: String,
    server_root_url: &'a str,
    worker_id: &'a str,
    docker_image: &'a str,
    base_args: &'a [String],
    env: BTreeMap<&'a str, &'a str>,
    sidecars: Vec<Sidecar>,
    task: &'a Task,
}

impl<'a> Payload<'a> {
    pub(super) fn new(
        job: &'a Job,
        worker_id: &'a str,
        server_root: &'a str,
        image: &'a str,
        environment: &'a Environment,
    ) -> Self {
        let assignment = &job.assignment;
        let agent = assignment.sidecar_image.as_ref().map(|image| Sidecar {
            image: image.clone(),
            mount_path: AGENT.to_owned(),
            read_write: false,
        });
        Self {
            version: 1,
            run_id: assignment.task_id,
            execution_id: assignment.execution_id.map(|id| id.to_string()).unwrap_or_default(),
            server_root_url: server_root,
            worker_id,
            docker_image: image,
            base_args: &job.arguments,
            env: environment
                .iter()
                .filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
                .collect(),
            sidecars: agent.into_iter().chain(assignment.additional_sidecars.iter().cloned()).collect(),
            task: &assignment.task,
        }
    }
}
