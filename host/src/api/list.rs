//! The list of tasks, by what is known of them.

use axum::Json;
use axum::extract::State as Extract;
use serde::{Deserialize, Serialize};

use super::extract::Query;
use super::{Api, Problem, TaskSummary};
use crate::store::{Count, Ending, Filter};
use crate::task::{Millis, State, TaskId};

const PAGE: usize = 200;

/// An id is made a little before its task is stored, perhaps by another machine's clock.
const SLACK: Millis = 60_000;

/// A struct with the fields of a filter, and some more.
macro_rules! wanted {
    ($(#[$meta:meta])* $name:ident { $($more:tt)* }) => {
        $(#[$meta])*
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            /// `queued`, `running` or `ended`.
            #[param(inline)]
            state: Option<State>,
            pipeline: Option<String>,
            /// Only those that ended through no fault of their own: lost workers, a model or a step that failed.
            #[serde(default)]
            dead: bool,
            /// A part of the goal or of the id, in any case.
            text: Option<String>,
            /// How it ended: the kind of the outcome's reason; `not-green` for all but `green`.
            #[param(inline)]
            outcome: Option<Ending>,
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
            $($more)*
        }

        impl $name {
            fn filter(&self) -> Result<Filter, Problem> {
                let parent = self.parent.as_deref().map(TaskId::parse).transpose();
                Ok(Filter {
                    state: self.state,
                    pipeline: self.pipeline.clone(),
                    dead: self.dead,
                    text: self.text.clone(),
                    outcome: self.outcome,
                    model: self.model.clone(),
                    plugin: self.plugin.clone(),
                    parent: parent.map_err(|error| Problem::bad_request(format!("parent: {error}")))?,
                    since: self.since,
                    until: self.until,
                    // Ids sort by time, so that a store need not look at all tasks.
                    floor: self.since.map(|since| TaskId::before(since.saturating_sub(SLACK))),
                    ceiling: self.until.map(|until| TaskId::before(until.saturating_add(SLACK))),
                    cursor: None,
                    limit: 0,
                })
            }
        }
    };
}

wanted! {
    /// Which tasks. All of what is given must hold; nothing given: all tasks.
    #[derive(Deserialize, utoipa::IntoParams, utoipa::ToSchema)]
    Wanted {}
}

wanted! {
    #[derive(Deserialize, utoipa::IntoParams)]
    ListQuery {
        /// `next` of the page before.
        cursor: Option<String>,
        /// 1 to 200; 50 if left out.
        #[param(minimum = 1, maximum = 200)]
        limit: Option<usize>,
    }
}

#[derive(Serialize, utoipa::ToSchema)]
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
    let page = api.store.list(&Filter { cursor, limit, ..query.filter()? }).await?;
    Ok(Json(TaskPage { tasks: page.tasks.into_iter().map(TaskSummary::from).collect(), next: page.next }))
}

/// How many tasks a filter finds.
///
/// Not exact where there are more than 100,000, or where the store would have to look at very many: then
/// there are at least so many.
#[utoipa::path(get, path = "/api/v1/tasks/count", params(Wanted),
               responses((status = 200, body = Count), (status = 400, body = Problem)))]
pub(super) async fn count(
    Extract(api): Extract<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Count>, Problem> {
    Ok(Json(api.store.count(&wanted.filter()?).await?))
}

impl Wanted {
    /// Every task that it finds, the oldest first; an error once there are more than so many.
    pub(super) async fn all(&self, api: &Api, most: usize) -> Result<Vec<TaskId>, Problem> {
        let mut filter = self.filter()?;
        let mut found: Vec<TaskId> = Vec::new();
        loop {
            let page = api.store.list(&filter).await?;
            found.extend(page.tasks.into_iter().map(|task| task.id));
            if found.len() > most {
                return Err(super::bulk::too_many(api.store.count(&self.filter()?).await?, most));
            }
            if page.next.is_none() {
                found.reverse();
                return Ok(found);
            }
            filter.cursor = page.next;
        }
    }
}
