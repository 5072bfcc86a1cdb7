//! Signing in with another service: there, and back again.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::extract::Query;
use super::session::{id_token_cookie, session_cookie};
use super::{Api, Problem};
use crate::access::{CALLBACK, Caller, Deed, Provider, SIGN_IN, SignInError, What};

/// Of what a provider says, which goes to the audit log.
const LONGEST_REASON: usize = 300;

/// Sends a browser to the provider.
#[utoipa::path(get, path = "/api/v1/session/sign-in",
    responses((status = 303, description = "To the provider"), (status = 404, body = Problem, description = "There is none"),
              (status = 503, body = Problem, description = "It can't be asked")))]
pub(super) async fn sign_in(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    let begun = async {
        let provider = provider(&api)?;
        api.access.begin_sign_in(provider).await.map_err(Problem::from)
    };
    match begun.await {
        Ok((url, value)) => {
            // It comes back from another site: a strict cookie would not.
            let secure = if caller.tls { "; Secure" } else { "" };
            let cookie =
                format!("{SIGN_IN}={value}; Path={CALLBACK}; HttpOnly; SameSite=Lax; Max-Age=600{secure}");
            (StatusCode::SEE_OTHER, [(header::LOCATION, url), (header::SET_COOKIE, cookie)]).into_response()
        }
        Err(problem) => shown(problem, &headers),
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct SignedInQuery {
    state: Option<String>,
    code: Option<String>,
    /// In place of a code: why there is none.
    error: Option<String>,
    error_description: Option<String>,
}

/// Where the provider sends the browser back to.
#[utoipa::path(get, path = "/api/v1/session/signed-in", params(SignedInQuery),
    responses((status = 303, description = "To the page; the cookie of the session is set"),
              (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn signed_in(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    query: Result<Query<SignedInQuery>, Problem>,
) -> Response {
    let ended = async {
        let provider = provider(&api)?;
        let Query(query) = query?;
        let session = end(&api, provider, &headers, &caller, query).await;
        let refused = |error: &SignInError| match error {
            SignInError::NoRole { who, .. } => who.clone(),
            _ => String::new(),
        };
        match session {
            Ok((session, id_token)) => {
                let who = &session.who;
                let deed = Deed::new(Some(who), caller.address, What::LoggedIn, who.name.clone());
                let cookie = session_cookie(&api, &caller, &session)?;
                api.access.audit.record(Deed { detail: Some(provider.name()), ..deed }).await;
                // None fits: nor does one of an earlier log-in.
                let id_token = match id_token {
                    Some(token) => id_token_cookie(&caller, &token, session.seconds_left()),
                    None => id_token_cookie(&caller, "", 0),
                };
                Ok([cookie, id_token])
            }
            // Whoever has to wait has been told of before; of what nobody began, strangers could fill the log.
            Err(error @ (SignInError::Wait(_) | SignInError::NotBegun)) => Err(Problem::from(error)),
            Err(error) => {
                let deed = Deed::new(None, caller.address, What::LogInRefused, refused(&error));
                api.access.audit.record(Deed { detail: Some(error.to_string()), ..deed }).await;
                Err(Problem::from(error))
            }
        }
    };
    match ended.await {
        Ok(cookies) => {
            let done = format!("{SIGN_IN}=; Path={CALLBACK}; HttpOnly; SameSite=Lax; Max-Age=0");
            let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response();
            for cookie in cookies.into_iter().chain([done]) {
                let value = HeaderValue::from_str(&cookie).expect("Base64, digits and our own words");
                response.headers_mut().append(header::SET_COOKIE, value);
            }
            response
        }
        Err(problem) => shown(problem, &headers),
    }
}

async fn end(
    api: &Api,
    provider: &Provider,
    headers: &HeaderMap,
    caller: &Caller,
    query: SignedInQuery,
) -> Result<(crate::access::Session, Option<String>), SignInError> {
    let code = match (query.code, query.error) {
        (_, Some(error)) => {
            let more = query.error_description.map(|more| format!(": {more}")).unwrap_or_default();
            Err(SignInError::Refused(format!("{error}{more}").chars().take(LONGEST_REASON).collect()))
        }
        (Some(code), None) => Ok(code),
        (None, None) => Err(SignInError::Begun("the provider's answer has no code")),
    };
    api.access.end_sign_in(provider, headers, caller, (&query.state.unwrap_or_default(), code)).await
}

fn provider(api: &Api) -> Result<&Provider, Problem> {
    let none = "nobody signs in with another service here; the operator configures one under [oidc]";
    api.access.provider().ok_or_else(|| Problem::not_found(none))
}

/// People come here by a link, and get something to read.
fn shown(problem: Problem, headers: &HeaderMap) -> Response {
    let reads = headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")));
    if !reads {
        return problem.into_response();
    }
    let text = problem.detail.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = format!(
        "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>\
         <title>Not signed in</title><p>Not signed in: {text}</p><p><a href=/>Back</a></p>\n"
    );
    let (head, _) = problem.head().into_parts();
    (head, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        let status = match &error {
            SignInError::Wait(seconds) => return Self::wait(*seconds, error.to_string()),
            SignInError::NotBegun | SignInError::Begun(_) => StatusCode::BAD_REQUEST,
            SignInError::Refused(_) | SignInError::NoRole { .. } => StatusCode::FORBIDDEN,
            SignInError::Provider { .. } => StatusCode::SERVICE_UNAVAILABLE,
            SignInError::Secret(_) | SignInError::Key(_) | SignInError::Client(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        if status.is_server_error() {
            tracing::error!(%error, "nobody can sign in");
        }
        Self::new(status, error.to_string())
    }
}
