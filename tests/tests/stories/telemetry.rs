//! What others can measure of a worker: scraped, pushed to a collector, printed, or nothing at all.

mod collector;

use collector::Collector;
use oz_core::{RunState, config::AgentConfig, worker::FailureReason};
use oz_tests::{World, world::Options};
use std::{
    collections::HashSet,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

fn world() -> World {
    let script = "scripts: [{ match: quick, turns: [{ text: all done }] }, { match: endless, turns: [{ tool_calls: [{ name: run_command, input: { command: 'sleep 600' } }] }] }]";
    World::start(Options { script: Some(script.to_owned()), embedded_worker: false, ..Options::default() })
}

fn start(world: &mut World, args: &[&str], env: &[(&str, &str)]) -> usize {
    let root = world.workspaces().join("w1");
    let args = [&["--workspace-root", root.to_str().unwrap(), "--no-git-cache"], args].concat();
    world.start_worker_with("w1", &args, env)
}

async fn quick(world: &World) {
    let config = AgentConfig { worker_host: Some("w1".into()), ..AgentConfig::default() };
    let run = world.dispatch("quick", config).await;
    assert_eq!(world.wait(run).await.state, RunState::Succeeded, "{}", world.read_log("w1"));
}

async fn until<T>(what: &str, world: &World, check: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} does not happen\n{}", world.read_log("w1"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The status and body of an answer.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The value of the series with this name and these labels, whatever others it has.
fn value(scraped: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let wanted: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
    let line = scraped
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
    let mut line = line.filter(|line| wanted.iter().all(|label| line.contains(label.as_str())));
    line.next()?.rsplit(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_shows_every_series_before_the_first_run_and_counts_it_after() {
    let mut world = world();
    let env = [("OTEL_METRICS_EXPORTER", "prometheus"), ("OTEL_EXPORTER_PROMETHEUS_PORT", "0")];
    start(&mut world, &["--max-concurrent-tasks", "2"], &env);
    let address = until("listening", &world, || {
        let log = world.read_log("w1");
        let (_, rest) = log.split_once("metrics are at http://")?;
        Some(rest.split_once("/metrics")?.0.to_owned())
    })
    .await;
    assert_eq!(get(&address, "/healthz"), (200, "ok\n".to_owned()));
    until("connecting", &world, || (get(&address, "/readyz").0 == 200).then_some(())).await;
    assert_eq!(get(&address, "/other").0, 404);
    let (status, scraped) = get(&address, "/metrics");
    assert_eq!(status, 200);
    let mut wanted = vec![
        ("oz_worker_connected", vec![], 1.0),
        ("oz_worker_tasks_active", vec![], 0.0),
        ("oz_worker_tasks_max_concurrent", vec![], 2.0),
        ("oz_worker_tasks_claimed_total", vec![], 0.0),
        ("oz_worker_tasks_rejected_total", vec![("reason", "at_capacity")], 0.0),
        ("oz_worker_websocket_reconnects_total", vec![("reason", "dial_failed")], 0.0),
        ("oz_worker_websocket_reconnects_total", vec![("reason", "remote_close")], 0.0),
        ("oz_worker_info", vec![("backend", "direct"), ("worker_id", "w1"), ("version", "0.1.0")], 1.0),
        (
            "target_info",
            vec![("service_name", "oz-agent-worker"), ("worker_id", "w1"), ("worker_backend", "direct")],
            1.0,
        ),
    ];
    for result in ["succeeded", "failed", "cancelled", "dispatched"] {
        wanted.push(("oz_worker_tasks_completed_total", vec![("result", result)], 0.0));
    }
    assert_eq!(FailureReason::KNOWN.len(), 29);
    for reason in FailureReason::KNOWN {
        wanted.push(("oz_worker_task_failures_total", vec![("phase", "backend"), ("reason", reason)], 0.0));
    }
    for (name, labels, expected) in wanted {
        assert_eq!(value(&scraped, name, &labels), Some(expected), "{name} {labels:?} in\n{scraped}");
    }
    for (name, kind) in [
        ("oz_worker_connected", "gauge"),
        ("oz_worker_tasks_active", "gauge"),
        ("oz_worker_tasks_claimed_total", "counter"),
        ("oz_worker_task_failures_total", "counter"),
    ] {
        assert!(scraped.contains(&format!("# TYPE {name} {kind}\n")), "{name} in\n{scraped}");
    }
    quick(&world).await;
    let succeeded = [("result", "succeeded")];
    let scraped = until("counting", &world, || {
        let scraped = get(&address, "/metrics").1;
        (value(&scraped, "oz_worker_tasks_completed_total", &succeeded) == Some(1.0)).then_some(scraped)
    })
    .await;
    assert_eq!(value(&scraped, "oz_worker_tasks_claimed_total", &[]), Some(1.0));
    assert_eq!(value(&scraped, "oz_worker_tasks_active", &[]), Some(0.0));
    assert_eq!(value(&scraped, "oz_worker_task_duration_seconds_count", &succeeded), Some(1.0));
    assert_eq!(value(&scraped, "oz_worker_task_duration_seconds_bucket", &[("le", "10000")]), Some(1.0));
    world.kill_server();
    until("noticing", &world, || (get(&address, "/readyz").0 == 503).then_some(())).await;
    until("counting the end", &world, || {
        let scraped = get(&address, "/metrics").1;
        let lost = value(&scraped, "oz_worker_websocket_reconnects_total", &[("reason", "remote_close")]);
        (lost == Some(1.0) && value(&scraped, "oz_worker_connected", &[]) == Some(0.0)).then_some(())
    })
    .await;
    world.start_server();
}

async fn pushed(collector: Collector, protocol: &str) {
    let mut world = world();
    let worker = start(
        &mut world,
        &[],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a"),
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
            ("OTEL_RESOURCE_ATTRIBUTES", "site=north"),
        ],
    );
    until("the first push", &world, || collector.metrics().contains("oz_worker_connected").then_some(()))
        .await;
    quick(&world).await;
    let config = AgentConfig { worker_host: Some("w1".into()), ..AgentConfig::default() };
    let run = world.dispatch("endless", config).await;
    world.until(run, |run| run.state == RunState::InProgress).await;
    let cancelled = world.oz(&["run", "cancel", &run.to_string()]);
    assert_eq!(cancelled.code, 0, "{}", cancelled.stderr);
    world.wait(run).await;
    world.no_agents(Duration::from_secs(10));
    // What was not sent yet is sent at the end.
    world.stop_worker(worker);
    let metrics = collector.metrics();
    for name in [
        "oz_worker_connected",
        "oz_worker_tasks_active",
        "oz_worker_tasks_max_concurrent",
        "oz_worker_tasks_claimed_total",
        "oz_worker_tasks_rejected_total",
        "oz_worker_tasks_completed_total",
        "oz_worker_task_duration_seconds",
        "oz_worker_task_failures_total",
        "oz_worker_websocket_reconnects_total",
        "oz_worker_info",
    ] {
        assert!(metrics.contains(name), "{name} is not in {metrics:?}");
    }
    let about = collector.resource();
    for (key, value) in [
        ("service.name", "oz-agent-worker"),
        ("worker.id", "w1"),
        ("worker.backend", "direct"),
        ("site", "north"),
    ] {
        assert_eq!(about.get(key).map(String::as_str), Some(value), "{key} in {about:?}");
    }
    assert_eq!(collector.headers(), HashSet::from(["a".to_owned()]));
    let spans = collector.spans();
    let whole: Vec<_> = spans.iter().filter(|span| span.name == "oz_worker.task").collect();
    assert_eq!(whole.len(), 2, "{spans:#?}");
    let events =
        |span: &collector::Span| span.events.iter().map(|event| event.name.clone()).collect::<Vec<_>>();
    let before = ["task.assigned", "task.claimed", "task.started", "backend.started"];
    assert_eq!(events(whole[0]), [&before[..], &["task.completed"]].concat());
    assert_eq!(events(whole[1]), [&before[..], &["task.cancellation_requested", "task.cancelled"]].concat());
    let about = collector::attributes(&whole[1].attributes);
    assert_eq!(about.get("task.id"), Some(&run.to_string()));
    for stage in ["oz_worker.prepare", "oz_worker.run", "oz_worker.cleanup"] {
        let found = spans.iter().filter(|span| span.name == stage && span.parent_span_id == whole[0].span_id);
        assert_eq!(found.count(), 1, "{stage} in {spans:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_metrics_and_traces_over_http() {
    pushed(Collector::http().await, "http/protobuf").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_metrics_and_traces_over_grpc() {
    pushed(Collector::grpc().await, "grpc").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_printed_and_every_line_of_the_log_is_json() {
    let mut world = world();
    let env = [("OTEL_METRICS_EXPORTER", "console"), ("OTEL_METRIC_EXPORT_INTERVAL", "100")];
    let worker = start(&mut world, &["--log-format", "json", "--log-level", "debug"], &env);
    quick(&world).await;
    world.stop_worker(worker);
    assert!(world.read_log("w1.out").contains("oz_worker_tasks_claimed_total"));
    let log = world.read_log("w1");
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let took = lines.iter().find(|line| line["message"] == "took a run").unwrap_or_else(|| panic!("{log}"));
    assert_eq!(took["level"], "INFO");
    assert!(took["timestamp"].is_string() && took["run"].is_string(), "{took}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_variables_nothing_listens_and_nothing_is_sent() {
    let mut world = world();
    let worker = start(&mut world, &[], &[]);
    quick(&world).await;
    let sockets = sockets(world.worker_pid(worker));
    assert_eq!(sockets, [(format!("{:04X}", world.port()), "01".to_owned())], "only the control plane");
}

/// The TCP sockets of a process: the port of the other side, and the state, as the kernel writes them.
fn sockets(pid: u32) -> Vec<(String, String)> {
    let own: HashSet<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .flatten()
        .filter_map(|fd| {
            fs::read_link(fd.path())
                .ok()?
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')
                .map(str::to_owned)
        })
        .collect();
    let tables = ["tcp", "tcp6"]
        .map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default());
    tables
        .iter()
        .flat_map(|table| table.lines().skip(1))
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            own.contains(fields[9])
                .then(|| (fields[2].rsplit(':').next().unwrap().to_owned(), fields[3].to_owned()))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_had_is_said_once_and_the_worker_works() {
    let mut world = world();
    start(&mut world, &[], &[("OTEL_METRICS_EXPORTER", "statsd")]);
    quick(&world).await;
    let log = world.read_log("w1");
    let told = "OTEL_METRICS_EXPORTER: 'statsd' is not valid; expected prometheus, otlp, console or none";
    assert_eq!(log.matches(told).count(), 1, "{log}");
}
