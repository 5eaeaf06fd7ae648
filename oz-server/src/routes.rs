//! The whole route table. A handler gets who calls and the decoded request; the endpoint table says the rest.

mod access;
mod account;
mod blobs;
mod catalog;
mod conversations;
mod credentials;
mod environments;
mod events;
mod files;
mod harness_support;
mod identities;
mod memory;
mod messages;
mod objects;
mod runs;
mod schedules;
mod secrets;
mod spending;
mod team;
mod transcripts;

use crate::{
    ctx::Ctx,
    error::ApiError,
    extract::{self, Fields},
    live::worker_socket,
    openapi,
    store::accounts::Caller,
};
use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{Request, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, get, on},
};
use futures_util::future::BoxFuture;
use oz_core::{
    Error, ErrorCode,
    api::{ALIASES, BASE, Endpoint, Info},
};
use std::sync::Arc;

/// Every route.
pub(crate) fn all(ctx: Ctx) -> Router {
    let router = Router::new()
        .at(runs::create)
        .at(runs::list)
        .at(runs::get)
        .at(runs::cancel)
        .at(runs::follow_up)
        .at(runs::requests)
        .at(runs::answer)
        .at(conversations::of_run)
        .at(conversations::get)
        .at(conversations::redirect)
        .at(conversations::fork)
        .at(conversations::rename)
        .at(conversations::session_redirect)
        .at(conversations::client_event)
        .at(events::read_log)
        .at(events::store_sequence)
        .at(events::list)
        .at(events::report)
        .at(messages::send)
        .at(messages::list)
        .at(messages::read)
        .at(messages::delivered)
        .at(files::handoff)
        .at(files::prepare)
        .at(files::download)
        .at(files::upload_handoff)
        .at(files::artifact)
        .at(files::create_artifact)
        .at(schedules::create)
        .at(schedules::list)
        .at(schedules::get)
        .at(schedules::update)
        .at(schedules::delete)
        .at(schedules::pause)
        .at(schedules::resume)
        .at(schedules::run_now)
        .at(schedules::history)
        .at(catalog::skills)
        .at(catalog::models)
        .at(catalog::images)
        .at(identities::create)
        .at(identities::list)
        .at(identities::get)
        .at(identities::update)
        .at(identities::delete)
        .at(environments::list)
        .at(environments::create)
        .at(environments::get)
        .at(environments::update)
        .at(environments::delete)
        .at(environments::list_mcp_servers)
        .at(environments::create_mcp_server)
        .at(environments::get_mcp_server)
        .at(environments::update_mcp_server)
        .at(environments::delete_mcp_server)
        .at(environments::list_profiles)
        .at(environments::create_profile)
        .at(environments::get_profile)
        .at(environments::update_profile)
        .at(environments::delete_profile)
        .at(secrets::sealing_key)
        .at(secrets::log)
        .at(secrets::list)
        .at(secrets::create)
        .at(secrets::update)
        .at(secrets::delete)
        .at(team::keys)
        .at(team::create_key)
        .at(team::delete_key)
        .at(team::get)
        .at(team::update)
        .at(team::create)
        .at(team::users)
        .at(team::update_user)
        .at(team::remove_user)
        .at(team::invite)
        .at(team::invitations)
        .at(team::withdraw)
        .at(team::accept)
        .at(memory::stores)
        .at(memory::create_store)
        .at(memory::store)
        .at(memory::update_store)
        .at(memory::agents)
        .at(memory::list)
        .at(memory::create)
        .at(memory::update)
        .at(memory::delete)
        .at(memory::versions)
        .at(memory::search_own)
        .at(memory::write_own)
        .at(objects::saved_prompts::list)
        .at(objects::saved_prompts::create)
        .at(objects::saved_prompts::get)
        .at(objects::saved_prompts::update)
        .at(objects::saved_prompts::delete)
        .at(objects::runners::list)
        .at(objects::runners::create)
        .at(objects::runners::get)
        .at(objects::runners::update)
        .at(objects::runners::delete)
        .at(objects::model_endpoints::list)
        .at(objects::model_endpoints::create)
        .at(objects::model_endpoints::get)
        .at(objects::model_endpoints::update)
        .at(objects::model_endpoints::delete)
        .at(spending::budget)
        .at(spending::set_budget)
        .at(spending::usage)
        .at(account::workers)
        .at(account::whoami)
        .at(harness_support::create_local_run)
        .at(harness_support::own_run)
        .at(harness_support::update_run)
        .at(harness_support::append_transcript)
        .at(harness_support::run_status)
        .at(harness_support::raise_request)
        .at(harness_support::own_request)
        .at(credentials::get)
        .at(credentials::identity_token)
        .at(harness_support::attachments)
        .at(harness_support::report_skills)
        .at(harness_support::external_conversation)
        .at(harness_support::upload_transcript)
        .at(harness_support::upload_blocks)
        .at(harness_support::resolve_prompt)
        .at(harness_support::notify_user)
        .at(harness_support::upload_snapshot)
        .at(harness_support::commit_snapshot)
        .at(harness_support::report_artifact)
        .at(harness_support::finish_task)
        .at(harness_support::report_shutdown);
    router
        .route("/api/v1/agent/runs/{run_id}/transcript", get(transcripts::redirect))
        .route("/api/v1/agent/runs/{run_id}/stream", get(events::stream_run))
        .route("/api/v1/agent/events/stream", get(events::stream_events))
        .route("/api/v1/agent/conversations/{conversation_id}/block-snapshot", get(blobs::block_snapshot))
        .route("/api/v1/harness-support/transcript", get(blobs::own_transcript))
        .route("/api/v1/blobs/transcripts/{run_id}", get(transcripts::download))
        .route("/api/v1/blobs/{file_id}", get(blobs::download).put(blobs::upload))
        .route(oz_core::worker::SOCKET_PATH, get(worker_socket::connect))
        .route("/.well-known/openid-configuration", get(credentials::discovery))
        .route("/.well-known/jwks.json", get(credentials::web_keys))
        .route("/openapi.json", get(|| async { Json(openapi::document()) }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(ctx)
}

/// Rewrites the older spelling of a path to the one in the table.
pub(crate) fn canonical(uri: &mut Uri) {
    let path = uri.path();
    let rewritten = ALIASES.iter().find_map(|(from, to, whole)| {
        let rest = path.strip_prefix(from)?;
        (!whole || rest.is_empty()).then(|| format!("{to}{rest}"))
    });
    let Some(path) = rewritten else { return };
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    if let Ok(new) = path_and_query.parse() {
        *uri = new;
    }
}

/// What an endpoint makes of a request: the JSON of its answer.
type Serve = Arc<dyn Fn(Ctx, Caller, Fields) -> BoxFuture<'static, Result<String, Error>> + Send + Sync>;

/// Mounts a handler where the endpoint table says.
trait At {
    fn at<E, F, Fut>(self, handler: F) -> Self
    where
        E: Endpoint,
        F: Fn(Ctx, Caller, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<E::Response, Error>> + Send + 'static;
}

impl At for Router<Ctx> {
    fn at<E, F, Fut>(self, handler: F) -> Self
    where
        E: Endpoint,
        F: Fn(Ctx, Caller, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<E::Response, Error>> + Send + 'static,
    {
        // Only this much is compiled for each endpoint; the rest is the same for all.
        let serve: Serve = Arc::new(move |ctx, caller, fields| {
            let answering = fields.decode().map(|request| handler(ctx, caller, request));
            Box::pin(async move {
                serde_json::to_string(&answering?.await?).map_err(|e| Error::internal(e.to_string()))
            })
        });
        self.route(&format!("{BASE}{}", E::INFO.path), mounted(E::INFO, serve))
    }
}

fn mounted(info: Info, serve: Serve) -> MethodRouter<Ctx> {
    let filter = MethodFilter::try_from(info.method.clone()).unwrap_or(MethodFilter::GET);
    let info = Arc::new(info);
    on(filter, async move |State(ctx): State<Ctx>, request: Request<Body>| {
        let path = request.uri().path().to_owned();
        let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
        let ctx = ctx.reached_as(host);
        answer(&ctx, &info, &serve, request).await.unwrap_or_else(|error| access::problem(error, &path))
    })
}

/// Serves one request of an endpoint.
async fn answer(ctx: &Ctx, info: &Info, serve: &Serve, request: Request<Body>) -> Result<Response, Error> {
    let caller = match access::admit(ctx, info.auth, request.headers()).await {
        Ok(caller) => caller,
        Err(e) => {
            extract::drain(request.into_body()).await;
            return Err(e);
        }
    };
    let (request, named) = match access::turn(ctx, info, &caller, request, extract::MAX_BODY).await? {
        access::Turn::Serve(request, named) => (request, named),
        access::Turn::Answer(answer) => return Ok(*answer),
    };
    let text = match Fields::read(info, *request).await {
        Ok(fields) => serve(ctx.clone(), caller, fields).await,
        Err(error) => Err(error),
    };
    let status = StatusCode::from_u16(info.status).unwrap_or(StatusCode::OK);
    if let Some(named) = named {
        named.answered(ctx, text.as_deref().map(|text| (status, text)).map_err(|_| ())).await;
    }
    let text = text?;
    if status == StatusCode::NO_CONTENT {
        return Ok(status.into_response());
    }
    Ok((status, [(header::CONTENT_TYPE, "application/json")], text).into_response())
}

async fn ready(State(ctx): State<Ctx>) -> Response {
    match ctx.store.ping().await {
        Ok(()) => "ok\n".into_response(),
        Err(e) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")).into_response(),
    }
}

async fn unknown(uri: Uri, body: Body) -> ApiError {
    extract::drain(body).await;
    let path = uri.path();
    let text = format!("there is nothing at {path}; /openapi.json lists what there is");
    ApiError::new(Error::new(ErrorCode::ResourceNotFound, text), path)
}

async fn wrong_method(method: http::Method, uri: Uri, body: Body) -> ApiError {
    extract::drain(body).await;
    let path = uri.path();
    let mut error = Error::invalid(format!("{path} does not take {method}"));
    error.status = Some(405);
    ApiError::new(error, path)
}

#[cfg(test)]
mod callers;
#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::api::{ALL, Auth, BY_HAND};
    use tower_service::Service as _;

    async fn status(ctx: &Ctx, method: &str, path: &str) -> u16 {
        let path: String = path
            .split('/')
            .map(|part| if part.starts_with('{') { "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let Ok(response) = all(ctx.clone()).call(request).await;
        response.status().as_u16()
    }

    #[tokio::test]
    async fn every_row_of_the_table_is_mounted_and_asks_who_calls() {
        let (ctx, _dir) = crate::testing::ctx().await;
        for info in ALL {
            let path = format!("{BASE}{}", info.path);
            let status = status(&ctx, info.method.as_str(), &path).await;
            if info.auth == Auth::Open {
                assert!(![401, 404, 405, 500].contains(&status), "{} {path}: {status}", info.method);
            } else {
                assert_eq!(status, 401, "{} {path}", info.method);
            }
        }
        for (method, path, _) in BY_HAND {
            let status = status(&ctx, method, path).await;
            assert!(![404, 405, 500].contains(&status), "{method} {path}: {status}");
        }
    }

    #[tokio::test]
    async fn who_calls_too_often_is_told_when_to_come_back() {
        let (ctx, _bed) = crate::testing::ctx_with_rate_limit(2).await;
        let key = format!("Bearer wk-1.{}", "ab".repeat(32));
        let mut refused = None;
        for _ in 0..6 {
            let request = Request::builder().uri("/api/v1/agent/whoami").header("authorization", &key);
            let Ok(response) = all(ctx.clone()).call(request.body(Body::empty()).unwrap()).await;
            refused = refused.or((response.status() == 429).then_some(response));
        }
        let refused = refused.expect("a key that calls six times at once");
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
    }

    #[test]
    fn older_paths_mean_the_newer_ones() {
        for (from, to) in [
            ("/api/v1/agent/run", "/api/v1/agent/runs"),
            ("/api/v1/agent/tasks?limit=1", "/api/v1/agent/runs?limit=1"),
            ("/api/v1/agent/tasks/x/cancel", "/api/v1/agent/runs/x/cancel"),
            ("/api/v1/agent/runs/x", "/api/v1/agent/runs/x"),
            ("/api/v1/agent/runner", "/api/v1/agent/runner"),
        ] {
            let mut uri: Uri = from.parse().unwrap();
            canonical(&mut uri);
            assert_eq!(uri.to_string(), to);
        }
    }
}
