//! Server-sent events, as they go over the wire.

use axum::body::Body;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::Stream;
use serde_json::Value;

use crate::task::{Event, EventBody, EventId};

/// A comment, which keeps the connection alive.
pub(super) const BEAT: Bytes = Bytes::from_static(b":\n\n");

/// A stream of messages that no proxy holds back.
pub(super) fn response(
    messages: impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send + 'static,
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(messages)).into_response()
}

/// Each with its id, its type, and the event as JSON; and where each ends.
pub(super) fn messages(events: &[Event]) -> (Bytes, Vec<(EventId, usize)>) {
    let mut bytes = BytesMut::new();
    let mut ends = Vec::with_capacity(events.len());
    for event in events {
        let json = serde_json::to_value(event).expect("an event serialises");
        let kind = json.get("type").and_then(Value::as_str).unwrap_or("event");
        // JSON has no line breaks.
        bytes.put_slice(format!("id: {}\nevent: {kind}\ndata: {json}\n\n", event.id).as_bytes());
        ends.push((event.id, bytes.len()));
    }
    (bytes.freeze(), ends)
}

/// Where the replay that follows begins.
pub(super) fn resync(oldest: EventId) -> Bytes {
    Bytes::from(format!("event: resync\ndata: {{\"oldest\":{oldest}}}\n\n"))
}

pub(super) fn is_end(event: &Event) -> bool {
    matches!(event.body, EventBody::Ended { .. })
}
