//! Tells a page that shows many tasks when it is worth looking again.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderName;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::Instant;

use super::Api;
use super::events::HEARTBEAT;

/// The shortest time between two messages: a busy store changes a hundred times a second, and who looks
/// must not notice the wait.
const GATHER: Duration = Duration::from_millis(80);

/// A message `changed` whenever a task may have changed, several changes together.
///
/// It has no content: what has changed is read from the other routes, so that a client that missed some
/// messages has missed nothing.
#[utoipa::path(get, path = "/api/v1/changes",
               responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(super) async fn changes(State(api): State<Api>) -> Response {
    let watch = api.store.watch();
    let stream = stream::unfold((watch, api.stop, Instant::now()), async |(mut watch, stop, next)| {
        tokio::select! {
            () = stop.cancelled() => return None,
            () = watch.changed(HEARTBEAT) => {}
        }
        // The first change after a quiet moment is told at once.
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep_until(next) => {}
        }
        let message = sse::Event::default().event("changed").data("{}");
        Some((Ok::<_, Infallible>(message), (watch, stop, Instant::now() + GATHER)))
    });
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    (unbuffered, Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT))).into_response()
}
