//! Lets through whoever may do what is asked, and tells the audit log what was done.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tracing::Instrument as _;

use super::rules::{self, Rule};
use super::{Api, Problem};
use crate::access::{Caller, Deed, Refused, Role, What};
use crate::task::TaskId;

/// Tasks that the audit log names.
pub(super) const MOST_TOLD: usize = 20;

/// What the audit log is to say of a request, where its path does not: put among the answer's extensions
/// by the handler.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub subject: String,
    pub detail: Option<String>,
    /// Where it is not what the route's rule says.
    pub what: Option<What>,
    /// Nothing was done after all.
    pub nothing: bool,
}

impl Told {
    /// Of many tasks, of which the first are named.
    pub(super) fn of(ids: &[TaskId]) -> Self {
        let mut names: Vec<&str> = ids.iter().take(MOST_TOLD).map(TaskId::as_str).collect();
        if ids.len() > MOST_TOLD {
            names.push("…");
        }
        let subject = format!("{} tasks", ids.len());
        Self { subject, detail: Some(names.join(" ")), what: None, nothing: ids.is_empty() }
    }
}

/// What a handler has done so far, for the audit log of a request that fails on the way.
#[derive(Clone, Default)]
pub(super) struct SoFar(Arc<Mutex<Option<Told>>>);

impl SoFar {
    pub(super) fn tell(&self, told: Told) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
    }

    fn take(&self) -> Option<Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Handlers find the [`crate::access::Who`], the [`Caller`] and a [`SoFar`] among the request's extensions.
pub(super) async fn guard(
    State(api): State<Api>,
    path: MatchedPath,
    params: Option<RawParams>,
    mut request: Request,
    next: Next,
) -> Response {
    let rule = rules::rule(request.method(), path.as_str());
    let caller = caller(&api, &request);
    request.extensions_mut().insert(caller.clone());
    if let Some(rule) = rule {
        DefaultBodyLimit::max(rule.body.limit(&api)).apply(&mut request);
    }
    let least = rule.map_or(Some(Role::Administrator), |rule| rule.least);
    let Some(least) = least else { return next.run(request).await };
    let changes = !request.method().is_safe();
    let who = match api.access.identify(request.headers(), &caller, changes) {
        Ok(who) => who,
        Err(refused) => return refuse(&refused, request.headers()),
    };
    if who.role < least {
        let detail = format!("this needs the role {least}; {} is a {}", who.name, who.role);
        tracing::warn!(who = who.name, role = %who.role, path = path.as_str(), "refused: it needs the role {least}");
        return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
    }
    request.extensions_mut().insert(who.clone());
    let Some(Rule { what: Some(what), .. }) = rule else { return next.run(request).await };
    let so_far = SoFar::default();
    request.extensions_mut().insert(so_far.clone());
    let deed = async move {
        // A panic is told of like any other failure.
        let run = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let mut response = run.unwrap_or_else(|_| {
            tracing::error!(path = path.as_str(), "a request panicked");
            unworkable()
        });
        let status = response.status();
        // What failed on the way may have been done in part.
        if status.is_success() || status.is_server_error() {
            let told = response.extensions_mut().remove::<Told>().or_else(|| so_far.take());
            let mut told = told.unwrap_or_else(|| Told { subject: subject(params), ..Told::default() });
            if status.is_server_error() {
                let done = told.detail.map_or_else(String::new, |done| done + "; ");
                told.detail = Some(format!("{done}failed ({status}); some of it may be done"));
            }
            if !told.nothing {
                let deed = Deed::new(Some(&who), caller.address, told.what.unwrap_or(*what), told.subject);
                api.access.audit.record(Deed { detail: told.detail, ..deed }).await;
            }
        }
        response
    };
    // A client that goes away meanwhile leaves nothing half done, and nothing untold.
    match tokio::spawn(deed.in_current_span()).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a request failed");
            unworkable()
        }
    }
}

fn unworkable() -> Response {
    let detail = "the request could not be worked on; see the log";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
}

/// Who is at the other end.
fn caller(api: &Api, request: &Request) -> Caller {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    api.access.caller(peer, request.headers())
}

/// The parameters of a path, where they are text.
pub(super) struct RawParams(Vec<String>);

impl<S: Send + Sync> axum::extract::OptionalFromRequestParts<S> for RawParams {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        let params =
            <RawPathParams as axum::extract::FromRequestParts<S>>::from_request_parts(parts, state).await;
        Ok(params.ok().map(|params| Self(params.iter().map(|(_, value)| value.to_owned()).collect())))
    }
}

/// What a path names.
fn subject(params: Option<RawParams>) -> String {
    params.and_then(|params| params.0.into_iter().next()).unwrap_or_default()
}

pub(super) fn refuse(refused: &Refused, headers: &HeaderMap) -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    match refused {
        Refused::Unknown if headers.contains_key(header::COOKIE) => {
            let detail = "log in: the session has ended, or was never one of this host";
            (challenge, Problem::new(StatusCode::UNAUTHORIZED, detail)).into_response()
        }
        Refused::Unknown => {
            let detail = "send the token as `Authorization: Bearer TOKEN`";
            (challenge, Problem::new(StatusCode::UNAUTHORIZED, detail)).into_response()
        }
        Refused::Wrong => {
            let detail = "this is not the token of this host";
            (challenge, Problem::new(StatusCode::UNAUTHORIZED, detail)).into_response()
        }
        Refused::Wait(seconds) => {
            let detail =
                format!("too many wrong tokens in the last minute: wait {seconds} s, then try again");
            Problem::wait(*seconds, detail).into_response()
        }
        Refused::OtherSite => {
            let detail = "a page of another site may not change anything here with this browser's session";
            Problem::new(StatusCode::FORBIDDEN, detail).into_response()
        }
    }
}
