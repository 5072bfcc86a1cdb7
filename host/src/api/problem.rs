//! Errors as application/problem+json (RFC 9457).

use std::io::ErrorKind;

use axum::Json;
use axum::extract::multipart::MultipartError;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::store::StoreError;
use crate::submission::Refusal;
use crate::task::BadTaskId;
use crate::workspace::{ImportError, SnapshotError, TreeError};

/// When a client may try a full queue again, in seconds: about what a short task takes.
const RETRY_AFTER_S: u64 = 10;

/// What went wrong, for a program (`status`, `title`) and a person (`detail`).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says the kind.
    pub r#type: &'static str,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// Where more tasks match than were expected: how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Of a 429, for its header: [`RETRY_AFTER_S`], if nothing better is known.
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        let (status, detail) = (status.as_u16(), detail.into());
        Self { r#type: "about:blank", title, status, detail, count: None, retry_after_s: None }
    }

    /// For whoever has to wait so many seconds.
    pub fn wait(seconds: u64, detail: impl Into<String>) -> Self {
        Self { retry_after_s: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// The answer's status and headers, without its body.
    pub(super) fn head(&self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let seconds = self.retry_after_s.unwrap_or(RETRY_AFTER_S);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A body that could not be read to its end.
    pub fn body(status: StatusCode, cause: &str) -> Self {
        let detail = match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                "the body is longer than this host takes; the operator sets the limit with workspace.max_mib"
                    .to_owned()
            }
            _ => format!("the body can't be read: {cause}"),
        };
        Self::new(status, detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (head, _) = self.head().into_parts();
        (head, [(header::CONTENT_TYPE, "application/problem+json")], Json(self)).into_response()
    }
}

pub(super) async fn unknown_path(uri: Uri) -> Problem {
    Problem::not_found(format!(
        "nothing is served at {}; the API is described at /api/openapi.json",
        uri.path()
    ))
}

/// On a host that serves the page, a path without a route may be one of the page's own.
pub(super) async fn page_or_unknown(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    match crate::ui::answer(&method, uri.path(), &headers) {
        Some(page) => page,
        None => unknown_path(uri).await.into_response(),
    }
}

pub(super) async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{} does not take {method}; the API is described at /api/openapi.json", uri.path()),
    )
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let status = match &error {
            StoreError::NotFound(_) => StatusCode::NOT_FOUND,
            StoreError::KeyReused { .. } | StoreError::StaleFence { .. } => StatusCode::CONFLICT,
            StoreError::Full { .. } => StatusCode::TOO_MANY_REQUESTS,
            StoreError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            StoreError::Corrupt(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(%error, "a request failed");
        }
        Self::new(status, error.to_string())
    }
}

impl From<SnapshotError> for Problem {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Store(error) => error.into(),
            other @ SnapshotError::Tree { .. } => {
                tracing::error!(error = %other, "a request failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, other.to_string())
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Store(error) => error.into(),
            Refusal::Snapshot(error) => error.into(),
            Refusal::LongGoal(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, refusal.to_string()),
            other => Self::new(StatusCode::UNPROCESSABLE_ENTITY, other.to_string()),
        }
    }
}

impl From<BadTaskId> for Problem {
    fn from(error: BadTaskId) -> Self {
        Self::not_found(error.to_string())
    }
}

impl From<TreeError> for Problem {
    fn from(error: TreeError) -> Self {
        let status = match error {
            TreeError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.to_string())
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        let status = match &error {
            ImportError::Host { source, .. } if source.kind() == ErrorKind::StorageFull => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ImportError::Host { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            ImportError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            ImportError::Late { .. } => StatusCode::GATEWAY_TIMEOUT,
            ImportError::Refused { .. }
            | ImportError::TooLarge { .. }
            | ImportError::Broken(_)
            | ImportError::Io { .. }
            | ImportError::Git(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        if matches!(error, ImportError::Host { .. }) {
            tracing::error!(%error, "files can't be read");
        }
        Self::new(status, error.to_string())
    }
}

impl From<MultipartError> for Problem {
    fn from(error: MultipartError) -> Self {
        Self::body(error.status(), &error.body_text())
    }
}
