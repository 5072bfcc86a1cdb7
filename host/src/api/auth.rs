//! The bearer token.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::{Api, Problem};

/// Lets a request through if no token is configured (then the host listens on loopback only) or if
/// it sends the right one. The comparison takes as long for a wrong token as for a right one.
pub(super) async fn require_token(State(api): State<Api>, request: Request, next: Next) -> Response {
    let wanted = api.settings.token.as_bytes();
    if wanted.is_empty() {
        return next.run(request).await;
    }
    let header = request.headers().get(header::AUTHORIZATION);
    let sent = header.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if sent.is_some_and(|sent| bool::from(sent.ct_eq(wanted))) {
        return next.run(request).await;
    }
    let detail = if header.is_none() {
        "send the token as `Authorization: Bearer TOKEN`"
    } else {
        "this is not the token of this host"
    };
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (challenge, Problem::new(StatusCode::UNAUTHORIZED, detail)).into_response()
}
