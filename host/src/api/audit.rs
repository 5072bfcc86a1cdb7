//! Who did what.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::extract::Query;
use super::heavy::off_thread;
use super::{Api, Problem};
use crate::access::{AuditError, Page};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// 1 to 500, 100 if left out.
    limit: Option<usize>,
}

/// Who submitted, cancelled, changed plugins, logged in: this host's own log of it, newest first.
#[utoipa::path(get, path = "/api/v1/audit", params(AuditQuery),
               responses((status = 200, body = Page), (status = 400, body = Problem)))]
pub(super) async fn audit(
    State(api): State<Api>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page>, Problem> {
    let limit = query.limit.unwrap_or(100);
    if !(1..=500).contains(&limit) {
        return Err(Problem::bad_request(format!("limit is {limit}; use 1 to 500")));
    }
    let read = move || Ok(api.access.audit.page(query.cursor.as_deref(), limit)?);
    off_thread(read).await.map(Json)
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Cursor(_) => Self::bad_request(format!("cursor: {error}")),
            AuditError::Io { .. } => {
                tracing::error!(%error, "a request failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the audit log can't be read; see the log")
            }
        }
    }
}
