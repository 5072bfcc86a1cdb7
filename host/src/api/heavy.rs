//! Work that takes long enough to hold up everyone else on its thread.

use axum::http::StatusCode;

use super::Problem;

/// Does it on a thread where blocking is allowed.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request failed");
        Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the request could not be worked on; see the log",
        ))
    })
}
