//! Many submissions in one request.

use std::collections::BTreeMap;

use axum::extract::{Request, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use super::git::{self, GitBody};
use super::guard::Told;
use super::heavy::{off_thread, turn};
use super::tasks::{SubmitBody, checked_key, trace};
use super::upload;
use super::{Api, Problem, rules, spool};
use crate::store::{Idempotency, NewTask, StoreError, Submitted};
use crate::task::{Digest, TaskId, Trace};
use crate::telemetry::spans::{Noted as _, Span};
use crate::workspace::{Imported, Tree};

/// Tasks that one request may submit.
const MOST: usize = 1_000;

/// Trees stored at once.
const AT_ONCE: usize = 16;

/// Repositories read at once for one request, and trees stored at once of each.
const REPOSITORIES: usize = 2;
const OF_EACH: usize = AT_ONCE / REPOSITORIES;

/// Long batches that are worked on at once. They may wait for repositories, and no other upload waits for them.
static TURNS: Semaphore = Semaphore::const_new(2);

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
    task: Box<RawValue>,
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
              (status = 422, body = Problem),
              (status = 500, body = Problem, description = "This host can't read or keep files: its log says why"),
              (status = 503, body = Problem, description = "The store or the disk took none of them, or their turn did not come"))
)]
pub(super) async fn batch(
    Extract(api): Extract<Api>,
    headers: HeaderMap,
    request: Request,
) -> Result<(Extension<Told>, Json<BatchReply>), Problem> {
    let (spooled, _) = spool::body(request, rules::Body::Tree.limit(&api), &api).await?;
    let _turn = if spooled.is_held() { None } else { Some(turn(&TURNS, &api).await?) };
    let parsed = off_thread(move || {
        let bytes = spooled.whole().map_err(|error| spool::broken(&error))?;
        serde_json::from_slice::<BatchBody>(&bytes)
            .map_err(|error| Problem::bad_request(format!("the body is no list of submissions: {error}")))
    });
    let BatchBody { tasks } = parsed.await?;
    if tasks.len() > MOST {
        let detail = format!("{} tasks are more than {MOST}: send them in parts", tasks.len());
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let parsed = off_thread(move || Ok(tasks.into_iter().map(parse).collect::<Vec<_>>())).await?;
    // Whatever can't be queued keeps its place among the answers.
    let (mut ready, mut results, mut spans) = (Vec::new(), Vec::new(), Vec::new());
    for prepared in prepare_all(&api, parsed, trace(&headers)).await {
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
    let stored = api.store.submit_many(ready).await;
    for (span, stored) in spans.iter_mut().zip(&stored) {
        if let Err(error) = stored {
            span.failed(error.to_string());
        }
    }
    drop(spans);
    let mut stored = stored.into_iter();
    let mut next = || stored.next().unwrap_or_else(|| Err(StoreError::Unavailable("no answer".to_owned())));
    let results: Vec<Result<(Submitted, Vec<String>), Problem>> =
        results.into_iter().map(|result| result.and_then(|notes| Ok((next()?, notes)))).collect();

    let created: Vec<TaskId> = results
        .iter()
        .filter_map(|result| result.as_ref().ok())
        .filter(|(submitted, _)| submitted.created)
        .map(|(submitted, _)| submitted.id.clone())
        .collect();
    let away = |problem: &&Problem| problem.status == StatusCode::SERVICE_UNAVAILABLE;
    if results.iter().all(Result::is_err)
        && let Some(problem) = results.iter().filter_map(|result| result.as_ref().err()).find(away)
    {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, problem.detail.clone()));
    }
    let told = Told::of(&created);
    let created = created.len() as u64;
    let results = results.into_iter().map(BatchResult::of).collect();
    Ok((Extension(told), Json(BatchReply { created, results })))
}

struct Parsed {
    body: SubmitBody,
    idempotency: Option<Idempotency>,
}

/// Ready to be queued, with what was left out of its files.
type Prepared = (NewTask, Vec<String>, Option<Span>);

fn parse(BatchTask { task, idempotency_key }: BatchTask) -> Result<Parsed, Problem> {
    // Of the same bytes as if it had come alone: a key may be used again either way.
    let idempotency = match idempotency_key {
        Some(key) => Some(Idempotency { key: checked_key(&key)?, body: Digest::of(task.get().as_bytes()) }),
        None => None,
    };
    let body = serde_json::from_str(task.get())
        .map_err(|error| Problem::bad_request(format!("this is no submission: {error}")))?;
    Ok(Parsed { body, idempotency })
}

/// In their order. A repository that several start from is read once.
async fn prepare_all(
    api: &Api,
    tasks: Vec<Result<Parsed, Problem>>,
    trace: Option<Trace>,
) -> Vec<Result<Prepared, Problem>> {
    let (mut done, mut alone) = (BTreeMap::new(), Vec::new());
    let mut together: BTreeMap<GitBody, Vec<(usize, Parsed)>> = BTreeMap::new();
    for (at, task) in tasks.into_iter().enumerate() {
        match task {
            Err(problem) => drop(done.insert(at, Err(problem))),
            Ok(mut task) => match task.body.git.take() {
                None => alone.push((at, task)),
                Some(git) => together.entry(git).or_default().push((at, task)),
            },
        }
    }
    let nothing = Imported { tree: Tree::new(api.snapshots.limits()), notes: Vec::new() };
    done.extend(prepare_from(api, alone, &nothing, &trace, AT_ONCE).await);
    let groups = stream::iter(together).map(|(git, tasks)| prepare_group(api, git, tasks, &trace));
    done.extend(groups.buffer_unordered(REPOSITORIES).collect::<Vec<_>>().await.into_iter().flatten());
    done.into_values().collect()
}

async fn prepare_group(
    api: &Api,
    git: GitBody,
    tasks: Vec<(usize, Parsed)>,
    trace: &Option<Trace>,
) -> Vec<(usize, Result<Prepared, Problem>)> {
    match git::read(git, api).await {
        Ok((imported, _turn)) => prepare_from(api, tasks, &imported, trace, OF_EACH).await,
        Err(problem) => tasks.into_iter().map(|(at, _)| (at, Err(problem.clone()))).collect(),
    }
}

async fn prepare_from(
    api: &Api,
    tasks: Vec<(usize, Parsed)>,
    base: &Imported,
    trace: &Option<Trace>,
    at_once: usize,
) -> Vec<(usize, Result<Prepared, Problem>)> {
    let prepared = stream::iter(tasks).map(|(at, task)| async move {
        let base = Imported { tree: base.tree.clone(), notes: base.notes.clone() };
        (at, prepare(api, task, base, trace.clone()).await)
    });
    prepared.buffer_unordered(at_once).collect().await
}

async fn prepare(
    api: &Api,
    Parsed { body, idempotency }: Parsed,
    base: Imported,
    trace: Option<Trace>,
) -> Result<Prepared, Problem> {
    let (mut submission, notes) = upload::described(body, base).await?;
    submission.trace = trace;
    let mut span = submission.begin_span();
    let catalog = api.runtime.catalog();
    match submission.prepare(&api.settings, &catalog, &api.snapshots, idempotency).await {
        Ok(new) => Ok((new, notes, span)),
        Err(refusal) => {
            span.failed(refusal.to_string());
            Err(refusal.into())
        }
    }
}
