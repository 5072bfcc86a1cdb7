//! Queues and workers.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use serde::Serialize;

use super::extract::Path;
use super::{Api, Problem};
use crate::store::{QueueStats, Stats, WorkerInfo};
use crate::task::{Place, TaskId};

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Queues {
    /// Over all queues.
    tasks: Stats,
    /// Those that are paused or hold tasks, by name.
    queues: Vec<QueueStats>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Workers {
    /// Those that have checked in within the last minute, by name.
    workers: Vec<WorkerInfo>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Paused {
    queue: String,
    paused: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RequeueReply {
    /// Always `queued`.
    state: &'static str,
}

/// What waits and runs where.
#[utoipa::path(get, path = "/api/v1/queues", responses((status = 200, body = Queues)))]
pub(super) async fn queues(Extract(api): Extract<Api>) -> Result<Json<Queues>, Problem> {
    Ok(Json(Queues { tasks: api.store.stats().await?, queues: api.store.queues().await? }))
}

/// The workers that live.
#[utoipa::path(get, path = "/api/v1/workers", responses((status = 200, body = Workers)))]
pub(super) async fn workers(Extract(api): Extract<Api>) -> Result<Json<Workers>, Problem> {
    Ok(Json(Workers { workers: api.store.workers().await? }))
}

/// Workers leave its tasks alone from now on. Those that run go on.
#[utoipa::path(post, path = "/api/v1/queues/{name}/pause", params(("name" = String, Path)),
               responses((status = 200, body = Paused), (status = 422, body = Problem)))]
pub(super) async fn pause(api: Extract<Api>, name: Path<String>) -> Result<Json<Paused>, Problem> {
    set(api, name, true).await
}

/// Workers take its tasks again.
#[utoipa::path(post, path = "/api/v1/queues/{name}/resume", params(("name" = String, Path)),
               responses((status = 200, body = Paused), (status = 422, body = Problem)))]
pub(super) async fn resume(api: Extract<Api>, name: Path<String>) -> Result<Json<Paused>, Problem> {
    set(api, name, false).await
}

async fn set(
    Extract(api): Extract<Api>,
    Path(queue): Path<String>,
    paused: bool,
) -> Result<Json<Paused>, Problem> {
    let place = Place { queue: queue.clone(), ..Place::default() };
    place.check().map_err(|wrong| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, wrong))?;
    api.store.pause(&queue, paused).await?;
    Ok(Json(Paused { queue, paused }))
}

/// Puts a task that has ended, and not green, back into its queue. It keeps its rounds and what it has
/// spent, and goes on with the step that comes next.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/requeue", params(("id" = String, Path)),
               responses((status = 202, body = RequeueReply), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn requeue(
    Extract(api): Extract<Api>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<RequeueReply>), Problem> {
    super::bulk::requeue(&api, &TaskId::parse(&id)?).await?;
    Ok((StatusCode::ACCEPTED, Json(RequeueReply { state: "queued" })))
}
