//! Scripts of other sites: none, but for those that the operator names.
//!
//! They send a token of their own. A browser sends them no cookie along: that is not allowed to any of them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Api;

const METHODS: &str = "GET, POST, DELETE";
const SENT: &str = "authorization, content-type, idempotency-key, last-event-id";
const SHOWN: &str = "content-disposition, location, retry-after, www-authenticate";

/// How long a browser need not ask again, in seconds.
const ASKED: &str = "600";

/// The site whose script sends a request, if the operator lets it.
pub(super) fn welcome(api: &Api, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let known = |named: &String| named.as_bytes() == origin.as_bytes();
    api.settings.api.cors_origins.iter().any(known).then(|| origin.clone())
}

pub(super) async fn let_in(State(api): State<Api>, request: Request, next: Next) -> Response {
    if api.settings.api.cors_origins.is_empty() {
        return next.run(request).await;
    }
    let origin = welcome(&api, request.headers());
    let asks = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &origin {
        Some(_) if asks => {
            let allowed = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT),
                (header::ACCESS_CONTROL_MAX_AGE, ASKED),
            ];
            (StatusCode::NO_CONTENT, allowed).into_response()
        }
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SHOWN));
    }
    response
}
