//! Work that takes long enough to hold up everyone else on its thread.

use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Api, Problem};

/// Waits for one, but no longer than a request may take.
pub(super) async fn turn(turns: &'static Semaphore, api: &Api) -> Result<SemaphorePermit<'static>, Problem> {
    let within = Duration::from_secs(api.settings.api.timeout_s);
    let Ok(turn) = tokio::time::timeout(within, turns.acquire()).await else {
        let detail = "others are being read, and this request's turn did not come: try again later";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    };
    Ok(turn.expect("nobody closes it"))
}

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
