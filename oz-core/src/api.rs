//! The endpoint table: one row per endpoint with its doc, authentication, method, path, request and response. The
//! server's routes, the client's `send`, the OpenAPI document and the tests that walk every route come from it.
//!
//! A request type holds path, query and body fields in one struct; path fields are those that the path names, the
//! others go to the query of GET and DELETE and to the JSON body otherwise. Streams, sockets and redirects are not in
//! the table: [`BY_HAND`] lists them.

mod account;
mod events;
mod harness_support;
mod runs;

pub use account::*;
pub use events::*;
pub use harness_support::*;
pub use runs::*;
use runs::{check_limit, check_prompt};

use crate::Error;
use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};

/// Prefix of every path in the table.
pub const BASE: &str = "/api/v1";

/// Header that tells what made a call, such as `CLI`.
pub const SOURCE_HEADER: &str = "x-oz-api-source";
/// Header with the token that proves that a call comes from inside one run.
pub const WORKLOAD_TOKEN_HEADER: &str = "x-warp-ambient-workload-token";
/// Header with the id of the run that a call comes from.
pub const CLOUD_AGENT_ID_HEADER: &str = "x-warp-cloud-agent-id";

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Anybody.
    Open,
    /// Who has a key: a person or a service account. A run may call it too, but sees nothing but itself.
    Key,
    /// The agent process of a run, with the run's own token.
    Workload,
}

/// Checks what a request's types can't.
pub trait Validate {
    /// Checks the request before it reaches its handler.
    ///
    /// # Errors
    /// `invalid_request` that names the field, the value and what would be right.
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// An endpoint, named by its request type.
pub trait Endpoint: Validate + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Its row of the table.
    const INFO: Info;
    /// What it answers.
    type Response: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
}

/// A row of the table.
#[derive(Clone)]
pub struct Info {
    /// The request type's name; the OpenAPI operation id.
    pub id: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Who may call it.
    pub auth: Auth,
    /// HTTP method.
    pub method: Method,
    /// HTTP status of success.
    pub status: u16,
    /// Path after [`BASE`], with `{field}` for path fields.
    pub path: &'static str,
    /// Schema of the request.
    pub request: fn(&mut SchemaGenerator) -> Schema,
    /// Schema of the response.
    pub response: fn(&mut SchemaGenerator) -> Schema,
}

impl Info {
    /// The fields that the path names.
    pub fn path_fields(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'))
    }
    /// Whether fields that the path does not name go to the query rather than to the body.
    #[must_use]
    pub fn in_query(&self) -> bool {
        self.method == Method::GET || self.method == Method::DELETE
    }
}

macro_rules! endpoints {
    ($( $(#[doc = $doc:literal])+ $auth:ident $method:ident $status:literal $path:literal $req:ty => $res:ty; )*) => {
        $( impl Endpoint for $req {
            const INFO: Info = Info {
                id: stringify!($req), doc: concat!($($doc),+), auth: Auth::$auth, method: Method::$method, status: $status,
                path: $path, request: |g| g.subschema_for::<$req>(), response: |g| g.subschema_for::<$res>(),
            };
            type Response = $res;
        } )*
        /// Every row of the table.
        pub static ALL: &[Info] = &[ $( <$req as Endpoint>::INFO ),* ];
    };
}

endpoints! {
    /// Dispatch a run.
    Key POST 200 "/agent/runs" CreateRun => RunCreated;
    /// List runs, a page at a time.
    Key GET 200 "/agent/runs" ListRuns => RunPage;
    /// Get one run.
    Key GET 200 "/agent/runs/{run_id}" GetRun => crate::Run;
    /// Cancel a run. Answers with the run's id.
    Key POST 200 "/agent/runs/{run_id}/cancel" CancelRun => String;
    /// Get the conversation of a run.
    Key GET 200 "/agent/runs/{run_id}/conversation" GetRunConversation => crate::conversation::Conversation;
    /// (+) Read a run's events and transcript after a cursor.
    Key GET 200 "/agent/runs/{run_id}/log" ReadLog => LogPage;
    /// Store the cursor of a run's event consumer.
    Key PATCH 200 "/agent/runs/{run_id}/event-sequence" StoreEventSequence => Empty;
    /// Get a conversation.
    Key GET 200 "/agent/conversations/{conversation_id}" GetConversation => crate::conversation::Conversation;
    /// Read the events of some runs after a cursor.
    Key GET 200 "/agent/events" ListEvents => Vec<crate::event::Event>;
    /// List the workers that are connected.
    Key GET 200 "/agent/connected-self-hosted-workers" ListWorkers => WorkerList;
    /// (+) Who the caller is.
    Key GET 200 "/agent/whoami" WhoAmI => Account;
    /// (+) Record a run that its creator's own machine executes, and get the token for its agent.
    Key POST 200 "/agent/local-runs" CreateLocalRun => LocalRunCreated;
    /// (+) Read what the agent of this run is to do; tells the platform that it lives.
    Workload GET 200 "/harness-support/run" GetOwnRun => crate::Run;
    /// (+) Change the state of this run.
    Workload POST 200 "/harness-support/update-run" UpdateRun => RunStatus;
    /// (+) Append to the transcript of this run; an empty list just tells that the agent lives.
    Workload POST 200 "/harness-support/transcript-entries" AppendTranscript => RunStatus;
    /// Report an artifact of this run.
    Workload POST 200 "/harness-support/report-artifact" ReportArtifact => ArtifactReported;
    /// End this run.
    Workload POST 200 "/harness-support/finish-task" FinishTask => Empty;
    /// Tell that the agent process of this run ends.
    Workload POST 200 "/harness-support/report-shutdown" ReportShutdown => Empty;
}

/// The routes that can't be rows of the table, because they answer with a stream, a socket or a redirect.
pub const BY_HAND: &[(&str, &str, &str)] = &[
    (
        "GET",
        "/api/v1/agent/runs/{run_id}/transcript",
        "302 to a signed URL of the raw transcript (JSON Lines)",
    ),
    (
        "GET",
        "/api/v1/agent/runs/{run_id}/stream",
        "(+) server-sent events: a run's events and transcript, live",
    ),
    ("GET", "/api/v1/agent/events/stream", "server-sent events: the events of some runs, live"),
    ("GET", "/api/v1/blobs/transcripts/{run_id}", "bytes behind a signed URL"),
    ("GET", "/api/v1/selfhosted/worker/ws", "the worker socket"),
    ("GET", "/openapi.json", "the OpenAPI document"),
    ("GET", "/healthz", "200 while the process lives"),
    ("GET", "/readyz", "200 while the store answers"),
];

/// An older spelling of some paths, answered like the newer one: prefix to replace, replacement, whether the whole
/// path must match.
pub const ALIASES: &[(&str, &str, bool)] = &[
    ("/api/v1/agent/run", "/api/v1/agent/runs", true),
    ("/api/v1/agent/tasks", "/api/v1/agent/runs", true),
    ("/api/v1/agent/tasks/", "/api/v1/agent/runs/", false),
];

/// An empty answer: `{}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, serde::Deserialize, JsonSchema)]
pub struct Empty {}
