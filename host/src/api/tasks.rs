//! Submitting, reading and cancelling tasks.

use axum::extract::{Request, State as Extract};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::extract::{Path, Query};
use super::git::GitBody;
use super::guard::Told;
use super::heavy::off_thread;
use super::{Api, Problem, upload};
use crate::store::{Cancelled, Idempotency, StoreError, Submitted};
use crate::submission::{BudgetWish, PlaceWish, Submission};
use crate::task::{Digest, Steps, Task, TaskId, Trace};
use crate::workspace;

/// The longest idempotency key that is taken.
const MAX_KEY: usize = 255;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SubmitBody {
    /// What is to be done, in words; at most 256 KiB.
    pub goal: String,
    /// A configured pipeline. Left out: the default one.
    pub pipeline: Option<String>,
    /// The files to start from.
    #[serde(default)]
    pub files: Vec<FileBody>,
    /// Paths of the tests the result must pass; they can't be changed by a step. Left out: the
    /// checker finds tests by its own rules.
    #[serde(default)]
    pub tests: Vec<String>,
    #[serde(default)]
    pub budget: BudgetWish,
    /// Where it waits.
    #[serde(default)]
    pub place: PlaceWish,
    /// Globs of files that builder and fixer can't change, besides the pipeline's.
    #[serde(default)]
    pub protected: Vec<String>,
    /// Parts that take the place of the pipeline's.
    #[serde(default)]
    pub steps: Steps,
    /// Start from the files of this repository. `files` take the place of those with the same path.
    pub git: Option<GitBody>,
}

/// One file; exactly one of `content` and `base64` is set.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileBody {
    /// Relative, with `/` between folders.
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    #[serde(default)]
    pub executable: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Accepted {
    id: TaskId,
    url: String,
    events: String,
    /// What was left out of an archive, and why.
    notes: Vec<String>,
}

/// Queues a task.
#[utoipa::path(
    post, path = "/api/v1/tasks",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the same task, for 24 hours"),
           ("traceparent" = Option<String>, Header, description = "The caller's span (W3C Trace Context); models are asked in the same trace")),
    request_body(description = "JSON with files, or a form with the fields goal, pipeline, tests, budget, place, protected, steps, git, strip, archive",
                 content((SubmitBody = "application/json"), (String = "multipart/form-data"))),
    responses((status = 202, body = Accepted), (status = 200, body = Accepted, description = "This key was used before"),
              (status = 400, body = Problem),
              (status = 403, body = Problem, description = "This host takes no files from such repositories"),
              (status = 409, body = Problem), (status = 413, body = Problem),
              (status = 415, body = Problem), (status = 422, body = Problem),
              (status = 429, body = Problem, description = "The queue is full; Retry-After says when to come again"),
              (status = 500, body = Problem, description = "This host can't read or keep files: its log says why"),
              (status = 503, body = Problem, description = "The disk is full, the store is away, or a turn to read files did not come"),
              (status = 504, body = Problem, description = "The repository was not read in time"))
)]
pub(super) async fn submit(
    Extract(api): Extract<Api>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let mut upload = upload::read(&api, request).await?;
    upload.submission.trace = trace(&headers);
    let idempotency = key.map(|key| Idempotency { key, body: upload.body });
    let submitted = api.submit(upload.submission, idempotency).await?;
    drop(upload.turns);
    Ok(accepted(submitted, upload.notes))
}

impl Api {
    pub(super) async fn submit(
        &self,
        submission: Submission,
        idempotency: Option<Idempotency>,
    ) -> Result<Submitted, Problem> {
        let (catalog, store) = (self.runtime.catalog(), self.store.as_ref());
        Ok(submission.submit(&self.settings, &catalog, store, &self.snapshots, idempotency).await?)
    }
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    match headers.get("idempotency-key").map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(key)) => checked_key(key).map(Some),
        Some(Err(_)) => checked_key("").map(Some),
    }
}

pub(super) fn checked_key(key: &str) -> Result<String, Problem> {
    let visible = key.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
    match visible && !key.is_empty() && key.len() <= MAX_KEY {
        true => Ok(key.to_owned()),
        false => Err(Problem::bad_request("Idempotency-Key must be 1 to 255 visible ASCII characters")),
    }
}

/// The caller's span, which the task's steps and its calls of models belong to.
pub(super) fn trace(headers: &HeaderMap) -> Option<Trace> {
    headers.get("traceparent").and_then(|value| Trace::parse(value.to_str().ok()?))
}

pub(super) fn accepted(submitted: Submitted, notes: Vec<String>) -> Response {
    let url = format!("/api/v1/tasks/{}", submitted.id);
    let status = if submitted.created { StatusCode::ACCEPTED } else { StatusCode::OK };
    let told = Told { subject: submitted.id.to_string(), nothing: !submitted.created, ..Told::default() };
    let accepted = Accepted { events: format!("{url}/events"), url: url.clone(), id: submitted.id, notes };
    (status, Extension(told), [(header::LOCATION, url)], Json(accepted)).into_response()
}

/// One task, whole.
#[utoipa::path(get, path = "/api/v1/tasks/{id}", params(("id" = String, Path)),
               responses((status = 200, body = Task), (status = 404, body = Problem)))]
pub(super) async fn show(Extract(api): Extract<Api>, Path(id): Path<String>) -> Result<Json<Task>, Problem> {
    Ok(Json(find(&api, &id).await?))
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CancelReply {
    /// `ended`, `requested` (it is running and will stop within seconds) or `already-ended`.
    state: &'static str,
}

/// Ends a task. Asking twice is harmless.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/cancel", params(("id" = String, Path)),
               responses((status = 202, body = CancelReply), (status = 404, body = Problem)))]
pub(super) async fn cancel(
    Extract(api): Extract<Api>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Extension<Told>, Json<CancelReply>), Problem> {
    let cancelled = api.store.cancel(&TaskId::parse(&id)?).await?;
    let state = match cancelled {
        Cancelled::Ended => "ended",
        Cancelled::Requested => "requested",
        Cancelled::AlreadyEnded => "already-ended",
    };
    let told = Told { nothing: cancelled == Cancelled::AlreadyEnded, subject: id, ..Told::default() };
    Ok((StatusCode::ACCEPTED, Extension(told), Json(CancelReply { state })))
}

/// Deletes a task that has ended, with its events and logs. Files that no other task has go with the next
/// collection.
#[utoipa::path(delete, path = "/api/v1/tasks/{id}", params(("id" = String, Path)),
               responses((status = 204, description = "It is gone"), (status = 404, body = Problem),
                         (status = 409, body = Problem, description = "It has not ended")))]
pub(super) async fn delete(
    Extract(api): Extract<Api>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    super::bulk::delete(&api, &TaskId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct TreeQuery {
    /// The tree that round left; 0: as it was submitted. Left out: the outcome's, or the best so far.
    round: Option<usize>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct DiffQuery {
    /// The tree that round left; 0: as it was submitted. Left out: the outcome's, or the best so far.
    round: Option<usize>,
    /// Compare with the tree that round left. 0 or left out: with the submission.
    from: Option<usize>,
    /// Compare with another task: `from` is a round of that one, and left out, its result or its best so far.
    with: Option<String>,
}

/// What changed between two trees, of one task or of two, as a unified diff for `git apply` or `patch -p1`.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/diff", params(("id" = String, Path), DiffQuery),
               responses((status = 200, content_type = "text/x-diff", body = String), (status = 400, body = Problem),
                         (status = 404, body = Problem)))]
pub(super) async fn diff(
    Extract(api): Extract<Api>,
    Path(id): Path<String>,
    Query(query): Query<DiffQuery>,
) -> Result<Response, Problem> {
    let task = find(&api, &id).await?;
    let other = match &query.with {
        Some(id) => Some(find(&api, id).await?),
        None => None,
    };
    let from = match &other {
        Some(other) => chosen(other, query.from),
        None => chosen(&task, query.from.or(Some(0))),
    };
    let old = api.snapshots.load(from?).await?;
    let new = api.snapshots.load(chosen(&task, query.round)?).await?;
    let text = off_thread(move || Ok(workspace::diff(&old, &new))).await?;
    Ok(([(header::CONTENT_TYPE, "text/x-diff; charset=utf-8")], text).into_response())
}

/// All files as .tar.gz.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/archive", params(("id" = String, Path), TreeQuery),
               responses((status = 200, content_type = "application/gzip", body = String), (status = 400, body = Problem),
                         (status = 404, body = Problem)))]
pub(super) async fn archive(
    Extract(api): Extract<Api>,
    Path(id): Path<String>,
    Query(query): Query<TreeQuery>,
) -> Result<Response, Problem> {
    let task = find(&api, &id).await?;
    let tree = api.snapshots.load(chosen(&task, query.round)?).await?;
    let broken = |error: String| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error);
    let pack = move || workspace::to_tar_gz(&tree).map_err(|error| broken(error.to_string()));
    let bytes = off_thread(pack).await?;
    let name = format!("attachment; filename=\"{}.tar.gz\"", task.id);
    let headers =
        [(header::CONTENT_TYPE, "application/gzip".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, bytes).into_response())
}

pub(super) async fn find(api: &Api, id: &str) -> Result<Task, Problem> {
    let id = TaskId::parse(id)?;
    match api.store.get(&id).await? {
        Some(task) => Ok(task),
        None => Err(StoreError::NotFound(id).into()),
    }
}

pub(super) fn chosen(task: &Task, round: Option<usize>) -> Result<&Digest, Problem> {
    match round {
        None => Ok(task.outcome.as_ref().map_or_else(|| task.best_tree(), |outcome| &outcome.tree)),
        Some(0) => Ok(&task.spec.tree),
        Some(number) => number
            .checked_sub(1)
            .and_then(|index| task.rounds.get(index)?.tree.as_ref())
            .ok_or_else(|| Problem::not_found(format!("round {number} left no tree"))),
    }
}
