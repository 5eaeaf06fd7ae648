use super::*;
use crate::{
    job::Jobs,
    process::Household,
    tool::{Desk, Done, Failed, Offer, Toolbox, Workspace},
};
use oz_core::{Redactor, config::McpServerConfig, harness::HarnessEvent};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
};

/// A room with servers in it.
struct Room {
    dir: tempfile::TempDir,
    desk: Desk,
    children: Vec<Child>,
}

impl Drop for Room {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "values are written where they are passed")]
impl Room {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("server.py"), include_str!("tests/server.py")).unwrap();
        let env =
            [("PATH".to_owned(), std::env::var("PATH").unwrap()), ("OF_RUN".to_owned(), "yes".to_owned())];
        let desk = Desk {
            workspace: Workspace::new(dir.path()).unwrap(),
            env: env.into(),
            secrets: BTreeMap::new(),
            jobs: Jobs::new(dir.path()).unwrap(),
            household: Household::new(),
            redactor: Redactor::new(["the-canary-value".to_owned()]),
            network: oz_core::egress::Network::default(),
        };
        Self { dir, desk, children: Vec::new() }
    }

    fn note(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("note")).unwrap_or_default()
    }

    fn stdio(&self, fault: &str, more: Value) -> McpServerConfig {
        let note = self.dir.path().join("note");
        let mut server = json!({ "command": "python3", "args": ["server.py", "stdio"], "timeout_seconds": 20,
            "env": { "FAULT": fault, "NOTE": note } });
        server.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(server).unwrap()
    }

    fn web(&mut self, kind: &str, fault: &str, more: Value) -> McpServerConfig {
        let mut child = Command::new("python3")
            .args(["server.py", kind])
            .current_dir(self.dir.path())
            .env("FAULT", fault)
            .env("NOTE", self.dir.path().join("note"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        self.children.push(child);
        let mut server =
            json!({ "url": format!("http://127.0.0.1:{}/mcp", port.trim()), "timeout_seconds": 20 });
        server.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(server).unwrap()
    }

    async fn start(
        &self,
        servers: impl IntoIterator<Item = (&str, McpServerConfig)>,
    ) -> (Toolbox, Vec<(bool, String)>) {
        let (events, mut told) = mpsc::channel(64);
        let configs: BTreeMap<_, _> = servers.into_iter().map(|(name, c)| (name.to_owned(), c)).collect();
        let (servers, _) = Servers::start(configs, &self.desk, &events, None).await;
        drop(events);
        let mut stages = Vec::new();
        while let Some(event) = told.recv().await {
            let HarnessEvent::Stage { name, ok, detail, .. } = event else { panic!("{event:?}") };
            assert_eq!(name, "mcp_server_startup");
            stages.push((ok, detail.unwrap()));
        }
        let mut tools = Toolbox::new(&Offer::default(), []);
        tools.connect(servers);
        (tools, stages)
    }

    async fn call(&self, tools: &Toolbox, name: &str, input: Value) -> Result<Done, Failed> {
        let tool = tools.find(name).unwrap_or_else(|| panic!("no {name} in {:?}", tools.names()));
        tool.run(&self.desk, input).await
    }
}

#[tokio::test]
async fn every_transport_works_and_the_older_one_is_found_out() {
    let mut room = Room::new();
    let servers = [
        ("stdio", room.stdio("garbage", json!({}))),
        ("http", room.web("http", "", json!({}))),
        ("http-said", room.web("http", "", json!({ "transport": "http" }))),
        ("sse", room.web("sse", "", json!({}))),
        ("sse-said", room.web("sse", "", json!({ "transport": "sse" }))),
        ("login", room.web("http", "401", json!({ "headers": { "Authorization": "Bearer the-token" } }))),
        ("login-sse", room.web("sse", "401", json!({ "headers": { "Authorization": "Bearer the-token" } }))),
    ];
    let (tools, stages) = room.start(servers).await;
    assert!(stages.len() == 7 && stages.iter().all(|(ok, _)| *ok), "{stages:?}");
    for server in ["stdio", "http", "http-said", "sse", "sse-said", "login", "login-sse"] {
        let done = room.call(&tools, &format!("mcp__{server}__echo"), json!({ "text": "hi" })).await;
        assert_eq!(done.unwrap().content, "hi", "{server}");
    }
    let huge = room.call(&tools, "mcp__sse__huge", json!({})).await.unwrap();
    assert!(huge.content.len() < 110_000 && huge.content.contains("[cut: the first"));
    let listed = room.call(&tools, "list_mcp_resources", json!({ "server": "http" })).await.unwrap();
    assert!(listed.content.contains("x://1"), "{}", listed.content);
    let input = json!({ "server": "http", "uri": "x://1" });
    assert_eq!(room.call(&tools, "read_mcp_resource", input).await.unwrap().content, "[x://1]\nwhat it says");
}

#[tokio::test]
async fn a_server_that_does_not_start_costs_nothing_but_itself() {
    let mut room = Room::new();
    let short = json!({ "timeout_seconds": 1 });
    let servers = [
        ("a-good", room.stdio("", json!({}))),
        ("dies", room.stdio("die", json!({}))),
        ("floods", room.stdio("flood", short.clone())),
        ("floods-sse", room.web("sse", "flood", json!({ "transport": "sse", "timeout_seconds": 2 }))),
        ("elsewhere", room.web("sse", "elsewhere", json!({ "transport": "sse" }))),
        ("hangs", room.stdio("hang", short.clone())),
        ("hangs-http", room.web("http", "hang", short)),
        ("login", room.web("http", "401", json!({}))),
        ("login-sse", room.web("sse", "401", json!({ "transport": "sse" }))),
        ("missing", serde_json::from_value(json!({ "command": "no-such-program" })).unwrap()),
        ("nobody", serde_json::from_value(json!({ "url": "http://127.0.0.1:1/mcp" })).unwrap()),
    ];
    let (tools, stages) = room.start(servers).await;
    let why = |name: &str| {
        let found = stages.iter().find(|(_, text)| text.contains(&format!("'{name}'")));
        let (ok, text) = found.unwrap_or_else(|| panic!("{name} in {stages:?}"));
        assert!(!ok);
        text.as_str()
    };
    assert!(why("dies").contains("exit status: 4") && why("dies").contains("no licence"), "{}", why("dies"));
    assert!(why("hangs").contains("did not start within 1 s"), "{}", why("hangs"));
    assert!(why("hangs-http").contains("did not start within 1 s"), "{}", why("hangs-http"));
    assert!(why("login").contains("oz mcp login"), "{}", why("login"));
    assert!(why("login-sse").contains("oz mcp login"), "{}", why("login-sse"));
    assert!(why("missing").contains("'no-such-program' can't be started"), "{}", why("missing"));
    assert!(why("elsewhere").contains("another host"), "{}", why("elsewhere"));
    for name in ["floods", "floods-sse", "nobody"] {
        why(name);
    }
    let done = room.call(&tools, "mcp__a-good__echo", json!({ "text": "still here" })).await.unwrap();
    assert_eq!(done.content, "still here");
}

#[tokio::test]
async fn a_program_gets_what_its_configuration_says() {
    let room = Room::new();
    std::fs::create_dir(room.dir.path().join("sub")).unwrap();
    std::fs::copy(room.dir.path().join("server.py"), room.dir.path().join("sub/server.py")).unwrap();
    let more = json!({ "working_directory": "sub", "args": ["server.py", "stdio", "--flag"],
        "allowed_tools": ["environment", "echo"], "denied_tools": ["echo"] });
    let (tools, _) = room.start([("s", room.stdio("", more))]).await;
    assert!(tools.find("mcp__s__echo").is_none() && tools.find("mcp__s__die").is_none());
    let done = room.call(&tools, "mcp__s__environment", json!({})).await.unwrap();
    let seen: Value = serde_json::from_str(&done.content).unwrap();
    assert_eq!((&seen["env"]["OF_RUN"], &seen["args"]), (&json!("yes"), &json!(["--flag"])));
    assert!(seen["cwd"].as_str().unwrap().ends_with("/sub"), "{seen}");
    assert_eq!(seen["env"].as_object().unwrap().get("HOME"), None, "nothing of the host");
}

#[tokio::test]
async fn a_dead_server_is_started_once_more() {
    let room = Room::new();
    let (tools, _) = room.start([("s", room.stdio("", json!({})))]).await;
    let died = room.call(&tools, "mcp__s__die", json!({})).await.unwrap_err().message;
    assert!(died.contains("'s' died during the call") && died.contains("I am going now"), "{died}");
    let done = room.call(&tools, "mcp__s__echo", json!({ "text": "back" })).await.unwrap();
    assert_eq!(done.content, "back");
    for _ in 0..2 {
        room.call(&tools, "mcp__s__die", json!({})).await.unwrap_err();
    }
    let gone = room.call(&tools, "mcp__s__echo", json!({})).await.unwrap_err().message;
    assert!(gone.contains("is gone"), "{gone}");
}

#[tokio::test]
async fn a_call_that_takes_too_long_or_is_given_up_is_cancelled() {
    let room = Room::new();
    let (tools, _) = room.start([("s", room.stdio("", json!({ "timeout_seconds": 2 })))]).await;
    let late = room.call(&tools, "mcp__s__sleep", json!({})).await.unwrap_err().message;
    assert!(late.contains("did not answer within 2 s"), "{late}");
    let heard = async |times: usize| {
        for _ in 0..100 {
            if room.note().matches("notifications/cancelled").count() == times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{times} in {}", room.note());
    };
    heard(1).await;
    let given_up = room.call(&tools, "mcp__s__sleep", json!({}));
    tokio::time::timeout(Duration::from_millis(300), given_up).await.unwrap_err();
    heard(2).await;
    let done = room.call(&tools, "mcp__s__echo", json!({ "text": "alive" })).await.unwrap();
    assert_eq!(done.content, "alive");
}

#[tokio::test]
async fn changes_of_tools_are_followed() {
    let room = Room::new();
    let (mut tools, _) = room.start([("s", room.stdio("", json!({})))]).await;
    assert!(!tools.follow());
    room.call(&tools, "mcp__s__grow", json!({})).await.unwrap();
    for _ in 0..100 {
        if tools.follow() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(tools.find("mcp__s__grown").is_some(), "{:?}", tools.names());
}

#[tokio::test]
async fn very_many_tools_are_found_instead_of_told() {
    let room = Room::new();
    let (tools, _) = room.start([("s", room.stdio("many", json!({})))]).await;
    assert!(tools.specs().len() < 30, "{:?}", tools.names());
    let found = room.call(&tools, "find_mcp_tools", json!({ "query": "more 42" })).await.unwrap();
    let found: Value = serde_json::from_str(&found.content).unwrap();
    assert_eq!(found[0]["name"], "mcp__s__more_42");
    let call = json!({ "name": "mcp__s__echo", "input": { "text": "by name" } });
    assert_eq!(room.call(&tools, "call_mcp_tool", call).await.unwrap().content, "by name");
    let wrong = room.call(&tools, "call_mcp_tool", json!({ "name": "x" })).await.unwrap_err().message;
    assert!(wrong.contains("find_mcp_tools"), "{wrong}");
}

#[tokio::test]
async fn a_list_without_an_end_ends() {
    let room = Room::new();
    let (_, stages) = room.start([("s", room.stdio("endless", json!({})))]).await;
    assert_eq!(stages, [(true, "s: 100 tools".to_owned())]);
}

#[tokio::test]
async fn no_program_outlives_the_agent() {
    let room = Room::new();
    let (tools, _) = room.start([("s", room.stdio("", json!({})))]).await;
    let done = room.call(&tools, "mcp__s__environment", json!({})).await.unwrap();
    let seen: Value = serde_json::from_str(&done.content).unwrap();
    let mark = seen["env"][oz_core::env::PROCESS_MARK].as_str().unwrap().to_owned();
    drop(tools);
    let alive = || {
        std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let environ = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environ).contains(&mark)
        })
    };
    for _ in 0..100 {
        if !alive() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server lives on");
}

#[tokio::test]
async fn a_relay_lends_a_server_to_who_only_talks_to_programs() {
    let mut room = Room::new();
    let more = json!({ "headers": { "Authorization": "Bearer the-token" }, "allowed_tools": ["echo"] });
    let server = room.web("sse", "401", more);
    let program = instead(Path::new("/bin/oz"), &server);
    assert_eq!((program.command.as_deref(), program.url.as_deref()), (Some("/bin/oz"), None));
    assert_eq!((program.args.join(" ").as_str(), program.allowed_tools), ("mcp-relay", server.allowed_tools));
    let env = |name: &str| program.env.get(name).cloned();
    let (theirs, ours) = tokio::io::duplex(64 << 10);
    let (input, output) = tokio::io::split(theirs);
    let (reader, mut writer) = tokio::io::split(ours);
    let mut answers = tokio::io::BufReader::new(reader).lines();
    let client = async {
        let mut ask = async |message: Value| {
            writer.write_all(format!("{message}\n").as_bytes()).await.unwrap();
            if message.get("id").is_none() {
                return Value::Null;
            }
            let answer: Value = serde_json::from_str(&answers.next_line().await.unwrap().unwrap()).unwrap();
            assert_eq!(answer["id"], message["id"]);
            answer["result"].clone()
        };
        let params = json!({ "protocolVersion": "2024-11-05", "capabilities": {} });
        let greeted =
            ask(json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })).await;
        assert_eq!(greeted["serverInfo"]["name"], "fake");
        ask(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        let params = json!({ "name": "echo", "arguments": { "text": "two\nlines" } });
        let echo =
            ask(json!({ "jsonrpc": "2.0", "id": "b", "method": "tools/call", "params": params })).await;
        assert_eq!(echo["content"][0]["text"], "two\nlines");
        writer.shutdown().await.unwrap();
    };
    let (relayed, ()) = tokio::join!(relay(env, input, output), client);
    relayed.unwrap();
    let nothing = relay(|_| None, tokio::io::empty(), tokio::io::sink()).await.unwrap_err();
    assert!(nothing.contains("OZ_MCP_SERVER"), "{nothing}");
    let refused = |_: &str| Some(json!({ "url": server.url }).to_string());
    let refused = relay(refused, tokio::io::empty(), tokio::io::sink()).await.unwrap_err();
    assert!(refused.contains("401"), "{refused}");
}

#[tokio::test]
async fn who_connects_by_himself_gets_the_servers_that_start() {
    let mut room = Room::new();
    let servers = [
        ("dies", room.stdio("die", json!({}))),
        ("http", room.web("http", "", json!({}))),
        ("sse", room.web("sse", "", json!({}))),
        ("stdio", room.stdio("", json!({}))),
    ];
    let servers = servers.map(|(name, config)| (name.to_owned(), config)).into();
    let (events, mut told) = mpsc::channel(64);
    let (good, _) = Servers::tried(servers, &room.desk, &events, None).await;
    let found: Vec<_> = good.iter().map(|(name, server)| (name.as_str(), server.transport.clone())).collect();
    use oz_core::config::McpTransport as T;
    assert_eq!(found, [("http", Some(T::Http)), ("sse", Some(T::Sse)), ("stdio", Some(T::Stdio))]);
    drop(events);
    let mut failures = 0;
    while let Some(event) = told.recv().await {
        failures += i32::from(matches!(event, HarnessEvent::Stage { ok: false, .. }));
    }
    assert_eq!(failures, 1);
}
