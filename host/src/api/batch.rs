//! Many submissions in one request.

use axum::extract::{Request, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bulk::MOST_TOLD;
use super::guard::Told;
use super::heavy::off_thread;
use super::tasks::{SubmitBody, checked_key, trace};
use super::upload::{self, Upload};
use super::{Api, Problem, rules, spool};
use crate::store::{Idempotency, NewTask, StoreError, Submitted};
use crate::task::{Digest, TaskId, Trace};
use crate::telemetry::spans::{Noted as _, Span};

/// Tasks that one request may submit.
pub(crate) const MOST_TASKS: usize = 1_000;

/// Trees stored at once.
const AT_ONCE: usize = 16;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchBody {
    /// At most 1,000; all of their files together are as long as those of one submission may be.
    tasks: Vec<BatchTask>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchTask {
    /// Read one by one: a mistake in one is no other's.
    #[schema(value_type = SubmitBody)]
    task: Value,
    /// The same key and task give the same task, for 24 hours.
    idempotency_key: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct BatchReply {
    /// That were not there before.
    created: u64,
    /// One for each of the request's tasks, in their order.
    results: Vec<BatchResult>,
}

/// What a submission of its own would have been answered.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct BatchResult {
    /// 202: it is queued; 200: its key was used before; else `problem` says why it was refused: 429 where its queue
    /// is full.
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<TaskId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// What was left out of its files, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

impl BatchResult {
    fn of(result: Result<(Submitted, Vec<String>), Problem>) -> Self {
        match result {
            Ok((Submitted { id, created }, notes)) => Self {
                status: if created { StatusCode::ACCEPTED } else { StatusCode::OK }.as_u16(),
                url: Some(format!("/api/v1/tasks/{id}")),
                id: Some(id),
                notes,
                problem: None,
            },
            Err(problem) => Self {
                status: problem.status,
                id: None,
                url: None,
                notes: Vec::new(),
                problem: Some(problem),
            },
        }
    }
}

/// Queues many tasks. Each is taken or refused on its own, as if it had come alone, and they are queued in their order.
#[utoipa::path(
    post, path = "/api/v1/tasks/batch", request_body = BatchBody,
    params(("traceparent" = Option<String>, Header, description = "The caller's span (W3C Trace Context), of all of them")),
    responses((status = 200, body = BatchReply), (status = 400, body = Problem), (status = 413, body = Problem),
              (status = 422, body = Problem), (status = 503, body = Problem, description = "The store took none of them"))
)]
pub(super) async fn batch(
    Extract(api): Extract<Api>,
    headers: HeaderMap,
    request: Request,
) -> Result<(Extension<Told>, Json<BatchReply>), Problem> {
    let (spooled, _) = spool::body(request, rules::Body::Tree.limit(&api), &api).await?;
    let _turn = if spooled.is_held() { None } else { Some(upload::turn().await) };
    let parsed = off_thread(move || {
        let bytes = spooled.whole().map_err(|error| spool::broken(&error))?;
        serde_json::from_slice::<BatchBody>(&bytes)
            .map_err(|error| Problem::bad_request(format!("the body is no list of submissions: {error}")))
    });
    let BatchBody { tasks } = parsed.await?;
    if tasks.len() > MOST_TASKS {
        let detail = format!("{} tasks are more than {MOST_TASKS}: send them in parts", tasks.len());
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let trace = trace(&headers);
    let prepared = stream::iter(tasks).map(|task| prepare(&api, task, trace.clone())).buffered(AT_ONCE);
    // Whatever can't be queued keeps its place among the answers.
    let (mut ready, mut results, mut spans) = (Vec::new(), Vec::new(), Vec::new());
    for prepared in prepared.collect::<Vec<_>>().await {
        match prepared {
            Ok((new, notes, mut span)) => {
                span.note("task.id", new.id.as_str());
                spans.push(span);
                ready.push(new);
                results.push(Ok(notes));
            }
            Err(problem) => results.push(Err(problem)),
        }
    }
    let mut stored = api.store.submit_many(ready).await.into_iter();
    drop(spans);
    let mut next = || stored.next().unwrap_or_else(|| Err(StoreError::Unavailable("no answer".to_owned())));
    let results: Vec<Result<(Submitted, Vec<String>), Problem>> =
        results.into_iter().map(|result| result.and_then(|notes| Ok((next()?, notes)))).collect();

    let created: Vec<&TaskId> = results
        .iter()
        .filter_map(|result| result.as_ref().ok())
        .filter_map(|(submitted, _)| submitted.created.then_some(&submitted.id))
        .collect();
    let away = |problem: &&Problem| problem.status == StatusCode::SERVICE_UNAVAILABLE;
    if results.iter().all(Result::is_err)
        && let Some(problem) = results.iter().filter_map(|result| result.as_ref().err()).find(away)
    {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, problem.detail.clone()));
    }
    let mut names: Vec<&str> = created.iter().take(MOST_TOLD).map(|id| id.as_str()).collect();
    if created.len() > MOST_TOLD {
        names.push("…");
    }
    let told = Told {
        subject: format!("{} tasks", created.len()),
        detail: Some(names.join(" ")),
        nothing: created.is_empty(),
        ..Told::default()
    };
    let created = created.len() as u64;
    let results = results.into_iter().map(BatchResult::of).collect();
    Ok((Extension(told), Json(BatchReply { created, results })))
}

async fn prepare(
    api: &Api,
    BatchTask { task, idempotency_key }: BatchTask,
    trace: Option<Trace>,
) -> Result<(NewTask, Vec<String>, Option<Span>), Problem> {
    // The same task, however it is spelt: its names are in order here.
    let digest = Digest::of(task.to_string().as_bytes());
    let key = idempotency_key.map(|key| checked_key(&key)).transpose()?;
    let idempotency = key.map(|key| Idempotency { key, body: digest.clone() });
    let body = off_thread(move || {
        serde_json::from_value::<SubmitBody>(task)
            .map_err(|error| Problem::bad_request(format!("this is no submission: {error}")))
    });
    let Upload { mut submission, notes, turn: _turn, .. } =
        upload::described(body.await?, digest, None, api).await?;
    submission.trace = trace;
    let span = submission.begin_span();
    let catalog = api.runtime.catalog();
    let new = submission.prepare(&api.settings, &catalog, &api.snapshots, idempotency).await?;
    Ok((new, notes, span))
}
