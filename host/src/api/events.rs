//! A task's events as server-sent events: what was, then what comes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde::Deserialize;

use super::extract::{Path, Query};
use super::{Api, Problem};
use crate::store::StoreError;
use crate::task::{self, Event, EventBody, EventId, TaskId};

/// Under the 15 s after which many proxies drop a silent connection.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(10);

/// Events read from the store at a time.
const BATCH: usize = 256;

#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct From {
    /// Begin after this event; `Last-Event-ID` says the same and comes first.
    after: Option<EventId>,
}

/// Replays all events after the given one, then follows the task until it has ended.
///
/// Each message has the event's id, its type, and the event as JSON. Ids are durable: a client that
/// was cut off goes on with `Last-Event-ID`, and is told (204) when there is nothing to go on with.
#[utoipa::path(
    get, path = "/api/v1/tasks/{id}/events",
    params(("id" = String, Path), From, ("Last-Event-ID" = Option<u64>, Header)),
    responses((status = 200, content_type = "text/event-stream", body = Event),
              (status = 204, description = "The task has ended, and nothing came after this event"),
              (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub(super) async fn stream(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = TaskId::parse(&id)?;
    let task = api.store.get(&id).await?.ok_or_else(|| StoreError::NotFound(id.clone()))?;
    let after = match headers.get("last-event-id") {
        None => from.after.unwrap_or(0),
        Some(value) => value.to_str().ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
            Problem::bad_request("Last-Event-ID is not a number; leave it out to start from the first")
        })?,
    };
    if task.state == task::State::Ended && api.store.events(&id, after, 1).await?.is_empty() {
        // A browser connects again when a stream ends, until it is told that there is no more to come.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    let body = Sse::new(follow(api, id, after)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    Ok((unbuffered, body).into_response())
}

struct Follow {
    api: Api,
    task: TaskId,
    after: EventId,
    waiting: std::vec::IntoIter<Event>,
    watch: crate::store::Watch,
    over: bool,
}

fn follow(api: Api, task: TaskId, after: EventId) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    // Interest is registered before the first look, so that nothing falls in between.
    let watch = api.store.watch();
    let state = Follow { api, task, after, waiting: Vec::new().into_iter(), watch, over: false };
    stream::unfold(state, async |mut state| {
        let event = state.next().await?;
        Some((Ok(event), state))
    })
}

impl Follow {
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if let Some(event) = self.waiting.next() {
                self.after = event.id;
                self.over = matches!(event.body, EventBody::Ended { .. });
                return Some(message(&event));
            }
            if self.api.stop.is_cancelled() {
                return None;
            }
            match self.api.store.events(&self.task, self.after, BATCH).await {
                Ok(events) if !events.is_empty() => self.waiting = events.into_iter(),
                // The end of the task, unless it was queued again since.
                Ok(_) if self.over => return None,
                Ok(_) => {
                    let stop = self.api.stop.clone();
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = self.watch.changed(HEARTBEAT) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(task = %self.task, %error, "an event stream ends early");
                    return None;
                }
            }
        }
    }
}

fn message(event: &Event) -> sse::Event {
    let json = serde_json::to_value(event).expect("an event serialises");
    let kind = json.get("type").and_then(|kind| kind.as_str()).unwrap_or("event").to_owned();
    sse::Event::default().id(event.id.to_string()).event(kind).data(json.to_string())
}
