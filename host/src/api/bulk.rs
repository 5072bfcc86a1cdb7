//! The same done to many tasks.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::{Extension, Json};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::again::{AgainBody, run_again};
use super::extract::{JsonBody, Path};
use super::guard::{MOST_TOLD, SoFar, Told};
use super::list::Wanted;
use super::{Api, Problem};
use crate::access::What;
use crate::store::{Cancelled, Count, Deleted, Requeued};
use crate::task::TaskId;

/// Ids that one request may name.
pub(crate) const MOST_IDS: usize = 1_000;

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
    Extension(so_far): Extension<SoFar>,
    JsonBody(body): JsonBody<BulkBody>,
) -> Result<Json<BulkReply>, Problem> {
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
    let mut tally = Tally::default();
    so_far.tell(tally.told(deed));
    let ids = chosen(&api, body).await?;
    // Whatever breaks off from now on has done something, as far as anybody knows.
    so_far.tell(Told { nothing: false, ..tally.told(deed) });
    let (api, away) = (&api, &AtomicBool::new(false));
    let mut reply = BulkReply { matched: ids.len() as u64, done: 0, refused: Vec::new() };
    // Once the store is away, whatever is left would fail likewise; what is under way is heard to its end.
    let left = ids.into_iter().take_while(|_| !away.load(Ordering::Relaxed));
    let mut replies =
        stream::iter(left.map(|id| async move { (one(api, deed, &id).await, id) })).buffered(AT_ONCE);
    let mut unavailable = None;
    while let Some((result, id)) = replies.next().await {
        tally.note(&id, &result);
        so_far.tell(Told { nothing: false, ..tally.told(deed) });
        let Err(problem) = result else { continue };
        if reply.refused.len() < MOST_REFUSED {
            reply.refused.push(Untouched { id: id.to_string(), why: problem.detail.clone() });
        }
        if problem.status == StatusCode::SERVICE_UNAVAILABLE {
            away.store(true, Ordering::Relaxed);
            unavailable.get_or_insert(problem);
        }
    }
    so_far.tell(tally.told(deed));
    reply.done = tally.done;
    match unavailable {
        Some(problem) if tally.done == 0 => Err(problem),
        _ => Ok(Json(reply)),
    }
}

/// What has come of them, for the audit log.
#[derive(Default)]
struct Tally {
    done: u64,
    /// Of those that are done, the first.
    named: Vec<String>,
    /// The store has failed: they may be done or not.
    unsure: u64,
}

impl Tally {
    fn note(&mut self, id: &TaskId, result: &Result<(), Problem>) {
        match result {
            Ok(()) => {
                self.done += 1;
                if self.named.len() < MOST_TOLD {
                    self.named.push(id.to_string());
                }
            }
            Err(problem) if problem.status >= 500 => self.unsure += 1,
            Err(_) => {}
        }
    }

    fn told(&self, deed: Deed) -> Told {
        let mut detail = self.named.join(" ");
        if self.done > self.named.len() as u64 {
            detail.push_str(" …");
        }
        if self.unsure > 0 {
            let after = if detail.is_empty() { "" } else { "; " };
            detail = format!("{detail}{after}of {} more it is not known", self.unsure);
        }
        Told {
            subject: format!("{} tasks", self.done),
            detail: (!detail.is_empty()).then_some(detail),
            what: Some(deed.what()),
            nothing: self.done == 0 && self.unsure == 0,
        }
    }
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
