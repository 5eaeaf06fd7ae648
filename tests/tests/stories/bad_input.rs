//! Wrong input gets a clear answer, and nothing is lost.

use oz_core::{api::MAX_PROMPT_BYTES, config::AgentConfig};
use oz_tests::{World, world::KEY};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

/// One raw HTTP exchange: status, content type and body.
pub(crate) fn http(
    world: &World,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: &[u8],
) -> (u16, String, String) {
    let mut socket = TcpStream::connect(world.url().trim_start_matches("http://")).unwrap();
    let auth = key.map(|k| format!("Authorization: Bearer {k}\r\n")).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\n{auth}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    // The server may answer and close before it has read everything.
    let _ = socket.write_all(body);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    let kind = head.lines().find_map(|l| l.strip_prefix("content-type: ")).unwrap_or_default();
    (status, kind.to_owned(), body.to_owned())
}

fn quiet() -> World {
    World::start(oz_tests::world::Options { embedded_worker: false, ..Default::default() })
}

#[test]
fn every_wrong_request_gets_a_problem_document_that_names_what_is_wrong() {
    let world = quiet();
    let key = Some(KEY);
    let id = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e";
    let (one, log) = (format!("/api/v1/agent/runs/{id}"), format!("/api/v1/agent/runs/{id}/log?since=x"));
    let long = format!(r#"{{"prompt":"{}"}}"#, "x".repeat(10 << 20));
    let cases: &[(&str, &str, Option<&str>, &str, u16, &str)] = &[
        ("GET", "/api/v1/agent/runs", None, "", 401, "Authorization: Bearer"),
        ("GET", "/api/v1/agent/runs", Some("wk-1.wrong"), "", 401, "not valid"),
        ("POST", "/api/v1/agent/runs", key, "{\"prompt\":", 400, "not valid JSON"),
        ("POST", "/api/v1/agent/runs", key, "[]", 400, "expected"),
        ("POST", "/api/v1/agent/runs", key, "", 400, "prompt"),
        ("POST", "/api/v1/agent/runs", key, "null", 400, "prompt"),
        ("POST", "/api/v1/agent/run", key, r#"{"prompt":7}"#, 400, "prompt"),
        ("POST", "/api/v1/agent/runs", key, r#"{"prompt":"x","mode":"wild"}"#, 400, "mode: 'wild'"),
        (
            "POST",
            "/api/v1/agent/runs",
            key,
            r#"{"prompt":"x","config":{"harness":{"type":"hal"}}}"#,
            400,
            "config.harness.type: 'hal'",
        ),
        (
            "POST",
            "/api/v1/agent/runs",
            key,
            r#"{"prompt":"x","config":{"idle_timeout_minutes":99}}"#,
            400,
            "config.idle_timeout_minutes: '99'",
        ),
        (
            "POST",
            "/api/v1/agent/runs",
            key,
            r#"{"prompt":"x","config":{"idle_timeout_minutes":"a"}}"#,
            400,
            "config.idle_timeout_minutes",
        ),
        ("POST", "/api/v1/agent/runs", key, &long, 400, "prompt: 10485760 bytes are too many"),
        ("POST", "/api/v1/agent/runs", key, r#"{"prompt":"x","parent_run_id":"7"}"#, 400, "parent_run_id"),
        (
            "POST",
            "/api/v1/agent/runs",
            key,
            r#"{"prompt":"x","metadata":{"a b":"c"}}"#,
            400,
            "metadata: 'a b'",
        ),
        ("GET", "/api/v1/agent/runs?state=DONE", key, "", 400, "state: 'DONE'"),
        ("GET", "/api/v1/agent/runs?limit=501", key, "", 400, "limit: '501'"),
        ("GET", "/api/v1/agent/runs?colour=red", key, "", 400, "colour: there is no such parameter"),
        ("GET", "/api/v1/agent/runs?cursor=zzz", key, "", 400, "cursor: 'zzz'"),
        ("GET", "/api/v1/agent/runs/banana", key, "", 400, "run_id: 'banana'"),
        ("GET", "/api/v1/agent/runs/banana/stream", key, "", 400, "run_id: 'banana'"),
        ("GET", &one, key, "", 404, id),
        ("GET", &log, key, "", 400, "since: 'x'"),
        ("POST", "/api/v1/harness-support/update-run", key, "{}", 403, "agent process"),
        ("GET", "/api/v1/agent/events", key, "", 400, "run_ids"),
        ("GET", "/api/v1/nothing", key, "", 404, "/openapi.json"),
        ("PUT", "/api/v1/agent/runs", key, "{}", 405, "PUT"),
        (
            "GET",
            "/api/v1/blobs/transcripts/0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e?expires=99999999999&signature=00",
            None,
            "",
            403,
            "not valid",
        ),
    ];
    for (method, path, key, body, status, expected) in cases {
        let (got, kind, text) = http(&world, method, path, *key, body.as_bytes());
        let shown: String = text.chars().take(400).collect();
        assert_eq!(got, *status, "{method} {path}: {shown}");
        assert_eq!(kind, "application/problem+json", "{method} {path}");
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{method} {path}: {detail}");
        assert_eq!(problem["status"], *status);
    }
    let (status, _, list) = http(&world, "GET", "/api/v1/agent/runs", key, b"");
    assert_eq!((status, list.contains("\"runs\":[]")), (200, true), "nothing was created: {list}");
    assert!(!world.read_log("server").contains("panicked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_of_the_largest_size_goes_through() {
    let world = quiet();
    let prompt = "é".repeat(MAX_PROMPT_BYTES / 2);
    let config = AgentConfig { worker_host: Some("nobody".into()), ..AgentConfig::default() };
    let run_id = world.dispatch(&prompt, config).await;
    assert_eq!(world.run(run_id).await.prompt, prompt);
    let _ = world.oz(&["run", "cancel", &run_id.to_string()]).success();
}

#[test]
fn the_command_line_says_in_one_line_what_is_wrong() {
    let world = quiet();
    let data = world.path().join("newer");
    std::fs::create_dir(&data).unwrap();
    let db = rusqlite::Connection::open(data.join("oz.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let (port, data, used) = (
        world.url().trim_start_matches("http://").to_owned(),
        data.to_string_lossy().into_owned(),
        world.path().join("data").to_string_lossy().into_owned(),
    );
    let other = world.path().join("other").to_string_lossy().into_owned();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["run", "get", "banana"], 1, "banana"),
        (&["run", "get", "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e"], 1, "does not exist"),
        (&["run", "list", "--api-key", "wk-1.wrong"], 1, "key"),
        (&["run", "list", "--server-root-url", "http://127.0.0.1:9"], 1, "127.0.0.1:9"),
        (&["run", "list", "--state", "DONE"], 2, "DONE"),
        (&["agent", "run-cloud"], 2, "--prompt"),
        (&["agent", "run-cloud", "-p", "x", "-f", "/no/such/file.yaml"], 1, "/no/such/file.yaml"),
        (&["serve", "--listen", &port, "--data-dir", &other], 1, &port),
        (&["serve", "--listen", "127.0.0.1:0", "--data-dir", &data], 1, "newer version"),
        (&["serve", "--listen", "127.0.0.1:0", "--data-dir", &used], 1, "another oz server"),
        (&["frobnicate"], 2, "frobnicate"),
    ];
    for (args, code, expected) in cases {
        let out = world.oz(args);
        assert_eq!(out.code, *code, "{args:?}: {}{}", out.stdout, out.stderr);
        assert!(out.stderr.contains(expected), "{args:?}: {}", out.stderr);
        assert!(!out.stderr.contains("panicked"), "{args:?}: {}", out.stderr);
        assert!(out.stderr.lines().count() <= 8, "{args:?} says too much: {}", out.stderr);
    }
}
