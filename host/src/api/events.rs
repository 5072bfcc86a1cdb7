//! A task's events as server-sent events: what was, then what comes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use serde::Deserialize;

use super::extract::{Path, Query};
use super::hub::{Following, News};
use super::{Api, Problem, wire};
use crate::store::StoreError;
use crate::task::{self, Event, EventId, TaskId};

/// Under the 15 s after which many proxies drop a silent connection.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(10);

/// Events read from the store at a time, by a stream that is behind.
const BATCH: usize = 128;

/// The bytes that one connection is to hold. A client takes them at its own pace, and the next ones are
/// read once it has.
const MOST_BYTES: usize = 256 << 10;

#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct From {
    /// Begin after this event; `Last-Event-ID` says the same and comes first.
    after: Option<EventId>,
}

/// Replays all events after the given one, then follows the task until it has ended.
///
/// Each message has the event's id, its type, and the event as JSON. Ids are durable: a client that
/// was cut off goes on with `Last-Event-ID`, and is told (204) when there is nothing to go on with. Where
/// there is no such event, or events after it are gone, the first message is a `resync` with the id of the
/// `oldest` event, and all from there on follow.
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
    // Interest is registered before the first look, so that nothing falls in between.
    let following = api.hub.follow(&id);
    let task = api.store.get(&id).await?.ok_or_else(|| StoreError::NotFound(id.clone()))?;
    let after = match headers.get("last-event-id") {
        None => from.after.unwrap_or(0),
        Some(value) => value.to_str().ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
            Problem::bad_request("Last-Event-ID is not a number; leave it out to start from the first")
        })?,
    };
    let head = api.store.heads(std::slice::from_ref(&id)).await?.into_iter().flatten().next().unwrap_or(0);
    if task.state == task::State::Ended && after == head {
        // A browser connects again when a stream ends, until it is told that there is no more to come.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    // There never was such an event: the store was put back to what it was before it.
    let (after, lost) = if after > head { (0, true) } else { (after, false) };
    let follow = Follow { api, task: id, after, lost, following, behind: true, batch: BATCH, over: false };
    Ok(wire::response(follow.messages()))
}

struct Follow {
    api: Api,
    task: TaskId,
    /// The last event that was sent.
    after: EventId,
    /// The client is to be told that it has to begin anew.
    lost: bool,
    following: Following,
    /// Whether there may be more in the store.
    behind: bool,
    batch: usize,
    over: bool,
}

impl Follow {
    fn messages(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, async |mut follow| {
            let bytes = follow.next().await?;
            Some((Ok(bytes), follow))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.api.stop.is_cancelled() {
                return None;
            }
            if self.behind {
                match self.api.store.events(&self.task, self.after, self.batch).await {
                    Ok(events) if !events.is_empty() => return Some(self.take(&events)),
                    // The end of the task, unless it was queued again since.
                    Ok(_) if self.over => return None,
                    Ok(_) => self.behind = false,
                    Err(error) => {
                        tracing::warn!(task = %self.task, %error, "an event stream ends early");
                        return None;
                    }
                }
            }
            tokio::select! {
                () = self.api.stop.cancelled() => return None,
                news = self.following.next() => match news {
                    News::Events(piece) => match piece.rest(self.after) {
                        Some((bytes, last)) => {
                            self.after = last;
                            self.over = piece.over;
                            self.behind = piece.over;
                            return Some(bytes);
                        }
                        None => self.behind = true,
                    },
                    News::Look => self.behind = true,
                    News::Gone => return None,
                },
                () = tokio::time::sleep(HEARTBEAT) => {
                    self.behind = true;
                    return Some(wire::BEAT);
                }
            }
        }
    }

    fn take(&mut self, events: &[Event]) -> Bytes {
        let (bytes, ends) = wire::messages(events);
        let first = events.first().map_or(0, |event| event.id);
        let lost = std::mem::take(&mut self.lost) || (self.after > 0 && first > self.after + 1);
        self.after = ends.last().map_or(self.after, |(id, _)| *id);
        self.over = events.last().is_some_and(wire::is_end);
        self.batch = match bytes.len() {
            length if length > MOST_BYTES => (events.len() / 2).max(1),
            _ => (self.batch * 2).min(BATCH),
        };
        if !lost {
            return bytes;
        }
        let mut all = BytesMut::from(&wire::resync(first)[..]);
        all.extend_from_slice(&bytes);
        all.freeze()
    }
}
