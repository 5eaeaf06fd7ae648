//! A team with one of everything, and the callers that try to get at it.

use super::super::all;
use crate::{
    auth,
    ctx::{Ctx, now},
    store::{
        accounts::{Caller, NewKey, short_id, suffix},
        executions::{NewOffer, Report},
        files::Purpose,
    },
    testing::seal_with,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use oz_core::{
    ExecutionId, RunId,
    api::{ALL, BASE, UpdateRun},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use tower_service::Service as _;

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {}", self.status, self.text))
    }
}

/// A control plane with its routes, built once.
#[derive(Clone)]
pub(super) struct Plane {
    ctx: Ctx,
    routes: Router,
}

impl Plane {
    pub(super) fn new(ctx: Ctx) -> Self {
        Self { routes: all(ctx.clone()), ctx }
    }
}

impl std::ops::Deref for Plane {
    type Target = Ctx;
    fn deref(&self) -> &Ctx {
        &self.ctx
    }
}

/// Makes a call. Of a stream only what comes at once is read.
pub(super) async fn call(
    ctx: &Plane,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: Option<Value>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("host", "oz.test");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
    let Ok(response) = ctx.routes.clone().call(request.body(body).unwrap()).await;
    let status = response.status().as_u16();
    let whole = tokio::time::timeout(Duration::from_millis(50), to_bytes(response.into_body(), 1 << 20));
    let bytes = whole.await.ok().and_then(Result::ok).unwrap_or_default();
    Answer { status, text: String::from_utf8_lossy(&bytes).into_owned() }
}

#[derive(Clone)]
pub(super) struct Scene {
    /// Stands in everything that the team has; nobody else may ever read it.
    pub(super) secret: String,
    ids: BTreeMap<&'static str, String>,
    keys: BTreeMap<&'static str, String>,
    /// A good request for a new secret of the team.
    new_secret: Value,
}

/// A model service of this name.
fn service(name: &str) -> Value {
    json!({ "name": name, "api": "openai-chat", "base_url": "http://localhost:1", "models": [{ "id": name }] })
}

const FIRST_KEY: &str = "wk-1.abababababababababababababababababababababababababababababababab";

impl Scene {
    /// Makes a team with one of everything.
    pub(super) async fn set(ctx: &Plane) -> Self {
        let secret = format!("secret-{}", uuid::Uuid::new_v4().simple());
        let mut scene = Self { secret, ids: BTreeMap::new(), keys: BTreeMap::new(), new_secret: Value::Null };
        for team in ["admin", "stranger"] {
            let name = if team == "admin" { scene.secret.as_str() } else { "elsewhere" };
            let answer = scene.make(ctx, FIRST_KEY, "/agent/teams", json!({ "name": name })).await;
            scene.keys.insert(team, answer["raw_api_key"].as_str().unwrap().to_owned());
            scene.ids.insert(team, answer["principal"]["uid"].as_str().unwrap().to_owned());
        }
        scene.people(ctx).await;
        scene.things(ctx).await;
        scene.runs(ctx).await;
        scene
    }

    async fn make(&self, ctx: &Plane, key: &str, path: &str, body: Value) -> Value {
        let answer = call(ctx, "POST", &format!("{BASE}{path}"), Some(key), Some(body)).await;
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.text);
        answer.json()
    }

    /// Makes something as the admin and remembers its id.
    async fn add(&mut self, ctx: &Plane, name: &'static str, field: &str, path: &str, body: Value) -> Value {
        let made = self.make(ctx, &self.keys["admin"], path, body).await;
        let id = made.pointer(field).and_then(Value::as_str).unwrap_or_else(|| panic!("{path}: {made}"));
        self.ids.insert(name, id.to_owned());
        made
    }

    async fn people(&mut self, ctx: &Plane) {
        let email = format!("{}@example.com", self.secret);
        let invited =
            self.add(ctx, "spent", "/invitation/uid", "/agent/invitations", json!({ "email": email })).await;
        let joined = self
            .make(ctx, "wk-nobody", "/agent/invitations/accept", json!({ "code": invited["code"] }))
            .await;
        self.keys.insert("member", joined["raw_api_key"].as_str().unwrap().to_owned());
        self.ids.insert("member", joined["principal"]["uid"].as_str().unwrap().to_owned());
        let email = format!("more-{email}");
        let open = self
            .add(ctx, "invitation", "/invitation/uid", "/agent/invitations", json!({ "email": email }))
            .await;
        self.ids.insert("code", open["code"].as_str().unwrap().to_owned());
        let name = self.secret.clone();
        self.add(ctx, "identity", "/uid", "/agent/identities", json!({ "name": name })).await;
        let body = json!({ "name": name, "agent_uid": self.ids["identity"] });
        let key = self.add(ctx, "key", "/api_key/uid", "/agent/api-keys", body).await;
        self.keys.insert("agent", key["raw_api_key"].as_str().unwrap().to_owned());
        let gone = self.add(ctx, "gone", "/api_key/uid", "/agent/api-keys", json!({ "name": "gone" })).await;
        self.keys.insert("gone", gone["raw_api_key"].as_str().unwrap().to_owned());
        let path = format!("{BASE}/agent/api-keys/{}", self.ids["gone"]);
        assert_eq!(call(ctx, "DELETE", &path, Some(&self.keys["admin"]), None).await.status, 204);
        let admin = ctx.store.caller(&auth::digest(&self.keys["admin"]), now()).await.unwrap();
        let Some(Caller::Key(admin)) = admin else { panic!("no admin") };
        let raw = auth::new_key();
        let key = NewKey {
            name: "expired",
            hash: &auth::digest(&raw),
            suffix: &suffix(&raw),
            expires_at: Some(now() - Duration::from_secs(1)),
        };
        ctx.store.insert_key_of(admin, &key).await.unwrap();
        self.keys.insert("expired", raw);
    }

    async fn things(&mut self, ctx: &Plane) {
        let name = self.secret.clone();
        let config = json!({ "config": { "name": name } });
        self.add(ctx, "environment", "/uid", "/agent/environments", config).await;
        let server = json!({ "name": name, "server": { "url": "https://example.com" } });
        self.add(ctx, "mcp_server", "/uid", "/agent/mcp-servers", server).await;
        self.add(ctx, "profile", "/uid", "/agent/profiles", json!({ "name": name })).await;
        let prompt = json!({ "config": { "name": name, "prompt": name } });
        self.add(ctx, "saved_prompt", "/uid", "/agent/saved-prompts", prompt).await;
        self.add(ctx, "runner", "/uid", "/agent/runners", json!({ "config": { "name": name } })).await;
        let service = json!({ "config": service(&name) });
        self.add(ctx, "model_endpoint", "/uid", "/agent/model-endpoints", service).await;
        let schedule = json!({ "name": name, "cron_schedule": "0 0 1 1 *", "prompt": name });
        self.add(ctx, "schedule", "/id", "/agent/schedules", schedule).await;
        self.add(ctx, "store", "/uid", "/memory_stores", json!({ "description": name })).await;
        let path = format!("{BASE}/agent/secrets/sealing-key");
        let key = call(ctx, "GET", &path, Some(&self.keys["admin"]), None).await.json();
        let sealed = |name: &str| {
            let context = format!("1:{}:{name}:raw_value", key["team_uid"].as_str().unwrap());
            let value = seal_with(key["public_key"].as_str().unwrap(), &context, "value");
            json!({ "name": name, "description": self.secret, "key_id": key["key_id"], "sealed_value": value })
        };
        self.new_secret = sealed("NEW");
        let body = sealed("KNOWN");
        self.add(ctx, "secret", "/uid", "/agent/secrets", body).await;
        let path = format!("/memory_stores/{}/memories", self.ids["store"]);
        self.add(ctx, "memory", "/memory_id", &path, json!({ "content": name, "reason": name })).await;
    }

    async fn runs(&mut self, ctx: &Plane) {
        for run in ["run", "other run", "old run"] {
            let prompt = if run == "run" { &self.secret } else { "another task" };
            let mut body = json!({ "prompt": prompt, "config": { "worker_host": "nowhere" } });
            if run == "run" {
                let store = json!({ "uid": self.ids["store"], "access": "read_write", "instructions": "x" });
                body["config"]["memory_stores"] = json!([store]);
            }
            let made = self.make(ctx, &self.keys["admin"], "/agent/runs", body).await;
            let run_id: RunId = made["run_id"].as_str().unwrap().parse().unwrap();
            let (run_no, execution_id, token) = self.start(ctx, run_id).await;
            let caller = if run == "run" { "own run" } else { run };
            self.keys.insert(caller, token);
            if run != "run" {
                if run == "old run" {
                    let lost = Report::Lost("gone".into());
                    ctx.store.report(run_no, execution_id, lost, now()).await.unwrap();
                }
                continue;
            }
            self.ids.insert("run", run_id.to_string());
            self.ids.insert("execution", execution_id.to_string());
            let conversation = ctx.store.get_run(run_no).await.unwrap().conversation_id.unwrap();
            self.ids.insert("conversation", conversation.to_string());
        }
        let run = self.ids["run"].clone();
        let plan = json!({ "artifact_type": "PLAN", "run_id": run, "content": self.secret });
        self.add(ctx, "artifact", "/artifact_uid", "/agent/artifacts", plan).await;
        let message =
            json!({ "to": [run], "subject": self.secret, "body": self.secret, "sender_run_id": run });
        self.add(ctx, "message", "/message_ids/0", "/agent/messages", message).await;
        // It was answered, so that the run is at work.
        let asked = question(uuid::Uuid::new_v4(), &self.secret);
        let path = "/harness-support/requests";
        let asked = self.make(ctx, &self.keys["own run"], path, asked).await;
        self.ids.insert("request", asked["request_id"].as_str().unwrap().to_owned());
        let path = self.fill("/agent/runs/{run}/requests/{request}/answer");
        let answer = json!({ "decision": "answer", "text": self.secret });
        self.make(ctx, &self.keys["admin"], &path, answer).await;
        self.upload(ctx, Purpose::Transcript).await;
        self.upload(ctx, Purpose::Blocks).await;
        let entry = json!({ "entries": [{ "number": 1, "occurred_at": now(), "event": { "type": "text", "text": self.secret } }] });
        self.make(ctx, &self.keys["own run"], "/harness-support/transcript-entries", entry).await;
    }

    async fn start(&self, ctx: &Plane, run_id: RunId) -> (i64, ExecutionId, String) {
        let run_no = ctx.store.run_no(run_id).await.unwrap().unwrap();
        let (execution_id, token) = (ExecutionId::mint(now()), auth::new_key());
        let offer =
            NewOffer { run_no, execution_id, token_hash: auth::digest(&token), worker_id: "w".into() };
        ctx.store.offer(vec![offer], now()).await.unwrap();
        ctx.store.report(run_no, execution_id, Report::Claimed, now()).await.unwrap();
        let caller = ctx.store.caller(&auth::digest(&token), now()).await.unwrap();
        let Some(Caller::Run(who)) = caller else { panic!("no run") };
        ctx.store.update_run(who, UpdateRun::started(), now()).await.unwrap();
        (run_no, execution_id, token)
    }

    async fn upload(&self, ctx: &Plane, purpose: Purpose) {
        let path = if purpose == Purpose::Blocks { "block-snapshot" } else { "transcript" };
        let body = json!({ "conversation_id": self.ids["conversation"] });
        let path = format!("/harness-support/{path}");
        let target = self.make(ctx, &self.keys["own run"], &path, body).await;
        let url = target["url"].as_str().unwrap().strip_prefix("http://oz.test").unwrap().to_owned();
        let answer = call(ctx, "PUT", &url, None, Some(json!({ "blocks": self.secret }))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    pub(super) fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    pub(super) fn key(&self, caller: &str) -> Option<String> {
        self.keys.get(caller).cloned()
    }

    pub(super) fn bad_keys(&self) -> Vec<Option<String>> {
        let unknown = auth::new_key();
        vec![Some(unknown), self.key("gone"), self.key("expired"), Some("x".into())]
    }

    /// A path with this scene's ids in place of their names.
    pub(super) fn fill(&self, path: &str) -> String {
        self.ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id))
    }

    /// The same with ids that belong to nothing.
    pub(super) fn with_other_ids(&self) -> Self {
        let mut other = self.clone();
        for id in other.ids.values_mut() {
            *id =
                if id.parse::<uuid::Uuid>().is_ok() { uuid::Uuid::now_v7().to_string() } else { short_id() };
        }
        other
    }

    pub(super) fn without_ids(&self, text: &str) -> String {
        self.ids.values().fold(text.to_owned(), |text, id| text.replace(id.as_str(), "…"))
    }

    /// A good request of an endpoint: its method, path and body.
    pub(super) fn request(&self, endpoint: &str) -> (String, String, Option<Value>) {
        let info = ALL.iter().find(|info| info.id == endpoint).unwrap();
        let noun = match info.path {
            p if p.contains("/identities/") => "identity",
            p if p.contains("/environments/") => "environment",
            p if p.contains("/mcp-servers/") => "mcp_server",
            p if p.contains("/profiles/") => "profile",
            p if p.contains("/secrets/") => "secret",
            p if p.contains("/saved-prompts/") => "saved_prompt",
            p if p.contains("/runners/") => "runner",
            p if p.contains("/model-endpoints/") => "model_endpoint",
            p if p.contains("/api-keys/") => "key",
            p if p.contains("/users/") => "member",
            p if p.contains("/invitations/") => "invitation",
            _ => "store",
        };
        let path = info.path.replace("{uid}", &format!("{{{noun}}}"));
        let path = path.replace("{run_id}", "{run}").replace("{conversation_id}", "{conversation}");
        let path = path.replace("{session_id}", "{execution}").replace("{message_id}", "{message}");
        let path = path
            .replace("{request_id}", "{request}")
            .replace("{schedule_id}", "{schedule}")
            .replace("{artifact_uid}", "{artifact}");
        let mut path = format!("{BASE}{}", self.fill(&path.replace("{memory_id}", "{memory}")));
        if endpoint == "ListEvents" {
            path = format!("{path}?run_ids={}", self.ids["run"]);
        }
        let body = (!info.in_query()).then(|| self.body(endpoint));
        (info.method.to_string(), path, body)
    }

    fn body(&self, endpoint: &str) -> Value {
        let run = &self.ids["run"];
        match endpoint {
            "CreateRun" | "CreateLocalRun" => json!({ "prompt": "x" }),
            "SubmitFollowup" | "NotifyUser" => json!({ "message": "x" }),
            "AnswerRunRequest" => json!({ "decision": "answer", "text": "x" }),
            "RaiseRequest" => question(uuid::Uuid::new_v4(), "x"),
            "StoreEventSequence" => json!({ "sequence": 1 }),
            "ReportClientEvent" => {
                json!({ "event_uuid": uuid::Uuid::new_v4(), "event_name": "x", "timestamp": now() })
            }
            "PrepareAttachments" | "UploadHandoff" | "UploadSnapshot" => {
                json!({ "files": [{ "filename": "a", "mime_type": "text/plain" }] })
            }
            "DownloadAttachments" => json!({ "attachment_ids": [] }),
            "RenameConversation" => json!({ "title": "x" }),
            "SendMessage" => json!({ "to": [run], "subject": "x", "body": "x", "sender_run_id": run }),
            "ReportEvent" => json!({ "event_type": "run_blocked" }),
            "CreateSchedule" => json!({ "name": "x", "cron_schedule": "0 0 1 1 *", "prompt": "x" }),
            "UpdateSchedule" => json!({ "name": "x", "cron_schedule": "0 0 1 1 *", "enabled": true }),
            "CreateIdentity" | "CreateProfile" | "UpdateProfile" | "UpdateTeam" | "CreateTeam" => {
                json!({ "name": "x" })
            }
            "CreateSavedPrompt" | "UpdateSavedPrompt" => json!({ "config": { "name": "x", "prompt": "x" } }),
            "CreateRunner" | "UpdateRunner" => json!({ "config": { "name": "x" } }),
            "CreateModelEndpoint" | "UpdateModelEndpoint" => json!({ "config": service("x") }),
            "UpdateBudget" => json!({ "monthly_limit_usd": 1, "run_limit_usd": null }),
            "CreateEnvironment" | "UpdateEnvironment" => json!({ "config": { "name": "x" } }),
            "CreateMcpServer" | "UpdateMcpServer" => {
                json!({ "name": "x", "server": { "command": "x" } })
            }
            // For the agent of this team: a stranger must not get a key for it.
            "CreateApiKey" => json!({ "name": "x", "agent_uid": self.ids["identity"] }),
            "CreateSecret" => self.new_secret.clone(),
            "UpdateSecret" => json!({ "description": "x" }),
            "IssueIdentityToken" => json!({ "audience": "sts.amazonaws.com" }),
            "UpdateUser" => json!({ "role": "member" }),
            "CreateInvitation" => json!({ "email": "new@example.com" }),
            "AcceptInvitation" => json!({ "code": self.ids["code"] }),
            "CreateArtifact" => json!({ "artifact_type": "PLAN", "run_id": run, "content": "x" }),
            "CreateMemory" | "UpdateMemory" => json!({ "content": "x" }),
            "SearchOwnMemories" => json!({ "query": self.secret }),
            "WriteOwnMemory" => json!({ "store_uid": self.ids["store"], "content": "x" }),
            "AppendTranscript" => json!({ "entries": [] }),
            "ReportSkills" => json!({ "repo": "a/b", "skills": [] }),
            "CreateExternalConversation" => json!({ "format": "x" }),
            "UploadTranscript" | "UploadBlocks" => json!({ "conversation_id": self.ids["conversation"] }),
            "CommitSnapshot" => json!({ "generation": "g", "files": ["a"] }),
            "ReportArtifact" => {
                json!({ "artifact_type": "PULL_REQUEST", "data": { "url": "https://x", "branch": "b" } })
            }
            "FinishTask" => json!({ "success": true, "summary": "x" }),
            "UpdateRun" => json!({ "task_state": "INPROGRESS" }),
            _ => json!({}),
        }
    }
}

fn question(request_id: uuid::Uuid, title: &str) -> Value {
    json!({ "request_id": request_id, "kind": "question", "title": title })
}
