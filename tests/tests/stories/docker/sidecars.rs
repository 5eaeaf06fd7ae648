//! Control planes that bring the agent in an image, as the published one does.

use futures_util::{SinkExt as _, StreamExt as _};
use oz_tests::{
    World,
    docker::{Docker, engine},
    world::Options,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{net::TcpListener, time::timeout};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

const AGENT: &str = r#"#!/bin/sh
echo "arguments: $*"
echo "task: $TASK_ID"
cat /mnt/tools/data || exit 7
echo x > /mnt/tools/data && exit 8
grep -q tools /mnt/scratch/data && echo x > /mnt/scratch/data || exit 9
echo "all is well"
exit 3
"#;

/// Makes the volume of an image as a worker leaves it that is killed while it fills it.
fn half_filled(docker: &Docker, image: &str) {
    let id = docker.run(&["inspect", "--format", "{{.Id}}", image]);
    let digest = id.strip_prefix("sha256:").unwrap();
    let volume = format!("oz-sidecar-127.0.0.1-1-tools-{}", &digest[..12]);
    let bind = format!("{volume}:/volume");
    docker.run(&["create", "--name", "half-filled", "--volume", &bind, image, "never"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "data of").unwrap();
    docker.run(&["cp", file.path().to_str().unwrap(), "half-filled:/volume/data"]);
    docker.run(&["rm", "half-filled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_and_tools_come_from_images_that_cannot_run() {
    let docker = engine();
    let agent = docker.with_files("agent:9", &[("entrypoint.sh", AGENT)]);
    let tools = docker.with_files("tools:1", &[("data", "data of the tools\n")]);
    half_filled(docker, &tools);
    let plane = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", plane.local_addr().unwrap());
    let mut world = World::start(Options { embedded_worker: false, ..Options::default() });
    let worker = world.start_docker_worker_at("d-sidecars", &url, &[]);
    let (stream, _) = timeout(Duration::from_secs(60), plane.accept()).await.unwrap().unwrap();
    let mut line = tokio_tungstenite::accept_async(stream).await.unwrap();
    for round in 0..2 {
        let id = Uuid::new_v4();
        let task = json!({ "id": id, "title": "t", "task_definition": { "prompt": "p" },
            "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:04Z" });
        let sidecars = json!([{ "image": tools, "mount_path": "/mnt/tools" },
            { "image": tools, "mount_path": "/mnt/scratch", "read_write": true }]);
        let assignment = json!({ "task_id": id, "execution_id": Uuid::new_v4(), "task": task,
            "docker_image": docker.debian(), "sidecar_image": agent, "additional_sidecars": sidecars });
        let frame = json!({ "type": "task_assignment", "data": assignment });
        line.send(Message::text(frame.to_string())).await.unwrap();
        let end = loop {
            let message = timeout(Duration::from_secs(120), line.next()).await.unwrap().unwrap().unwrap();
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame["data"]["task_id"] == json!(id) && frame["type"] != "task_claimed" {
                break frame;
            }
        };
        let told = end["data"]["message"].as_str().unwrap();
        assert_eq!(
            (&end["data"]["failure_reason"], &end["data"]["exit_code"]),
            (&json!("container_exit"), &json!(3)),
            "{told}"
        );
        let task = format!("--task-id {id} --sandboxed --server-root-url {url}");
        for text in [
            "the container exited with code 3",
            "arguments: agent run",
            &task,
            "data of the tools",
            "all is well",
        ] {
            assert!(told.contains(text), "round {round}: {text}: {told}");
        }
    }
    let volumes = docker.run(&["volume", "ls", "--quiet", "--filter", "name=oz-sidecar-127.0.0.1-1-tools"]);
    assert_eq!(volumes.lines().count(), 1, "the half-filled volume was not the one: {volumes}");
    drop(line);
    world.stop_worker(worker);
    docker.no_containers("d-sidecars", Duration::from_secs(10));
    let helpers = docker.run(&[
        "ps",
        "--all",
        "--filter",
        "label=oz.helper",
        "--filter",
        "name=oz-fill",
        "--format",
        "{{.Names}}",
    ]);
    assert!(!helpers.contains("sidecar"), "{helpers}");
}
