//! Running a task again: from its own files, or from what one of its rounds left.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::extract::{Body, Path};
use super::guard::Told;
use super::tasks::{accepted, chosen, find, idempotency_key, trace};
use super::{Api, Problem};
use crate::store::{Idempotency, Submitted};
use crate::submission::{BudgetWish, PlaceWish, Submission};
use crate::task::{Changes, Digest, Steps, Task, Trace};

/// What is to be different. An empty object: nothing.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AgainBody {
    /// Left out: the goal of the first task.
    goal: Option<String>,
    /// Left out: the pipeline of that name as it is configured now.
    pipeline: Option<String>,
    /// Begin with the tree that this round (from 1) left. Left out: with the files as they were submitted.
    round: Option<usize>,
    /// What is left out is as configured.
    #[serde(default)]
    budget: BudgetWish,
    /// Left out: what the first task asked for, unless `pipeline` is given.
    steps: Option<Steps>,
    /// Left out: what the first task asked for.
    protected: Option<Vec<String>>,
}

/// Queues a new task with the files and tests of this one; its `parent` is this one.
#[utoipa::path(
    post, path = "/api/v1/tasks/{id}/again",
    params(("id" = String, Path),
           ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the same task, for 24 hours")),
    request_body = AgainBody,
    responses((status = 202, body = super::tasks::Accepted),
              (status = 200, body = super::tasks::Accepted, description = "This key was used before"),
              (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
              (status = 413, body = Problem), (status = 422, body = Problem))
)]
pub(super) async fn again(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(bytes): Body,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let body: AgainBody = match bytes.is_empty() {
        true => AgainBody::default(),
        false => serde_json::from_slice(&bytes)
            .map_err(|error| Problem::bad_request(format!("the body can't be read: {error}")))?,
    };
    let task = find(&api, &id).await?;
    let idempotency = key.map(|key| {
        let body = Digest::of(&[b"again ", task.id.as_str().as_bytes(), b" ", &bytes].concat());
        Idempotency { key, body }
    });
    let parent = format!("task {}", task.id);
    let mut response = accepted(run_again(&api, task, body, trace(&headers), idempotency).await?, Vec::new());
    if let Some(told) = response.extensions_mut().get_mut::<Told>() {
        told.detail = Some(parent);
    }
    Ok(response)
}

pub(super) async fn run_again(
    api: &Api,
    task: Task,
    body: AgainBody,
    trace: Option<Trace>,
    idempotency: Option<Idempotency>,
) -> Result<Submitted, Problem> {
    let tree = match body.round {
        None => &task.spec.tree,
        round => chosen(&task, round)?,
    };
    let tree = api.snapshots.load(tree).await?;
    let Changes { steps, protected } = task.spec.changes;
    let kept = if body.pipeline.is_some() { Steps::default() } else { steps };
    let changes =
        Changes { steps: body.steps.unwrap_or(kept), protected: body.protected.unwrap_or(protected) };
    let submission = Submission {
        goal: body.goal.unwrap_or(task.spec.goal),
        pipeline: Some(body.pipeline.unwrap_or(task.spec.pipeline.name)),
        tests: task.spec.tests,
        budget: body.budget,
        place: PlaceWish::again(task.place),
        tree,
        parent: Some(task.id),
        trace,
        changes,
    };
    api.submit(submission, idempotency).await
}
