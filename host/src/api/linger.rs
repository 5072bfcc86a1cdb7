//! Reads on for a while where a request was refused, so that the refusal arrives.
//!
//! A client that still sends its body when the connection closes is reset, and may never see the answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt as _};

/// Several times what a task may be, by default.
const MOST_BYTES: usize = 512 << 20;
const LONGEST: Duration = Duration::from_secs(10);

pub(super) async fn read_on(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut rest = Shared(Arc::new(Mutex::new(body.into_data_stream())));
    let request = Request::from_parts(parts, Body::from_stream(rest.clone()));
    let response = next.run(request).await;
    if response.status().is_client_error() {
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

/// A body that is still there when whoever read it has had enough.
#[derive(Clone)]
struct Shared(Arc<Mutex<BodyDataStream>>);

impl Stream for Shared {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.poll_next_unpin(context)
    }
}
