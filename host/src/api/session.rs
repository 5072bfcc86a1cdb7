//! How a browser shows its token: once, for a cookie that no script can read.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::extract::JsonBody;
use super::guard::refuse;
use super::{Api, Problem};
use crate::access::{self, COOKIE, Caller, Deed, ID_TOKEN, Refused, Role, What, is_other_site};

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Session {
    /// Whether this host asks who one is.
    needed: bool,
    /// Whether this request may use the rest of the API.
    open: bool,
    /// Who sends this request: the name of a token, or `local` where none is needed.
    name: Option<String>,
    role: Option<Role>,
    /// Whether this request may upload, allow and remove plugins.
    may_change_plugins: bool,
    /// Where people sign in with another service, if they can.
    sign_in: Option<SignIn>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SignIn {
    /// What the service is called.
    name: String,
    /// To be followed as a link.
    url: &'static str,
}

/// Who one is, and whether one has to say so.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = Session)))]
pub(super) async fn session(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Json<Session> {
    let who = api.access.identify(&headers, &caller, false).ok();
    let administrates = who.as_ref().is_some_and(|who| who.role == Role::Administrator);
    Json(Session {
        needed: api.access.is_needed(),
        open: who.is_some(),
        role: who.as_ref().map(|who| who.role),
        name: who.map(|who| who.name),
        may_change_plugins: administrates && api.settings.api.change_plugins,
        sign_in: api
            .access
            .provider()
            .map(|provider| SignIn { name: provider.name(), url: "/api/v1/session/sign-in" }),
    })
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginBody {
    token: String,
}

/// Exchanges a token for a cookie, which serves browsers in place of the `Authorization` header.
#[utoipa::path(
    post, path = "/api/v1/session", request_body = LoginBody,
    responses((status = 204, description = "The cookie is set"), (status = 400, body = Problem),
              (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 429, body = Problem, description = "Too many wrong tokens; Retry-After says when to go on"))
)]
pub(super) async fn log_in(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Result<JsonBody<LoginBody>, Problem>,
) -> Result<Response, Problem> {
    if !api.access.is_needed() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if is_other_site(&headers) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "log in from this host's own page"));
    }
    let JsonBody(body) = body?;
    match api.access.log_in(&body.token, &caller) {
        Ok(session) => {
            let deed =
                Deed::new(Some(&session.who), caller.address, What::LoggedIn, session.who.name.clone());
            let cookie = session_cookie(&api, &caller, &session)?;
            api.access.audit.record(deed).await;
            Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
        }
        Err(refused) => {
            // Whoever has to wait has been told of before.
            if matches!(refused, Refused::Wrong) {
                api.access.audit.record(Deed::new(None, caller.address, What::LogInRefused, "")).await;
            }
            Ok(refuse(&refused, &headers))
        }
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LoggedOut {
    /// Where a browser goes to log out of the service that it has signed in with, and comes back from.
    url: String,
}

/// Ends the session. Its cookie holds no more on this host, until that is started again; to end it everywhere,
/// revoke its token.
#[utoipa::path(delete, path = "/api/v1/session",
               responses((status = 204, description = "The cookie is gone"),
                         (status = 200, body = LoggedOut, description = "The cookie is gone; the service that says who one is has a log-out of its own"),
                         (status = 403, body = Problem)))]
pub(super) async fn log_out(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if is_other_site(&headers) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "log out from this host's own page"));
    }
    let mut elsewhere = None;
    if let Some(session) = api.access.session(&headers) {
        api.access.log_out(&session);
        let who = &session.who;
        api.access
            .audit
            .record(Deed::new(Some(who), caller.address, What::LoggedOut, who.name.clone()))
            .await;
        if session.is_signed_in() {
            elsewhere = api.access.log_out_elsewhere(&headers).await;
        }
    }
    let gone = AppendHeaders([
        (header::SET_COOKIE, cookie(&caller, "", 0)),
        (header::SET_COOKIE, id_token_cookie(&caller, "", 0)),
    ]);
    Ok(match elsewhere {
        Some(url) => (gone, Json(LoggedOut { url })).into_response(),
        None => (StatusCode::NO_CONTENT, gone).into_response(),
    })
}

pub(super) fn session_cookie(
    api: &Api,
    caller: &Caller,
    session: &access::Session,
) -> Result<String, Problem> {
    let value = api.access.cookie(session).map_err(|error| {
        tracing::error!(%error, "no session can be begun");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no session can be begun; see the log")
    })?;
    Ok(cookie(caller, &value, session.seconds_left()))
}

/// Sent to nothing but the routes of the session.
pub(super) fn id_token_cookie(caller: &Caller, value: &str, seconds: u64) -> String {
    let secure = if caller.tls { "; Secure" } else { "" };
    format!("{ID_TOKEN}={value}; Path=/api/v1/session; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

fn cookie(caller: &Caller, value: &str, seconds: u64) -> String {
    let secure = if caller.tls { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}
