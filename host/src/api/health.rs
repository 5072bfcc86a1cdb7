//! `/healthz` asks nobody; `/readyz` asks the store.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::{Api, Problem};
use crate::store::Stats;

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Live {
    status: &'static str,
    version: &'static str,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Ready {
    status: &'static str,
    /// Plugins that can be called.
    plugins: usize,
    tasks: Stats,
}

/// Whether the process runs.
#[utoipa::path(get, path = "/healthz", responses((status = 200, body = Live)))]
pub(super) async fn live() -> Json<Live> {
    Json(Live { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether the host can take and work on tasks.
#[utoipa::path(get, path = "/readyz", responses((status = 200, body = Ready), (status = 503, body = Problem)))]
pub(super) async fn ready(State(api): State<Api>) -> Result<Json<Ready>, Problem> {
    let not_yet = |detail: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    if api.draining.is_cancelled() {
        return Err(not_yet("shutting down"));
    }
    let plugins = api.runtime.catalog().loaded.len();
    if plugins == 0 {
        return Err(not_yet("no plugin is loaded; see GET /api/v1/plugins for the reasons"));
    }
    Ok(Json(Ready { status: "ready", plugins, tasks: api.store.stats().await? }))
}
