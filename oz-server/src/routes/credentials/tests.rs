use crate::{
    auth,
    ctx::{Ctx, now},
    routes::all,
    store::executions::{NewOffer, Report},
    testing::{self, seal_with},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use oz_core::{ExecutionId, RunId};
use serde_json::{Value, json};
use std::path::Path;
use tower_service::Service as _;

const KEY: &str = "wk-1.abababababababababababababababababababababababababababababababab";
/// The values of the secrets; long enough to be found by chance nowhere.
const PASSWORD: &str = "correct horse/battery\"staple+äöü";
const API_KEY: &str = "sk-ant-0123456789abcdefghijklmnop";

struct Plane {
    ctx: Ctx,
    routes: Router,
}

impl Plane {
    async fn call(
        &self,
        method: &str,
        path: &str,
        key: &str,
        name: Option<&str>,
        body: Value,
    ) -> (u16, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "oz.test")
            .header("authorization", format!("Bearer {key}"));
        if let Some(name) = name {
            request = request.header("idempotency-key", name);
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let Ok(response) = self.routes.clone().call(request).await;
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn good(&self, method: &str, path: &str, key: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, key, None, body).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer
    }

    async fn secret(&self, name: &str, kind: &str, value: &str) -> Value {
        let sealing = self.good("GET", "/api/v1/agent/secrets/sealing-key", KEY, Value::Null).await;
        let context = format!("1:{}:{name}:{}", sealing["team_uid"].as_str().unwrap(), kind.to_lowercase());
        let sealed_value = seal_with(sealing["public_key"].as_str().unwrap(), &context, value);
        let body =
            json!({ "name": name, "type": kind, "key_id": sealing["key_id"], "sealed_value": sealed_value });
        self.good("POST", "/api/v1/agent/secrets", KEY, body).await
    }

    /// Makes a run and lets it begin. Returns its id and token.
    async fn run(&self, config: Value) -> (RunId, String) {
        let body = json!({ "prompt": "x", "config": config });
        let made = self.good("POST", "/api/v1/agent/runs", KEY, body).await;
        let run_id: RunId = made["run_id"].as_str().unwrap().parse().unwrap();
        let run_no = self.ctx.store.run_no(run_id).await.unwrap().unwrap();
        let (execution_id, token) = (ExecutionId::mint(now()), auth::new_key());
        let offer =
            NewOffer { run_no, execution_id, token_hash: auth::digest(&token), worker_id: "w".into() };
        self.ctx.store.offer(vec![offer], now()).await.unwrap();
        self.ctx.store.report(run_no, execution_id, Report::Claimed, now()).await.unwrap();
        (run_id, token)
    }
}

async fn plane() -> (Plane, testing::Bed) {
    let (ctx, bed) = testing::ctx().await;
    (Plane { routes: all(ctx.clone()), ctx }, bed)
}

const CREDENTIALS: &str = "/api/v1/harness-support/credentials";
const IDENTITY: &str = "/api/v1/harness-support/identity-token";

/// Every file under a directory.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            all.extend(files(&entry.path()));
        } else {
            all.push((entry.path().display().to_string(), std::fs::read(entry.path()).unwrap()));
        }
    }
    all
}

/// How somebody might have written down some bytes. Of base64 the part that does not depend on what stands around it.
fn encodings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![bytes.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    for shift in 0..3 {
        let shifted = [&[0; 3][..shift], bytes].concat();
        for text in [BASE64_STANDARD.encode(&shifted), BASE64_URL_SAFE_NO_PAD.encode(&shifted)] {
            let text = text.trim_end_matches('=');
            all.push(text[4..text.len() - 4].as_bytes().to_vec());
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let quoted = serde_json::to_string(text).unwrap();
        all.push(quoted[1..quoted.len() - 1].as_bytes().to_vec());
        all.push(url::form_urlencoded::byte_serialize(bytes).collect::<String>().into_bytes());
    }
    all
}

fn contains(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_run_gets_values_and_the_data_directory_never_does() {
    let (plane, bed) = plane().await;
    plane.secret("PASSWORD", "RAW_VALUE", PASSWORD).await;
    plane.secret("claude", "ANTHROPIC_API_KEY", &json!({ "api_key": API_KEY }).to_string()).await;
    plane.secret("GITHUB_TOKEN", "RAW_VALUE", PASSWORD).await;
    let (run_id, token) =
        plane.run(json!({ "git_credentials": [{ "host": "h:1", "secret": "PASSWORD" }] })).await;
    for name in [None, Some("n"), Some("n")] {
        let (status, given) = plane.call("POST", CREDENTIALS, &token, name, Value::Null).await;
        assert_eq!(status, 200, "{given}");
        let secrets = given["secrets"].as_array().unwrap();
        let names: Vec<&str> = secrets.iter().map(|secret| secret["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["GITHUB_TOKEN", "PASSWORD", "claude"]);
        assert_eq!(secrets[1]["variables"], json!({ "PASSWORD": PASSWORD }));
        assert_eq!(secrets[2]["variables"], json!({ "ANTHROPIC_API_KEY": API_KEY }));
        let login = |host: &str| json!({ "host": host, "username": "x-access-token", "password": PASSWORD });
        assert_eq!(given["git"], json!([login("h:1"), login("github.com")]));
        let (status, _) = plane.call("POST", IDENTITY, &token, name, json!({ "audience": "a" })).await;
        assert_eq!(status, 200);
    }
    let path = format!("/api/v1/agent/runs/{run_id}");
    let run = plane.good("GET", &path, KEY, Value::Null).await;
    assert_eq!(run["secrets"], json!({ "given": ["GITHUB_TOKEN", "PASSWORD", "claude"], "missing": [] }));
    let private = plane.ctx.vault.private_keys().await;
    assert_eq!(private.len(), 2);
    let mut hidden = vec![PASSWORD.as_bytes().to_vec(), API_KEY.as_bytes().to_vec()];
    hidden.extend(private.iter().map(|key| key.to_vec()));
    let content = files(bed.data_dir());
    let known = encodings(run_id.to_string().as_bytes());
    assert!(content.iter().any(|(_, bytes)| contains(bytes, &known[0])), "the search finds what is there");
    for secret in &hidden {
        for form in encodings(secret) {
            for (file, bytes) in &content {
                assert!(!contains(bytes, &form), "{file} holds {}", String::from_utf8_lossy(&form));
            }
        }
    }
}

#[tokio::test]
async fn no_answer_about_a_secret_shows_its_value_or_its_sealing() {
    let (plane, _bed) = plane().await;
    let made = plane.secret("A", "RAW_VALUE", PASSWORD).await;
    let path = format!("/api/v1/agent/secrets/{}", made["uid"].as_str().unwrap());
    let changed = plane.good("PUT", &path, KEY, json!({ "description": "d" })).await;
    let listed = plane.good("GET", "/api/v1/agent/secrets", KEY, Value::Null).await;
    let log = plane.good("GET", "/api/v1/agent/secrets/log", KEY, Value::Null).await;
    for answer in [made, changed, listed, log] {
        let text = answer.to_string();
        assert!(!text.contains("sealed") && !text.contains("value\":"), "{text}");
        assert!(encodings(PASSWORD.as_bytes()).iter().all(|form| !contains(text.as_bytes(), form)), "{text}");
    }
}

#[tokio::test]
async fn an_identity_token_says_which_run_it_is_of() {
    let (plane, _bed) = plane().await;
    let me = plane.good("GET", "/api/v1/agent/whoami", KEY, Value::Null).await;
    let body = json!({ "config": { "name": "e" } });
    let environment = plane.good("POST", "/api/v1/agent/environments", KEY, body).await["uid"].clone();
    let config = json!({ "environment_id": environment, "worker_host": "build-1", "skill_spec": "a/b:skills/x/SKILL.md" });
    let (run_id, token) = plane.run(config).await;
    let issue = async |body: Value| {
        let answer = plane.good("POST", IDENTITY, &token, body).await;
        let payload = answer["token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        (answer, claims)
    };
    let (answer, claims) = issue(json!({ "audience": "sts.amazonaws.com" })).await;
    let (user, team) = (me["principal"]["uid"].as_str().unwrap(), me["team_id"].as_str().unwrap());
    let issued = claims["iat"].as_i64().unwrap();
    assert_eq!(
        claims,
        json!({
            "iss": "http://oz.test", "aud": ["sts.amazonaws.com"], "sub": format!("user:{user}"),
            "email": "admin@localhost", "teams": [team], "run_id": run_id, "environment": environment,
            "agent_name": "x", "skill_spec": "a/b:skills/x/SKILL.md", "host": "build-1", "iat": issued, "nbf": issued,
            "exp": issued + 3600, "jti": claims["jti"],
        })
    );
    assert_eq!(answer["issuer"], "http://oz.test");
    let (_, other) = issue(json!({
        "audience": "x", "requested_duration_seconds": 60, "subject_template": ["scoped_principal"]
    }))
    .await;
    assert_eq!(other["sub"], format!("scoped_principal:{team}/user:{user}"));
    assert_eq!(other["exp"].as_i64().unwrap() - other["iat"].as_i64().unwrap(), 60);
    assert_ne!(other["jti"], claims["jti"]);
    let body = json!({ "audience": "x", "subject_template": ["colour"] });
    let (status, error) = plane.call("POST", IDENTITY, &token, None, body).await;
    assert_eq!(status, 400);
    assert!(error["detail"].as_str().unwrap().contains("'colour'"), "{error}");
    let document = plane.good("GET", "/.well-known/openid-configuration", "", Value::Null).await;
    assert_eq!(document["issuer"], claims["iss"]);
    let keys = document["jwks_uri"].as_str().unwrap().strip_prefix("http://oz.test").unwrap();
    let keys = plane.good("GET", keys, "", Value::Null).await;
    let header = answer["token"].as_str().unwrap().split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    assert_eq!(keys["keys"][0]["kid"], header["kid"]);
}
