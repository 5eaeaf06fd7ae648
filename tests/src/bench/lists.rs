//! Pages of a list of 100,000 runs: a page far down the list against the first one, for every sort and every filter.

use crate::{
    Figure,
    http::Http,
    percentile,
    server::{KEY, Server},
};
use serde_json::{Value, json};
use std::time::Instant;

const RUNS: usize = 100_000;
const CLIENTS: usize = 32;
/// How often each page is read; the median counts.
const TIMES: usize = 15;
/// How far down the list the far page is.
const FAR: f64 = 0.9;

pub(crate) async fn run() -> Vec<Figure> {
    let server = Server::start();
    let mut http = Http::connect(server.port).await;
    let names = fill(&server, &mut http).await;
    // The server closes connections that wait for long.
    let mut http = Http::connect(server.port).await;
    let mut worst = (0.0, String::new());
    let mut firsts = Vec::new();
    let mut slowest = (0.0, String::new());
    for query in queries(&names) {
        let (first, far) = measure(&mut http, &query).await;
        firsts.push(first);
        if first > slowest.0 {
            slowest = (first, query.clone());
        }
        let ratio = far / first;
        if ratio > worst.0 {
            worst = (ratio, query);
        }
    }
    let (ratio, query) = worst;
    vec![
        Figure::info(
            "first page of 20 of 100,000 runs, over every sort and filter: median, slowest",
            format!("{:.1} ms, {:.1} ms ({})", percentile(&mut firsts, 0.5), slowest.0, slowest.1),
        ),
        Figure::new(
            "page at 90 % of the list against the first, worst of every sort and filter",
            format!("{ratio:.2}x ({})", if query.is_empty() { "no filter" } else { &query }),
            "<= 2x",
            ratio <= 2.0,
        ),
    ]
}

/// What some filters need to know.
struct Names {
    environment: String,
    parent: String,
    user: String,
}

async fn post(http: &mut Http, path: &str, body: &Value) -> Value {
    let (status, text) = http.send("POST", path, KEY, &body.to_string()).await;
    assert!(status < 300, "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Makes the runs through the API, as users would.
async fn fill(server: &Server, http: &mut Http) -> Names {
    let environment = json!({ "config": { "name": "bench" } });
    let environment = text(&post(http, "/api/v1/agent/environments", &environment).await["uid"]);
    let (_, me) = http.send("GET", "/api/v1/agent/whoami", KEY, "").await;
    let user = text(&serde_json::from_str::<Value>(&me).unwrap()["principal"]["uid"]);
    let parent = json!({ "prompt": "parent", "config": { "worker_host": "nowhere" } });
    let parent = text(&post(http, "/api/v1/agent/runs", &parent).await["run_id"]);
    let names = Names { environment, parent, user };
    let clients = (0..CLIENTS).map(|client| {
        let (port, environment, parent) = (server.port, names.environment.clone(), names.parent.clone());
        tokio::spawn(async move {
            let mut http = Http::connect(port).await;
            for i in (client..RUNS).step_by(CLIENTS) {
                make(&mut http, i, &environment, &parent).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    names
}

async fn make(http: &mut Http, i: usize, environment: &str, parent: &str) {
    let mut body = json!({
        "prompt": format!("please do task number {i} of this list and say what came of it"),
        "title": format!("task {:05}", i * 7919 % RUNS),
        "config": {
            "worker_host": "nowhere",
            "name": if i.is_multiple_of(2) { "even" } else { "odd" },
            "model_id": format!("model-{}", i % 5),
        },
        "metadata": { "automation_id": format!("a{}", i % 4), "colour": if i.is_multiple_of(3) { "red" } else { "blue" } },
    });
    if i.is_multiple_of(4) {
        body["config"]["environment_id"] = environment.into();
    }
    if i % 5 == 1 {
        body["config"]["skill_spec"] = format!("acme/app:skill-{}", i % 3).into();
    }
    if i % 10 == 3 {
        body["parent_run_id"] = parent.into();
    }
    let run_id = text(&post(http, "/api/v1/agent/runs", &body).await["run_id"]);
    if i.is_multiple_of(3) {
        post(http, &format!("/api/v1/agent/runs/{run_id}/cancel"), &Value::Null).await;
    }
    if i % 10 == 7 {
        let plan = json!({ "artifact_type": "PLAN", "run_id": run_id, "content": "a plan" });
        post(http, "/api/v1/agent/artifacts", &plan).await;
    }
}

fn queries(names: &Names) -> Vec<String> {
    let Names { environment, parent, user } = names;
    let mut queries: Vec<String> = Vec::new();
    for sort in ["updated_at", "created_at", "title", "agent"] {
        queries.extend(["asc", "desc"].map(|order| format!("sort_by={sort}&sort_order={order}")));
    }
    queries.extend([
        String::new(),
        "state=QUEUED".into(),
        "state=CANCELLED&state=FAILED".into(),
        "name=even".into(),
        "model_id=model-3".into(),
        format!("creator={user}"),
        format!("executor={user}"),
        "source=API".into(),
        "execution_location=REMOTE".into(),
        "created_after=2020-01-01T00:00:00Z&created_before=2100-01-01T00:00:00Z".into(),
        "updated_after=2020-01-01T00:00:00Z".into(),
        format!("environment_id={environment}"),
        "environment_id=empty-environment".into(),
        "skill_spec=acme/app:skill-1".into(),
        format!("ancestor_run_id={parent}"),
        "artifact_type=PLAN".into(),
        "q=task+list".into(),
        "automation_id=a2".into(),
        "metadata%5Bcolour%5D=red".into(),
        "state=QUEUED&name=odd&metadata%5Bautomation_id%5D=a1&sort_by=title".into(),
    ]);
    queries
}

async fn page(http: &mut Http, query: &str, limit: usize, cursor: Option<&str>) -> Value {
    let cursor = cursor.map_or_else(String::new, |c| format!("&cursor={c}"));
    let path = format!("/api/v1/agent/runs?limit={limit}&{query}{cursor}");
    let (status, text) = http.send("GET", path.trim_end_matches('&'), KEY, "").await;
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// Milliseconds for the first page and for a far one.
async fn measure(http: &mut Http, query: &str) -> (f64, f64) {
    let mut cursors = Vec::new();
    let mut at: Option<String> = None;
    loop {
        let next = page(http, query, 500, at.as_deref()).await["page_info"]["next_cursor"]
            .as_str()
            .map(str::to_owned);
        let Some(next) = next else { break };
        cursors.push(next.clone());
        at = Some(next);
    }
    assert!(!cursors.is_empty(), "{query} finds too few runs to page through");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let far = &cursors[((cursors.len() - 1) as f64 * FAR) as usize];
    let (mut firsts, mut fars) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        for (cursor, times) in [(None, &mut firsts), (Some(far.as_str()), &mut fars)] {
            let started = Instant::now();
            let runs = page(http, query, 20, cursor).await["runs"].as_array().map_or(0, Vec::len);
            assert_eq!(runs, 20, "{query}");
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
    }
    (percentile(&mut firsts, 0.5), percentile(&mut fars, 0.5))
}
