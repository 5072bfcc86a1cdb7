//! The REST API: tasks, their events, plugins, pipelines, health.
//!
//! Invariant: no handler calls a plugin, and none changes a task but by submitting or cancelling it.

mod about;
mod again;
mod auth;
mod changes;
mod events;
mod extract;
mod health;
mod heavy;
mod journal;
mod linger;
mod list;
mod listing;
mod metrics;
mod origin;
mod problem;
mod queues;
mod session;
mod tasks;
mod upload;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;

use crate::config::Settings;
use crate::plugin::Runtime;
use crate::store::Store;
use crate::workspace::Snapshots;

pub use metrics::metrics_router;
pub use problem::Problem;
pub use session::Logins;
pub use tasks::FileBody;
pub use view::TaskSummary;

/// What the handlers work with.
#[derive(Clone)]
pub struct Api {
    pub store: Arc<dyn Store>,
    pub snapshots: Arc<Snapshots>,
    pub runtime: Arc<Runtime>,
    pub settings: Arc<Settings>,
    pub logins: Arc<Logins>,
    /// Cancelled when the host begins to drain: `/readyz` says so.
    pub draining: CancellationToken,
    /// Cancelled when it has drained: event streams end.
    pub stop: CancellationToken,
}

/// Files and their encoding around them; more than the default tree limit in Base64.
const BODY_OVERHEAD: f64 = 1.4;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "aiagent-host",
        description = "Tasks that are built, checked and fixed by sandboxed steps until their checks are green. \
                       Errors are application/problem+json (RFC 9457)."
    ),
    paths(
        tasks::submit,
        list::list,
        tasks::show,
        again::again,
        tasks::cancel,
        tasks::diff,
        tasks::archive,
        journal::journal,
        events::stream,
        changes::changes,
        queues::requeue,
        queues::queues,
        queues::pause,
        queues::resume,
        queues::workers,
        listing::plugins,
        listing::pipelines,
        about::about,
        about::samples,
        session::session,
        session::log_in,
        session::log_out,
        health::live,
        health::ready
    ),
    components(schemas(crate::task::Event))
)]
struct Description;

/// The OpenAPI 3.1 document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut description = Description::openapi();
    env!("CARGO_PKG_VERSION").clone_into(&mut description.info.version);
    description
}

pub fn router(api: Api) -> Router {
    let body = (api.snapshots.limits().bytes as f64 * BODY_OVERHEAD) as usize;
    let guarded = Router::new()
        .route("/api/v1/tasks", post(tasks::submit).get(list::list))
        .route("/api/v1/tasks/{id}", get(tasks::show))
        .route("/api/v1/tasks/{id}/cancel", post(tasks::cancel))
        .route("/api/v1/tasks/{id}/again", post(again::again))
        .route("/api/v1/tasks/{id}/journal", get(journal::journal))
        .route("/api/v1/tasks/{id}/requeue", post(queues::requeue))
        .route("/api/v1/queues", get(queues::queues))
        .route("/api/v1/queues/{name}/pause", post(queues::pause))
        .route("/api/v1/queues/{name}/resume", post(queues::resume))
        .route("/api/v1/workers", get(queues::workers))
        .route("/api/v1/tasks/{id}/events", get(events::stream))
        .route("/api/v1/tasks/{id}/diff", get(tasks::diff))
        .route("/api/v1/tasks/{id}/archive", get(tasks::archive))
        .route("/api/v1/plugins", get(listing::plugins))
        .route("/api/v1/pipelines", get(listing::pipelines))
        .route("/api/v1/changes", get(changes::changes))
        .route("/api/v1/about", get(about::about))
        .route("/api/v1/samples", get(about::samples))
        .layer(axum::middleware::from_fn_with_state(api.clone(), auth::require_token))
        .route("/api/v1/session", get(session::session).post(session::log_in).delete(session::log_out))
        .layer(axum::middleware::from_fn_with_state(api.clone(), origin::refuse_strangers))
        .layer(DefaultBodyLimit::max(body.saturating_add(1 << 20)));
    let routes = guarded.merge(health()).fallback(problem::page_or_unknown);
    finish(routes, api).layer(axum::middleware::from_fn(crate::ui::protect))
}

/// What a process without the dashboard role serves.
pub fn health_router(api: Api) -> Router {
    finish(health().fallback(problem::unknown_path), api)
}

fn finish(routes: Router<Api>, api: Api) -> Router {
    routes
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(axum::middleware::from_fn(linger::read_on))
        .with_state(api)
}

fn health() -> Router<Api> {
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/api/openapi.json", get(async || axum::Json(openapi())))
}
