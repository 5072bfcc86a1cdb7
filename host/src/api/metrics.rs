//! `/metrics`, on a port of its own: whoever scrapes needs no token, and sees nothing but figures.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Problem;
use crate::store::Store;
use crate::telemetry::metrics;

pub fn metrics_router(store: Arc<dyn Store>) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(store)
}

async fn scrape(State(store): State<Arc<dyn Store>>) -> Result<Response, Problem> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let text = metrics::text(store.as_ref(), u64::try_from(now.as_millis()).unwrap_or(0)).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
