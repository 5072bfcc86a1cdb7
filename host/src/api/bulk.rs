//! The same done to many tasks.

use std::collections::BTreeSet;

use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::{Extension, Json};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::again::{AgainBody, run_again};
use super::extract::{JsonBody, Path};
use super::guard::Told;
use super::list::Wanted;
use super::{Api, Problem};
use crate::access::What;
use crate::store::{Cancelled, Count, Deleted, Requeued};
use crate::task::TaskId;

/// Ids that one request may name.
const MOST_IDS: usize = 1_000;

/// Tasks that one request may find by a filter.
const MOST_FOUND: usize = 100_000;

/// Refusals that are told one by one; more nobody reads.
const MOST_REFUSED: usize = 100;

/// Tasks under way at once: enough for the store to write many in one go.
const AT_ONCE: usize = 64;

#[derive(Clone, Copy, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum Deed {
    Cancel,
    Requeue,
    Again,
    Delete,
}

impl Deed {
    fn what(self) -> What {
        match self {
            Self::Cancel => What::Cancelled,
            Self::Requeue => What::Requeued,
            Self::Again => What::RanAgain,
            Self::Delete => What::Deleted,
        }
    }
}

/// Either `ids`, or `filter` and `expect`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BulkBody {
    /// At most 1,000.
    ids: Option<Vec<String>>,
    /// All that it finds, at most 100,000.
    filter: Option<Wanted>,
    /// How many tasks the filter found when it was looked at. Where it finds more by now, nothing is done.
    expect: Option<u64>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct BulkReply {
    matched: u64,
    done: u64,
    /// Of the others, the first 100.
    refused: Vec<Untouched>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Untouched {
    id: String,
    why: String,
}

/// Cancels, requeues, runs again or deletes many tasks: those that are named, or all that a filter finds.
///
/// Each task is its own change: where the store fails in the middle, some are done, as the answer says. A request
/// that is not answered in time goes on all the same.
#[utoipa::path(
    post, path = "/api/v1/tasks/bulk/{deed}", params(("deed" = inline(Deed), Path)), request_body = BulkBody,
    responses((status = 200, body = BulkReply), (status = 400, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "More tasks match than were expected"),
              (status = 413, body = Problem), (status = 422, body = Problem))
)]
pub(super) async fn bulk(
    Extract(api): Extract<Api>,
    Path(deed): Path<String>,
    JsonBody(body): JsonBody<BulkBody>,
) -> Result<(Extension<Told>, Json<BulkReply>), Problem> {
    let deed = match deed.as_str() {
        "cancel" => Deed::Cancel,
        "requeue" => Deed::Requeue,
        "again" => Deed::Again,
        "delete" => Deed::Delete,
        other => {
            let detail = format!("no such deed {other:?}; known are cancel, requeue, again, delete");
            return Err(Problem::not_found(detail));
        }
    };
    let ids = chosen(&api, body).await?;
    let matched = ids.len() as u64;
    let api = &api;
    let mut replies = stream::iter(ids.into_iter().map(|id| async move { (one(api, deed, &id).await, id) }))
        .buffered(AT_ONCE);
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    while let Some((result, id)) = replies.next().await {
        match result {
            Ok(()) => done.push(id),
            Err(problem) => {
                // Whatever is left would fail likewise.
                let over = problem.status == StatusCode::SERVICE_UNAVAILABLE;
                if over && done.is_empty() {
                    return Err(problem);
                }
                if refused.len() < MOST_REFUSED {
                    refused.push(Untouched { id: id.to_string(), why: problem.detail });
                }
                if over {
                    break;
                }
            }
        }
    }
    let told = Told { what: Some(deed.what()), ..Told::of(&done) };
    let reply = BulkReply { matched, done: done.len() as u64, refused };
    Ok((Extension(told), Json(reply)))
}

async fn chosen(api: &Api, body: BulkBody) -> Result<Vec<TaskId>, Problem> {
    let invalid = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    match (body.ids, body.filter, body.expect) {
        (Some(ids), None, None) if ids.len() > MOST_IDS => {
            Err(invalid(format!("{} ids are more than {MOST_IDS}: send them in parts", ids.len())))
        }
        (Some(ids), None, None) => {
            let ids: Result<BTreeSet<TaskId>, _> = ids.iter().map(|id| TaskId::parse(id)).collect();
            Ok(ids.map_err(|error| invalid(error.to_string()))?.into_iter().collect())
        }
        (None, Some(filter), Some(expect)) => {
            let most = usize::try_from(expect).unwrap_or(usize::MAX).min(MOST_FOUND);
            filter.all(api, most).await
        }
        (None, Some(_), None) => {
            Err(invalid("`expect` is missing: say how many tasks the filter has found".to_owned()))
        }
        _ => Err(invalid("send either `ids`, or `filter` and `expect`".to_owned())),
    }
}

/// Why nothing is done where more than `most` match.
pub(super) fn too_many(found: Count, most: usize) -> Problem {
    let least = if found.exact { "" } else { "at least " };
    if most >= MOST_FOUND {
        let detail =
            format!("{least}{} tasks match, and the most is {MOST_FOUND}: narrow the filter", found.count);
        return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    }
    let detail = format!("{least}{} tasks match by now, {most} were expected: nothing is done", found.count);
    Problem { count: Some(found.count), ..Problem::new(StatusCode::CONFLICT, detail) }
}

async fn one(api: &Api, deed: Deed, id: &TaskId) -> Result<(), Problem> {
    match deed {
        Deed::Cancel => match api.store.cancel(id).await? {
            Cancelled::Ended | Cancelled::Requested => Ok(()),
            Cancelled::AlreadyEnded => Err(conflict(format!("task {id} has ended"))),
        },
        Deed::Requeue => requeue(api, id).await,
        Deed::Again => {
            let task = super::tasks::find(api, id.as_str()).await?;
            run_again(api, task, AgainBody::default(), None, None).await.map(|_| ())
        }
        Deed::Delete => delete(api, id).await,
    }
}

pub(super) async fn requeue(api: &Api, id: &TaskId) -> Result<(), Problem> {
    match api.store.requeue(id, "an operator asked for it").await? {
        Requeued::Queued => Ok(()),
        Requeued::NotEnded => Err(conflict(format!("task {id} has not ended"))),
        Requeued::Green => Err(conflict(format!("task {id} is green: there is nothing left to do"))),
    }
}

pub(super) async fn delete(api: &Api, id: &TaskId) -> Result<(), Problem> {
    match api.store.delete(id).await? {
        Deleted::Gone => Ok(()),
        Deleted::NotEnded => {
            Err(conflict(format!("task {id} has not ended; cancel it, and delete it once it has ended")))
        }
    }
}

fn conflict(detail: String) -> Problem {
    Problem::new(StatusCode::CONFLICT, detail)
}
