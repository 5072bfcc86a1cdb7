//! Who may use the API: whoever sends the token, or the cookie that it was exchanged for.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::session::{bearer_is, cookie_allows};
use super::{Api, Problem};

/// Lets a request through if no token is configured (then the host listens on loopback only) or if
/// it sends the right one. The comparison takes as long for a wrong token as for a right one.
pub(super) async fn require_token(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (wanted, headers) = (&api.settings.token, request.headers());
    if wanted.is_empty() || bearer_is(wanted, headers) || cookie_allows(wanted, request.method(), headers) {
        return next.run(request).await;
    }
    let detail = if headers.get(header::AUTHORIZATION).is_none() {
        "send the token as `Authorization: Bearer TOKEN`"
    } else {
        "this is not the token of this host"
    };
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (challenge, Problem::new(StatusCode::UNAUTHORIZED, detail)).into_response()
}
