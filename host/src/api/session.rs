//! How a browser shows the token: once, for a cookie that no script can read.
//!
//! The cookie is the time until which it holds, signed with the token. It survives a restart, serves
//! several hosts with the same token, and ends when the token is changed.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::{Api, Problem};

const COOKIE: &str = "aiagent_session";

/// A working day and the evening after it.
const HOLDS: Duration = Duration::from_secs(16 * 60 * 60);

/// Wrong tokens in one minute, over all clients, before everyone has to wait: enough for slips of the
/// hand, too few to guess with.
const WRONG_PER_MINUTE: usize = 20;

/// When wrong tokens were sent lately.
#[derive(Default)]
pub struct Logins(Mutex<VecDeque<Instant>>);

impl Logins {
    fn too_many(&self, now: Instant) -> bool {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while wrong.front().is_some_and(|at| now.duration_since(*at) > Duration::from_secs(60)) {
            wrong.pop_front();
        }
        wrong.len() >= WRONG_PER_MINUTE
    }

    fn count_wrong(&self, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(now);
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Session {
    /// Whether this host asks for a token.
    needed: bool,
    /// Whether this request may use the rest of the API.
    open: bool,
}

/// Whether one has to log in, and has.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = Session)))]
pub(super) async fn session(State(api): State<Api>, headers: HeaderMap) -> Json<Session> {
    let token = &api.settings.token;
    let open = token.is_empty() || cookie_holds(token, &headers) || bearer_is(token, &headers);
    Json(Session { needed: !token.is_empty(), open })
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginBody {
    token: String,
}

/// Exchanges the token for a cookie, which serves browsers in place of the `Authorization` header.
#[utoipa::path(
    post, path = "/api/v1/session", request_body = LoginBody,
    responses((status = 204, description = "The cookie is set"), (status = 400, body = Problem),
              (status = 401, body = Problem), (status = 403, body = Problem), (status = 429, body = Problem))
)]
pub(super) async fn log_in(
    State(api): State<Api>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let token = &api.settings.token;
    if token.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if !same_origin(&headers) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "log in from this host's own page"));
    }
    let body: LoginBody = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::bad_request(format!("the body can't be read: {error}")))?;
    if api.logins.too_many(Instant::now()) {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many wrong tokens in the last minute: wait a minute, then try again",
        ));
    }
    if !bool::from(body.token.as_bytes().ct_eq(token.as_bytes())) {
        api.logins.count_wrong(Instant::now());
        tracing::warn!("a log-in with a wrong token");
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "this is not the token of this host"));
    }
    let until = now_s() + HOLDS.as_secs();
    let value = format!("{until}.{}", signature(token, until));
    Ok(set_cookie(&headers, &value, HOLDS.as_secs()))
}

/// Takes the cookie back.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204, description = "The cookie is gone")))]
pub(super) async fn log_out(headers: HeaderMap) -> Response {
    set_cookie(&headers, "", 0)
}

/// Whether a request carries a valid cookie, and is one that a cookie may speak for: a change has to
/// come from this host's own page.
pub(super) fn cookie_allows(token: &str, method: &Method, headers: &HeaderMap) -> bool {
    cookie_holds(token, headers) && (method.is_safe() || same_origin(headers))
}

pub(super) fn bearer_is(token: &str, headers: &HeaderMap) -> bool {
    let sent = headers.get(header::AUTHORIZATION);
    let sent = sent.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    sent.is_some_and(|sent| bool::from(sent.ct_eq(token.as_bytes())))
}

fn cookie_holds(token: &str, headers: &HeaderMap) -> bool {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).any(|cookie| {
        let Some((COOKIE, value)) = cookie.trim().split_once('=') else { return false };
        let Some((until, signed)) = value.split_once('.') else { return false };
        let Ok(until) = until.parse::<u64>() else { return false };
        let right = signature(token, until);
        until > now_s() && bool::from(signed.as_bytes().ct_eq(right.as_bytes()))
    })
}

fn signature(token: &str, until: u64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).expect("any length of key will do");
    mac.update(b"aiagent session ");
    mac.update(until.to_string().as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// A request that a script of another site's page makes carries that site's name.
fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return true };
    let site = origin.split_once("://").map(|(_, site)| site);
    site.is_some() && site == text(header::HOST)
}

fn set_cookie(headers: &HeaderMap, value: &str, seconds: u64) -> Response {
    let behind_tls =
        headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    let secure = if behind_tls { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: axum::http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a value"))])
    }

    #[test]
    fn a_cookie_holds_while_its_time_and_token_last() {
        let later = now_s() + 60;
        let signed = |token: &str, until: u64| format!("{until}.{}", signature(token, until));
        for (value, holds) in [
            (signed("secret", later), true),
            (signed("secret", now_s() - 1), false),
            (signed("another", later), false),
            (format!("{}.{}", later + 1, signature("secret", later)), false),
            (format!("{later}."), false),
            (String::new(), false),
        ] {
            let headers = with(header::COOKIE, &format!("theme=dark; {COOKIE}={value}"));
            assert_eq!(cookie_holds("secret", &headers), holds, "{value}");
        }
    }

    #[test]
    fn a_cookie_speaks_for_no_other_sites_changes() {
        let later = now_s() + 60;
        let cookie = format!("{COOKIE}={later}.{}", signature("secret", later));
        for (method, origin, allowed) in [
            (Method::GET, Some("http://evil.example"), true),
            (Method::POST, None, true),
            (Method::POST, Some("http://ours:8080"), true),
            (Method::POST, Some("http://evil.example"), false),
            (Method::DELETE, Some("null"), false),
        ] {
            let mut headers = with(header::COOKIE, &cookie);
            headers.insert(header::HOST, "ours:8080".parse().expect("a value"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().expect("a value"));
            }
            assert_eq!(cookie_allows("secret", &method, &headers), allowed, "{method} {origin:?}");
        }
    }
}
