//! Connections: taken, bounded in how long they may say or take nothing, and closed in order.

mod patient;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::telemetry::chain;
use patient::Patient;

/// From the first byte that could be, to the last byte of a request's headers. So long a connection may also
/// wait for its next request.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// After an error that is not of one connection: no more files can be opened.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves until `close` is cancelled; then requests that are under way may go on to their end. Headers take
/// no longer than `within`, which is what a whole request may take; a client that takes nothing of an answer
/// for so long is cut off.
pub(super) async fn serve(listener: TcpListener, router: Router, within: Duration, close: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = close.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // A message of a few bytes must not wait for the one before it to be acknowledged.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%peer, %error, "a connection can't be settled");
                }
                connections.spawn(connection(stream, peer, router.clone(), within, close.clone()));
            }
            Err(error) if is_of_one(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    within: Duration,
    close: CancellationToken,
) {
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(within.min(HEADERS_WITHIN))
        .serve_connection(TokioIo::new(Patient::new(stream, within)), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = close.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, error = %chain(&error), "a connection broke off");
    }
}

/// The client went away before it was taken.
fn is_of_one(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
