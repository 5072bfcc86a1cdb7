//! How long a request may take, and what becomes of a body that nobody reads.
//!
//! A client that still sends its body when the connection closes is reset, and may never see the answer: where a
//! request was refused, the rest is read for a while.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _};

use super::{Api, Problem, rules};

/// Several times what a task may be, by default.
const MOST_BYTES: usize = 512 << 20;
const LONGEST: Duration = Duration::from_secs(10);

/// Until an answer begins; a stream then takes what time it takes.
pub(super) async fn bound(
    State(api): State<Api>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let rule = path.and_then(|path| rules::rule(request.method(), path.as_str()));
    let limit = rule.map_or(rules::Body::None, |rule| rule.body).time(&api);
    let (parts, body) = request.into_parts();
    let mut rest = Shared::new(body);
    let request = Request::from_parts(parts, Body::from_stream(rest.clone()));
    let Ok(response) = tokio::time::timeout(limit, next.run(request)).await else {
        return late(rest.give_up(), limit, rule.is_some_and(|rule| rule.what.is_some()));
    };
    if response.status().is_client_error() || response.status().is_server_error() {
        let reading = async {
            let mut bytes = 0;
            while let Some(Ok(piece)) = rest.next().await {
                bytes += piece.len();
                if bytes > MOST_BYTES {
                    break;
                }
            }
        };
        // Either way there is an answer, which the client may or may not get.
        drop(tokio::time::timeout(LONGEST, reading).await);
    }
    response
}

/// A change goes on when its request does not; see `guard`.
fn late(is_whole: bool, limit: Duration, changes: bool) -> Response {
    let seconds = limit.as_secs();
    let problem = match is_whole {
        false => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the body did not come within {seconds} s; the operator sets the limit with api.timeout_s"
            ),
        ),
        true => {
            tracing::warn!(seconds, changes, "a request got no answer in time");
            let next = match changes {
                true => "what was asked for goes on: look what has come of it before you ask again",
                false => "try again later",
            };
            let detail = format!("no answer within {seconds} s: the host has too much to do; {next}");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    };
    let mut response = problem.into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A body that is still there when whoever read it has had enough, and that can be taken from who has not.
#[derive(Clone)]
struct Shared(Arc<Mutex<Inner>>);

struct Inner {
    /// `None`: it was given up.
    body: Option<BodyDataStream>,
    ended: bool,
    reader: Option<Waker>,
}

impl Shared {
    fn new(body: Body) -> Self {
        let body = Some(body.into_data_stream());
        Self(Arc::new(Mutex::new(Inner { body, ended: false, reader: None })))
    }

    /// Whoever still reads it is told that it broke off. Whether it was there whole.
    fn give_up(&self) -> bool {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A body without a single byte is never asked for one.
        let whole = inner.ended || inner.body.take().is_none_or(|body| body.is_end_stream());
        if let Some(reader) = inner.reader.take() {
            reader.wake();
        }
        whole
    }
}

impl Stream for Shared {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(body) = &mut inner.body else {
            return Poll::Ready(Some(Err(axum::Error::new("it took too long"))));
        };
        let polled = body.poll_next_unpin(context);
        match &polled {
            Poll::Ready(piece) => inner.ended |= piece.is_none(),
            Poll::Pending => inner.reader = Some(context.waker().clone()),
        }
        polled
    }
}
