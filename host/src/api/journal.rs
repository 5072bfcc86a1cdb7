//! What a task's steps asked and were answered, for people who want to know why.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::extract::{Path, Query};
use super::tasks::find;
use super::{Api, Problem};
use crate::store::JournalEntry;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct StepQuery {
    /// The first step to show, from 0.
    from: Option<u32>,
    /// How many steps; 1 to 50, 10 if left out.
    limit: Option<u32>,
}

/// The journal of one plugin call.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct StepJournal {
    /// From 0, in the order in which the task's steps were begun.
    step: u32,
    entries: Vec<JournalEntry>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct JournalPage {
    /// Steps that asked nothing are left out.
    steps: Vec<StepJournal>,
    /// `from` of the next page. Absent on the last one.
    next: Option<u32>,
}

/// The prompts, commands and answers of a task's steps. A key is never among them: no step sees one.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/journal", params(("id" = String, Path), StepQuery),
               responses((status = 200, body = JournalPage), (status = 400, body = Problem),
                         (status = 404, body = Problem)))]
pub(super) async fn journal(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(query): Query<StepQuery>,
) -> Result<Json<JournalPage>, Problem> {
    let (from, limit) = (query.from.unwrap_or(0), query.limit.unwrap_or(10));
    if !(1..=50).contains(&limit) {
        return Err(Problem::bad_request(format!("limit is {limit}; use 1 to 50")));
    }
    let task = find(&api, &id).await?;
    let until = from.saturating_add(limit).min(task.step.saturating_add(1));
    let mut steps = Vec::new();
    for step in from..until {
        let entries = api.store.journal(&task.id, step).await?;
        if !entries.is_empty() {
            steps.push(StepJournal { step, entries });
        }
    }
    Ok(Json(JournalPage { steps, next: (until <= task.step && until > from).then_some(until) }))
}
