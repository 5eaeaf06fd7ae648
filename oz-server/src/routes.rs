//! The whole route table. A handler gets who calls and the decoded request; the endpoint table says the rest.

mod account;
mod events;
mod harness_support;
mod runs;
mod transcripts;

use crate::{
    auth, ctx::Ctx, error::ApiError, extract, live::worker_socket, openapi, store::accounts::Caller,
};
use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{Request, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{MethodFilter, get, on},
};
use oz_core::{
    Error, ErrorCode,
    api::{ALIASES, Auth, BASE, Endpoint},
};

/// Every route.
pub(crate) fn all(ctx: Ctx) -> Router {
    Router::new()
        .at(runs::create)
        .at(runs::list)
        .at(runs::get)
        .at(runs::cancel)
        .at(runs::conversation)
        .at(runs::conversation_by_id)
        .at(events::read_log)
        .at(events::store_sequence)
        .at(events::list)
        .at(account::workers)
        .at(account::whoami)
        .at(harness_support::create_local_run)
        .at(harness_support::own_run)
        .at(harness_support::update_run)
        .at(harness_support::append_transcript)
        .at(harness_support::report_artifact)
        .at(harness_support::finish_task)
        .at(harness_support::report_shutdown)
        .route("/api/v1/agent/runs/{run_id}/transcript", get(transcripts::redirect))
        .route("/api/v1/blobs/transcripts/{run_id}", get(transcripts::download))
        .route("/api/v1/agent/runs/{run_id}/stream", get(events::stream_run))
        .route("/api/v1/agent/events/stream", get(events::stream_events))
        .route(oz_core::worker::SOCKET_PATH, get(worker_socket::connect))
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

/// Mounts a handler where the endpoint table says.
trait At {
    fn at<E, F, Fut>(self, handler: F) -> Self
    where
        E: Endpoint,
        F: Fn(Ctx, Caller, E) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<E::Response, Error>> + Send;
}

impl At for Router<Ctx> {
    fn at<E, F, Fut>(self, handler: F) -> Self
    where
        E: Endpoint,
        F: Fn(Ctx, Caller, E) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<E::Response, Error>> + Send,
    {
        let info = E::INFO;
        let status = StatusCode::from_u16(info.status).unwrap_or(StatusCode::OK);
        let serve = move |State(ctx): State<Ctx>, request: Request<Body>| {
            let handler = handler.clone();
            async move {
                let path = request.uri().path().to_owned();
                let answer = async {
                    let caller = auth::authenticate(&ctx, request.headers())?;
                    if E::INFO.auth == Auth::Workload && !matches!(caller, Caller::Run(_)) {
                        let text = "only the agent process of a run may call this, with the token of its run";
                        return Err(Error::new(ErrorCode::NotAuthorized, text));
                    }
                    let request = extract::decode::<E>(request).await?;
                    handler(ctx.clone(), caller, request).await
                };
                match answer.await {
                    Ok(answer) => (status, Json(answer)).into_response(),
                    Err(error) => ApiError::new(error, &path).into_response(),
                }
            }
        };
        let filter = MethodFilter::try_from(info.method).unwrap_or(MethodFilter::GET);
        self.route(&format!("{BASE}{}", info.path), on(filter, serve))
    }
}

async fn ready(State(ctx): State<Ctx>) -> Response {
    match ctx.store.ping() {
        Ok(()) => "ok\n".into_response(),
        Err(e) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")).into_response(),
    }
}

async fn unknown(request: Request<Body>) -> ApiError {
    let path = request.uri().path();
    let text = format!("there is nothing at {path}; /openapi.json lists what there is");
    ApiError::new(Error::new(ErrorCode::ResourceNotFound, text), path)
}

async fn wrong_method(request: Request<Body>) -> ApiError {
    let path = request.uri().path();
    let mut error = Error::invalid(format!("{path} does not take {}", request.method()));
    error.status = Some(405);
    ApiError::new(error, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::api::{ALL, BY_HAND};
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
            assert_eq!(status(&ctx, info.method.as_str(), &path).await, 401, "{} {path}", info.method);
        }
        for (method, path, _) in BY_HAND {
            let status = status(&ctx, method, path).await;
            assert!(![404, 405, 500].contains(&status), "{method} {path}: {status}");
        }
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
