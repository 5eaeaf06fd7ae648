//! Accepts connections and drives HTTP over them. Written out rather than left to the framework, to keep the buffers
//! of thousands of idle connections small and to end all of them in bounded time.

use crate::{ctx::Ctx, routes};
use axum::{body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, time::Duration};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service as _;

/// How long requests under way may take to finish once the server stops.
const DRAIN: Duration = Duration::from_secs(5);
/// A connection must send its request line and headers within this time.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);

/// Serves until `shutdown` is cancelled.
pub(crate) async fn serve(ctx: &Ctx, listener: TcpListener, shutdown: CancellationToken) {
    let router = routes::all(ctx.clone());
    let tracker = TaskTracker::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(16 << 10)
        .pipeline_flush(false);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let socket = match accepted {
            Ok((socket, _)) => socket,
            Err(e) => {
                // Out of file descriptors, most likely: wait for some to be freed rather than spin.
                tracing::warn!(error = %e, "accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = socket.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut router = router.clone();
            async move {
                let mut request = request.map(Body::new);
                routes::canonical(request.uri_mut());
                let Ok(response) = router.call(request).await;
                Ok::<_, Infallible>(response)
            }
        });
        let connection = http.serve_connection(TokioIo::new(socket), service).with_upgrades();
        let stop = ctx.shutdown.clone();
        tracker.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => return,
                () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
    ctx.shutdown.cancel();
    tracker.close();
    let _ = tokio::time::timeout(DRAIN, tracker.wait()).await;
}
