//! The list of tasks, by what is known of them.

use axum::Json;
use axum::extract::State as Extract;
use serde::{Deserialize, Serialize};

use super::extract::Query;
use super::{Api, Problem, TaskSummary};
use crate::store::Filter;
use crate::task::{Millis, State, Task, TaskId};

/// Tasks that one request looks at. What the store can't filter by is looked for here, and a page then
/// ends early, with a cursor, before it has looked through a large store.
const MOST_LOOKED_AT: usize = 2_000;

const PAGE: usize = 200;

/// An id is made a little before its task is stored, perhaps by another machine's clock.
const SLACK: Millis = 60_000;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `queued`, `running` or `ended`.
    #[param(inline)]
    state: Option<State>,
    pipeline: Option<String>,
    /// Only those that ended through no fault of their own: lost workers, a model or a step that failed.
    #[serde(default)]
    dead: bool,
    /// A part of the goal or of the id, in any case.
    text: Option<String>,
    /// The kind of the outcome's reason: `green`, `budget`, `stuck`, …; `not-green` for all but `green`.
    outcome: Option<String>,
    /// A model that the task's pipeline names.
    model: Option<String>,
    /// A plugin that the task's pipeline names.
    plugin: Option<String>,
    /// The task that these run again.
    parent: Option<String>,
    /// Submitted at this time or later, in milliseconds since 1970.
    since: Option<Millis>,
    /// Submitted before this time, in milliseconds since 1970.
    until: Option<Millis>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 if left out.
    limit: Option<usize>,
}

#[derive(Default, Serialize, utoipa::ToSchema)]
pub(super) struct TaskPage {
    tasks: Vec<TaskSummary>,
    /// Absent on the last page. A page may hold fewer tasks than were asked for and yet have a next one.
    next: Option<TaskId>,
}

/// Tasks, newest first.
#[utoipa::path(get, path = "/api/v1/tasks", params(ListQuery),
               responses((status = 200, body = TaskPage), (status = 400, body = Problem)))]
pub(super) async fn list(
    Extract(api): Extract<Api>,
    Query(query): Query<ListQuery>,
) -> Result<Json<TaskPage>, Problem> {
    let limit = query.limit.unwrap_or(50);
    if !(1..=PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("limit is {limit}; use 1 to {PAGE}")));
    }
    let cursor = query.cursor.as_deref().map(TaskId::parse).transpose();
    let cursor = cursor.map_err(|error| Problem::bad_request(format!("cursor: {error}")))?;
    let until = query.until.map(|until| TaskId::before(until.saturating_add(SLACK)));
    let parent = query.parent.as_deref().map(TaskId::parse).transpose();
    let parent = parent.map_err(|error| Problem::bad_request(format!("parent: {error}")))?;
    let mut filter = Filter {
        state: query.state,
        pipeline: query.pipeline.clone(),
        dead: query.dead,
        text: query.text.clone(),
        cursor: cursor.into_iter().chain(until).min(),
        limit: if query.is_fine() { PAGE } else { limit },
    };
    let since = query.since.map(|since| TaskId::before(since.saturating_sub(SLACK)));
    let mut page = TaskPage::default();
    let mut looked_at = 0;
    loop {
        let found = api.store.list(&filter).await?;
        looked_at += found.tasks.len();
        let last = found.tasks.last().map(|task| task.id.clone());
        for task in found.tasks {
            if since.as_ref().is_some_and(|since| task.id < *since) {
                return Ok(Json(TaskPage { next: None, ..page }));
            }
            if !query.matches(&task, parent.as_ref()) {
                continue;
            }
            let id = task.id.clone();
            page.tasks.push(TaskSummary::from(task));
            if page.tasks.len() == limit {
                let more = found.next.is_some() || last.as_ref() != Some(&id);
                return Ok(Json(TaskPage { next: more.then_some(id), ..page }));
            }
        }
        if found.next.is_none() || looked_at >= MOST_LOOKED_AT {
            return Ok(Json(TaskPage { next: found.next, ..page }));
        }
        filter.cursor = found.next;
    }
}

impl ListQuery {
    /// Whether it asks for something that the store does not filter by.
    fn is_fine(&self) -> bool {
        let words = [&self.outcome, &self.model, &self.plugin, &self.parent];
        words.into_iter().any(Option::is_some) || self.since.is_some() || self.until.is_some()
    }

    fn matches(&self, task: &Task, parent: Option<&TaskId>) -> bool {
        let pipeline = &task.spec.pipeline;
        let kind = task.outcome.as_ref().map(|outcome| outcome.reason.kind());
        let plugins = [Some(&pipeline.builder), Some(&pipeline.checker), pipeline.fixer.as_ref()];
        self.outcome.as_deref().is_none_or(|wanted| match wanted {
            "not-green" => kind.is_some_and(|kind| kind != "green"),
            wanted => kind == Some(wanted),
        }) && self.model.as_ref().is_none_or(|wanted| pipeline.model.as_ref() == Some(wanted))
            && self.plugin.as_ref().is_none_or(|name| plugins.iter().flatten().any(|one| one.name == *name))
            && self.since.is_none_or(|since| task.submitted_at >= since)
            && self.until.is_none_or(|until| task.submitted_at < until)
            && parent.is_none_or(|wanted| task.spec.parent.as_ref() == Some(wanted))
    }
}
