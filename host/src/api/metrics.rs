//! `/metrics`, on a port of its own: whoever scrapes needs no token, and sees nothing but figures.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Problem;
use crate::plugin::{Runtime, Status};
use crate::store::Store;
use crate::task;
use crate::telemetry::metrics;

#[derive(Clone)]
struct Scraped {
    store: Arc<dyn Store>,
    runtime: Arc<Runtime>,
}

pub fn metrics_router(store: Arc<dyn Store>, runtime: Arc<Runtime>) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(Scraped { store, runtime })
}

async fn scrape(State(Scraped { store, runtime }): State<Scraped>) -> Result<Response, Problem> {
    let catalog = runtime.catalog();
    let not_served = |status| catalog.refused.iter().filter(|refused| refused.status == status).count();
    let plugins = [
        ("served", catalog.loaded.len()),
        ("refused", not_served(Status::Refused)),
        ("held-back", not_served(Status::HeldBack)),
        ("withdrawn", not_served(Status::Withdrawn)),
    ];
    let text = metrics::text(store.as_ref(), plugins, task::now()).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
