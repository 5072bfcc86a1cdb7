//! What this host can do: plugins and pipelines.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Api;
use crate::plugin::Listing;
use crate::task::Pipeline;

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Pipelines {
    /// The name of the one that tasks get which name none.
    default: String,
    pipelines: Vec<Pipeline>,
}

/// What this host has loaded and how it has done, and what was refused and why.
#[utoipa::path(get, path = "/api/v1/plugins", responses((status = 200, body = Listing)))]
pub(super) async fn plugins(State(api): State<Api>) -> Json<Listing> {
    Json(api.runtime.listing())
}

/// The configured pipelines.
#[utoipa::path(get, path = "/api/v1/pipelines", responses((status = 200, body = Pipelines)))]
pub(super) async fn pipelines(State(api): State<Api>) -> Json<Pipelines> {
    let pipelines = api.settings.pipelines.iter().map(|(name, settings)| settings.resolve(name)).collect();
    Json(Pipelines { default: api.settings.pipeline.clone(), pipelines })
}
