//! The REST API: tasks, their events, plugins, pipelines, health, and who may use which of it.
//!
//! Invariant: no handler calls a plugin, and none changes a running task but by asking for its end.

mod about;
mod again;
mod audit;
mod bulk;
mod batch;
mod changes;
mod cors;
mod events;
mod extract;
mod git;
mod guard;
mod health;
mod heavy;
mod hub;
mod journal;
mod linger;
mod list;
mod listing;
mod metrics;
mod origin;
mod overview;
mod plugins;
mod problem;
mod queues;
mod rules;
mod session;
mod sign_in;
mod spool;
mod tasks;
mod upload;
mod view;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;

use crate::access::Access;
use crate::config::Settings;
use crate::plugin::Runtime;
use crate::store::Store;
use crate::workspace::Snapshots;

pub(crate) use batch::MOST_TASKS;
pub(crate) use bulk::MOST_IDS;
pub use hub::Hub;
pub use metrics::metrics_router;
pub use problem::Problem;
pub use tasks::FileBody;
pub use view::TaskSummary;

/// What the handlers work with.
#[derive(Clone)]
pub struct Api {
    pub store: Arc<dyn Store>,
    pub snapshots: Arc<Snapshots>,
    pub runtime: Arc<Runtime>,
    pub settings: Arc<Settings>,
    pub access: Arc<Access>,
    pub hub: Arc<Hub>,
    /// Cancelled when the host begins to drain: `/readyz` says so.
    pub draining: CancellationToken,
    /// Cancelled when it has drained: event streams end.
    pub stop: CancellationToken,
}

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
        list::count,
        bulk::bulk,
        batch::batch,
        tasks::show,
        tasks::delete,
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
        plugins::upload,
        plugins::allow,
        plugins::remove,
        listing::pipelines,
        overview::overview,
        about::about,
        about::samples,
        session::session,
        session::log_in,
        session::log_out,
        sign_in::sign_in,
        sign_in::signed_in,
        audit::audit,
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
    rules::describe(&mut description);
    description
}

pub fn router(api: Api) -> Router {
    let guarded = Router::new()
        .route("/api/v1/tasks", post(tasks::submit).get(list::list))
        .route("/api/v1/tasks/count", get(list::count))
        .route("/api/v1/tasks/bulk/{deed}", post(bulk::bulk))
        .route("/api/v1/tasks/batch", post(batch::batch))
        .route("/api/v1/tasks/{id}", get(tasks::show).delete(tasks::delete))
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
        .route("/api/v1/plugins", get(listing::plugins).post(plugins::upload))
        .route("/api/v1/plugins/{file}", delete(plugins::remove))
        .route("/api/v1/plugins/{file}/allow", post(plugins::allow))
        .route("/api/v1/pipelines", get(listing::pipelines))
        .route("/api/v1/changes", get(changes::changes))
        .route("/api/v1/overview", get(overview::overview))
        .route("/api/v1/about", get(about::about))
        .route("/api/v1/samples", get(about::samples))
        .route("/api/v1/session", get(session::session).post(session::log_in).delete(session::log_out))
        .route("/api/v1/session/sign-in", get(sign_in::sign_in))
        .route("/api/v1/session/signed-in", get(sign_in::signed_in))
        .route("/api/v1/audit", get(audit::audit))
        .layer(from_fn_with_state(api.clone(), guard::guard))
        .layer(from_fn_with_state(api.clone(), origin::refuse_strangers));
    let routes = guarded.merge(health()).fallback(problem::page_or_unknown);
    finish(routes, api.clone())
        .layer(from_fn_with_state(api, cors::let_in))
        .layer(from_fn(crate::ui::protect))
}

/// What a process without the dashboard role serves.
pub fn health_router(api: Api) -> Router {
    finish(health().fallback(problem::unknown_path), api)
}

fn finish(routes: Router<Api>, api: Api) -> Router {
    routes
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(from_fn_with_state(api.clone(), linger::bound))
        .with_state(api)
}

fn health() -> Router<Api> {
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/api/openapi.json", get(async || axum::Json(openapi())))
}
