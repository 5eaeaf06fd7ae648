//! Agents use the tools of MCP servers: real ones, over every transport, and one that wants a login.

use oz_core::{RunState, api::ReadLog, config::AgentConfig};
use oz_tests::{World, tools};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

const SCRIPT: &str = r#"
scripts:
  - match: use everything
    turns:
      - tool_calls:
          - { name: mcp__local__echo, input: { message: over stdio } }
          - { name: mcp__web__get-sum, input: { a: 19, b: 23 } }
          - { name: mcp__older__echo, input: { message: over sse } }
      - expect: over stdio
        tool_calls: [{ name: mcp__local__get-tiny-image, input: {} }]
      - tool_calls: [{ name: finish, input: { summary: All used. } }]
  - match: use what is shared
    turns:
      - tool_calls:
          - { name: mcp__tools__echo, input: { message: from a worker } }
          - { name: mcp__tools__get-env, input: {} }
      - tool_calls: [{ name: finish, input: { summary: Shared. } }]
  - match: who am I
    turns:
      - tool_calls: [{ name: mcp__tickets__whoami, input: {} }]
      - tool_calls: [{ name: finish, input: { summary: Known. } }]
"#;

/// What the tests need beside the system: servers, and their programs.
pub(super) fn everything() -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("mcp");
    tools::node_modules(&dir).join("@modelcontextprotocol/server-everything/dist/index.js")
}

/// A process that ends with the test.
pub(super) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The real server on a port of its own.
pub(super) fn serve(world: &World, transport: &str) -> (Process, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = tools::command(world, "node");
    command.arg(everything()).arg(transport).env("PORT", port.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let process = Process(command.spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "the {transport} server does not listen");
        thread::sleep(Duration::from_millis(50));
    }
    (process, port)
}

#[test]
fn a_real_server_is_used_over_every_transport() {
    let world = World::scripted(SCRIPT);
    let (_web, web) = serve(&world, "streamableHttp");
    let (_older, older) = serve(&world, "sse");
    let file = world.path().join("mcp.json");
    let servers = json!({ "mcpServers": {
        "local": { "command": "node", "args": [everything(), "stdio"] },
        "web": { "url": format!("http://127.0.0.1:{web}/mcp") },
        "older": { "url": format!("http://127.0.0.1:{older}/sse") },
        "broken": { "command": "node", "args": ["-e", "console.error('no licence'); process.exit(1)"] },
    } });
    fs::write(&file, servers.to_string()).unwrap();
    for way in [&["run"][..], &["run-cloud", "--wait"]] {
        let output = world
            .oz_command()
            .env("OZ_SCRIPTED_MODEL", world.path().join("script.yaml"))
            .arg("agent")
            .args(way)
            .args(["-p", "use everything", "--model", "scripted", "--output-format", "json"])
            .args(["--mcp", &file.to_string_lossy()])
            .output()
            .unwrap();
        let out = oz_tests::Oz::from(output).success();
        let first: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
        let id = first["run_id"].as_str().unwrap_or_else(|| panic!("{out}"));
        let transcript = world.oz(&["run", "transcript", id, "--output-format", "json"]).success();
        let used = ["over stdio", "19 and 23 is 42", "over sse", "\"images\":1", "All used."];
        for expected in used.into_iter().chain(["'broken' is left out", "no licence"]) {
            assert!(transcript.contains(expected), "{way:?}: {expected} is not in\n{transcript}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_server_is_found_by_its_name_and_gets_its_secret() {
    let world = World::scripted(SCRIPT);
    let value = "a-secret-for-the-server";
    let file = world.path().join("value");
    fs::write(&file, value).unwrap();
    let _ = world.oz(&["secret", "create", "SERVER_KEY", "-f", &file.to_string_lossy()]).success();
    let program = everything();
    let made = [
        "mcp",
        "create",
        "tools",
        "--command",
        "node",
        "--arg",
        &program.to_string_lossy(),
        "--arg",
        "stdio",
    ];
    let _ = world.oz(&[&made[..], &["--env", "KEY_OF_SERVER={{SERVER_KEY}}"]].concat()).success();
    let config: AgentConfig =
        serde_json::from_value(json!({ "mcp_servers": { "tools": { "warp_id": "tools" } } })).unwrap();
    let run_id = world.dispatch("use what is shared", config).await;
    let run = world.wait(run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    let log = world.client().send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap();
    let log = serde_json::to_string(&log).unwrap();
    assert!(log.contains("from a worker") && log.contains("KEY_OF_SERVER"), "{log}");
    assert!(!log.contains(value), "{log}");

    let refused = world.oz(&["agent", "run-cloud", "-p", "use what is shared", "--mcp", "gone"]);
    let named = "config.mcp_servers.gone.warp_id";
    assert!(refused.code == 1 && refused.stderr.contains(named), "{}", refused.stderr);
}

/// A server that wants a login.
fn wants_login(world: &World) -> (Process, String) {
    let mut command = tools::command(world, "python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("mcp/oauth.py"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    (Process(child), format!("http://127.0.0.1:{}/mcp", port.trim()))
}

/// Follows an address as a browser does.
fn browse(world: &World, address: &str) {
    let open = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1])";
    let status = tools::command(world, "python3").args(["-c", open, address]).status().unwrap();
    assert!(status.success(), "{address}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_logged_in_lends_the_login_to_runs() {
    let world = World::scripted(SCRIPT);
    let (_server, url) = wants_login(&world);
    let mut command = world.oz_command();
    command.args(["mcp", "login", &url, "--name", "tickets", "--team", "--no-browser"]);
    let mut login =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(login.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("Log in at ").unwrap_or_else(|| {
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        panic!("{line}{rest}")
    });
    browse(&world, address);
    let ended = login.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");

    let config: AgentConfig =
        serde_json::from_value(json!({ "mcp_servers": { "tickets": { "warp_id": "tickets" } } })).unwrap();
    let works = async || {
        let run_id = world.dispatch("who am I", config.clone()).await;
        let run = world.wait(run_id).await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
        let log = world.client().send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap();
        let log = serde_json::to_string(&log).unwrap();
        assert!(!log.contains("access-") && !log.contains("refresh-"), "{log}");
        log
    };
    let log = works().await;
    assert!(log.contains("logged in with Bearer "), "{log}");

    let _ = world.oz(&["mcp", "logout", "tickets"]).success();
    let secrets = world.oz(&["secret", "list", "--output-format", "json"]).success();
    assert!(!secrets.contains("mcp-tickets"), "{secrets}");
    let log = works().await;
    assert!(log.contains("oz mcp login"), "{log}");

    let _ = world.oz(&["mcp", "login", "tickets", "--device"]).success();
    let shown = world.oz(&["mcp", "list", "--output-format", "json"]).success();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()[0]["name"], "tickets");
    let log = works().await;
    assert!(log.contains("logged in with Bearer "), "{log}");
}
