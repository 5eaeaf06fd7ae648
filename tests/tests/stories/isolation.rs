//! A run that may reach only the hosts of its list, and is held to that whatever its processes try.

use fake_model::FakeModel;
use oz_core::{
    Run, RunState,
    api::ReadLog,
    config::{AgentConfig, HarnessConfig, HarnessType, Sandbox, SourceRepo},
};
use oz_tests::{World, git_http::GitHost, tools, world::Options};
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// A server on this machine that greets everybody, and how many it has.
fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let greeted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&greeted);
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let _ = socket.read(&mut [0; 4096]);
                let _ = socket.write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nwelcome!\n",
                );
            });
        }
    });
    (port, greeted)
}

fn config(list: &[String]) -> AgentConfig {
    let sandbox = Sandbox { egress_allowlist: Some(list.to_vec()), ..Sandbox::default() };
    AgentConfig { sandbox: Some(sandbox), ..AgentConfig::default() }
}

/// A script that runs these commands, one for each turn.
fn script(commands: &[String]) -> String {
    let call = |command: &String| serde_json::json!({ "tool_calls": [{ "name": "run_command", "input": { "command": command } }] });
    let mut turns: Vec<serde_json::Value> = commands.iter().map(call).collect();
    turns.push(serde_json::json!({ "text": "done" }));
    serde_json::json!({ "scripts": [{ "match": "go out", "turns": turns }] }).to_string()
}

/// Does the run. Answers with it and with all that its transcript says.
async fn goes_out(world: &World, config: AgentConfig) -> (Run, String) {
    let run_id = world.dispatch("go out", config).await;
    let run = world.wait_within(run_id, Duration::from_secs(120)).await;
    let log = world.client().send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap().items;
    (run, serde_json::to_string(&log).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_what_is_on_the_list_and_nothing_else() {
    let ((open, greeted), (shut, never)) = (server(), server());
    let commands = [
        format!("echo direct $(curl -sS --max-time 20 http://127.0.0.1:{open}/)"),
        format!("echo proxied $(curl -sS --max-time 20 --noproxy '' http://127.0.0.1:{open}/)"),
        format!("echo tunnelled $(curl -sS --max-time 20 --noproxy '' -p http://localhost:{open}/ 2>&1)"),
        // Its own servers are its own.
        "cd $(mktemp -d) && echo mine > index && (python3 -m http.server 7654 >/dev/null 2>&1 & echo $! > pid); \
         for n in $(seq 100); do curl -sf http://127.0.0.1:7654/index && break; sleep 0.1; done; kill $(cat pid)"
            .to_owned(),
        format!("curl -sS --max-time 20 http://127.0.0.1:{shut}/; echo code=$?"),
        format!("curl -sS --max-time 20 --noproxy '' http://127.0.0.1:{shut}/"),
        format!("env -i curl -sS --max-time 5 http://127.0.0.1:{shut}/; env -i curl -sS --max-time 5 http://1.1.1.1/"),
        // Not even root gets back to the network of the machine.
        format!(
            "for pid in 1 $PPID; do nsenter -t $pid -n curl -sS --max-time 5 http://127.0.0.1:{shut}/; \
             nsenter -t $pid -U -n curl -sS --max-time 5 http://127.0.0.1:{shut}/; done; \
             unshare -n true; ls /sys/class/net; cat /proc/net/dev | wc -l"
        ),
    ];
    let world = World::scripted(&script(&commands));
    let (run, said) = goes_out(&world, config(&[format!("127.0.0.1:{open}")])).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{said}", run.status_message);
    for text in ["direct welcome!", "proxied welcome!", "mine\\n", "code=7"] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert!(said.contains("host 127.0.0.1 is not in config.sandbox.egress_allowlist"), "{said}");
    assert!(said.contains("host localhost is not in config.sandbox.egress_allowlist"), "{said}");
    assert_eq!((greeted.load(Ordering::SeqCst), never.load(Ordering::SeqCst)), (2, 0), "{said}");
    world.no_agents(Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_cloned_from_a_host_on_the_list_and_from_no_other() {
    let world = World::scripted(&script(&["git fetch && echo fetched".to_owned()]));
    let _ = world.git_repo("app", &[("a", "b\n")]);
    let git = GitHost::start(&world.path().join("repos"), "token-of-git-0123").await;
    let of = |list: &[String]| AgentConfig {
        source_repos: vec![SourceRepo {
            url: git.url("app").replace("//", "//me:token-of-git-0123@"),
            checkout_ref: None,
        }],
        ..config(list)
    };
    let (run, said) = goes_out(&world, of(&[git.host()])).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{said}", run.status_message);
    assert!(said.contains("fetched"), "{said}");
    let asked = git.requests();
    let (run, said) = goes_out(&world, of(&["crates.io".to_owned()])).await;
    assert_eq!(run.state, RunState::Failed, "{:?}\n{said}", run.status_message);
    assert_eq!(git.requests(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_commands_and_mcp_servers_are_held_to_the_list_too() {
    let (shut, never) = server();
    let world = World::scripted(&script(&[]));
    let probe = format!("curl -sS --max-time 5 --noproxy '' -f http://127.0.0.1:{shut}/");
    let setup = AgentConfig { setup_commands: vec![probe.clone()], ..config(&[]) };
    let (run, _) = goes_out(&world, setup).await;
    assert_eq!(run.state, RunState::Failed);
    let message = run.status_message.unwrap().message;
    assert!(message.contains("host 127.0.0.1 is not in config.sandbox.egress_allowlist"), "{message}");
    let program = serde_json::json!({ "command": "sh", "args": ["-c", format!("env -i {probe}; {probe}")] });
    let address = serde_json::json!({ "url": format!("http://127.0.0.1:{shut}/mcp") });
    let servers =
        serde_json::from_value(serde_json::json!({ "program": program, "address": address })).unwrap();
    let (_, said) = goes_out(&world, AgentConfig { mcp_servers: servers, ..config(&[]) }).await;
    assert!(said.contains("host 127.0.0.1 is not in config.sandbox.egress_allowlist"), "{said}");
    assert_eq!(never.load(Ordering::SeqCst), 0, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_reaches_its_model_and_nothing_else() {
    const KEY: &str = "sk-of-the-worker-0123456789";
    let (shut, never) = server();
    let probe = format!(
        "curl -sS --max-time 5 --noproxy '' http://127.0.0.1:{shut}/; env -i curl -sS http://127.0.0.1:{shut}/"
    );
    let bash = ("Bash".to_owned(), serde_json::json!({ "command": probe, "description": "Go out" }));
    let turns = vec![
        fake_model::Turn { calls: vec![bash], ..fake_model::Turn::default() },
        fake_model::Turn::text("I could not get out."),
    ];
    let model = FakeModel::for_foreign(KEY, fake_model::Script::conversations([("go out", turns)])).await;
    let programs = tools::node_modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("clis")).join(".bin");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let env = [("PATH", path), ("ANTHROPIC_API_KEY", KEY.to_owned()), ("ANTHROPIC_BASE_URL", model.url())];
    let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let world = World::start(Options { env, ..Options::default() });
    let harness = HarnessConfig { kind: HarnessType::Claude, ..HarnessConfig::native() };
    let (run, said) = goes_out(&world, AgentConfig { harness: Some(harness), ..config(&[]) }).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{said}", run.status_message);
    assert_eq!(run.status_message.unwrap().message, "I could not get out.");
    assert!(said.contains("host 127.0.0.1 is not in config.sandbox.egress_allowlist"), "{said}");
    assert_eq!(never.load(Ordering::SeqCst), 0, "{said}");
}

/// Whether this machine lets the worker limit memory.
fn limits_memory() -> bool {
    let v1 = Path::new("/sys/fs/cgroup/memory/memory.limit_in_bytes").exists();
    let all = std::fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    (v1 || all.contains("memory")) && rustix::process::geteuid().is_root()
}

/// A program that takes as much memory as it gets.
const EAT: &str =
    "python3 -c 'x = bytearray(400 << 20); x[::4096] = b\"x\" * len(x[::4096]); print(\"full\")'";

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_wants_too_much_memory_is_stopped_and_the_agent_goes_on() {
    if !limits_memory() {
        return;
    }
    let world = World::scripted(&script(&[EAT.to_owned(), "echo still here".to_owned()]));
    let sandbox = Sandbox { memory_mb: Some(256), ..Sandbox::default() };
    let (run, said) =
        goes_out(&world, AgentConfig { sandbox: Some(sandbox.clone()), ..AgentConfig::default() }).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{said}", run.status_message);
    assert!(said.contains("more than 256 MiB of memory") && said.contains("still here"), "{said}");
    assert!(!said.contains("full\\n"), "{said}");
    let setup = vec![EAT.to_owned()];
    let config = AgentConfig { sandbox: Some(sandbox), setup_commands: setup, ..AgentConfig::default() };
    let (run, _) = goes_out(&world, config).await;
    let message = run.status_message.unwrap().message;
    assert_eq!(run.state, RunState::Failed);
    assert!(message.contains("more than 256 MiB of memory"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_wants_too_much_memory_itself_fails_with_the_limit() {
    if !limits_memory() {
        return;
    }
    let world = World::scripted(&script(&[]));
    let sandbox = Sandbox { memory_mb: Some(16), ..Sandbox::default() };
    // The prompt alone is more than it may have in all its forms.
    let config = AgentConfig {
        sandbox: Some(sandbox),
        base_prompt: Some("x".repeat(900_000)),
        ..AgentConfig::default()
    };
    let run_id = world.dispatch(&format!("go out {}", "y".repeat(900_000)), config).await;
    let run = world.wait_within(run_id, Duration::from_secs(120)).await;
    let status = run.status_message.unwrap();
    assert_eq!(run.state, RunState::Failed, "{status:?}");
    assert!(status.message.contains("more than 16 MiB of memory"), "{status:?}");
}
