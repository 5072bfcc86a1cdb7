//! What happens to the tasks that somebody follows: read once, for all who follow them.
//!
//! A store tells that something has changed, not what. One look a moment after it asks for the last event
//! of every task that is followed, and reads the new ones once each, however many streams show them.
//! Invariant: a stream that missed something here finds it in the store; this only says when to look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use super::wire;
use crate::store::{Store, StoreError};
use crate::task::{EventId, TaskId};

/// The shortest pause between two looks, and the longest: a fifth of the time goes into looking.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(250);
const SHARE: u32 = 4;

/// What a stream may be behind before it has to read from the store itself.
const PIECES: usize = 8;

/// More new events, or more bytes of them, are not held for all: each stream reads them at its own pace.
const MOST_EVENTS: usize = 128;
const MOST_BYTES: usize = 256 << 10;

/// Events of how many tasks are read at once.
const AT_ONCE: usize = 4;

/// On a store that other processes write to, a change may not be told of.
const FALLBACK: Duration = Duration::from_secs(1);

pub struct Hub {
    followed: Mutex<HashMap<TaskId, Followed>>,
    more: Notify,
}

struct Followed {
    news: broadcast::Sender<News>,
    /// The last event that was told of; `None` before the first look.
    head: Option<EventId>,
}

#[derive(Clone)]
pub(super) enum News {
    /// Events in the form of the wire, without a gap.
    Events(Arc<Piece>),
    /// There is something in the store.
    Look,
    /// The task was deleted.
    Gone,
}

pub(super) struct Piece {
    /// They follow this one.
    after: EventId,
    bytes: Bytes,
    /// Each event and where it ends.
    ends: Vec<(EventId, usize)>,
    /// Whether the last one is the task's end.
    pub(super) over: bool,
}

impl Piece {
    /// What follows the event that was seen last, and the last of it; `None` where there is a gap, or nothing.
    pub(super) fn rest(&self, seen: EventId) -> Option<(Bytes, EventId)> {
        let (last, _) = *self.ends.last()?;
        if seen < self.after || seen >= last {
            return None;
        }
        let skipped = self.ends.iter().rev().find(|(id, _)| *id <= seen).map_or(0, |(_, end)| *end);
        Some((self.bytes.slice(skipped..), last))
    }
}

/// What happens to one task, until it is dropped.
pub(super) struct Following(broadcast::Receiver<News>);

impl Following {
    pub(super) async fn next(&mut self) -> News {
        // One that was too slow to hear everything has to look.
        self.0.recv().await.unwrap_or(News::Look)
    }
}

impl Hub {
    /// Looks until `stop` is cancelled.
    pub fn start(store: Arc<dyn Store>, stop: CancellationToken) -> Arc<Self> {
        let hub = Arc::new(Self { followed: Mutex::default(), more: Notify::new() });
        let looking = Arc::clone(&hub);
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = looking.run(store.as_ref()) => {}
            }
        });
        hub
    }

    /// Whoever follows a task reads it from the store first, and then again whenever there is news.
    pub(super) fn follow(&self, task: &TaskId) -> Following {
        let mut followed = self.followed();
        let new = || Followed { news: broadcast::Sender::new(PIECES), head: None };
        let news = followed.entry(task.clone()).or_insert_with(new).news.subscribe();
        self.more.notify_one();
        Following(news)
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<TaskId, Followed>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, store: &dyn Store) {
        let mut watch = store.watch();
        loop {
            if self.followed().is_empty() {
                self.more.notified().await;
            } else {
                tokio::select! {
                    () = watch.changed(FALLBACK) => {}
                    () = self.more.notified() => {}
                }
            }
            let began = Instant::now();
            if let Err(error) = self.look(store).await {
                tracing::warn!(%error, "can't see what happens to the tasks that are followed");
            }
            tokio::time::sleep((began.elapsed() * SHARE).clamp(SHORTEST, LONGEST)).await;
        }
    }

    async fn look(&self, store: &dyn Store) -> Result<(), StoreError> {
        let tasks: Vec<TaskId> = {
            let mut followed = self.followed();
            followed.retain(|_, task| task.news.receiver_count() > 0);
            followed.keys().cloned().collect()
        };
        let heads = store.heads(&tasks).await?;
        let moved: Vec<(TaskId, EventId, EventId)> =
            tasks.into_iter().zip(heads).filter_map(|(task, head)| self.moved(task, head)).collect();
        let reads = moved.into_iter().map(|(task, from, to)| async move {
            // Its own streams meet the error; those of other tasks are not held up by it.
            let piece = read(store, &task, from, to).await.unwrap_or_else(|error| {
                tracing::warn!(%task, %error, "what happens to a task can't be seen");
                Err(to)
            });
            (task, piece)
        });
        let mut pieces = stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Some((task, piece)) = pieces.next().await {
            if let Some(followed) = self.followed().get_mut(&task) {
                let news = match piece {
                    Ok(piece) => {
                        followed.head = piece.ends.last().map(|(id, _)| *id);
                        News::Events(Arc::new(piece))
                    }
                    Err(head) => {
                        followed.head = Some(head);
                        News::Look
                    }
                };
                // Whoever has gone meanwhile needs none.
                let _ = followed.news.send(news);
            }
        }
        Ok(())
    }

    /// A task whose new events are to be read: after which one, and up to which.
    fn moved(&self, task: TaskId, head: Option<EventId>) -> Option<(TaskId, EventId, EventId)> {
        let mut all = self.followed();
        let followed = all.get_mut(&task)?;
        let news = match (followed.head, head) {
            (_, None) => News::Gone,
            (Some(known), Some(head)) if head == known => return None,
            (Some(known), Some(head)) if head > known => {
                drop(all);
                return Some((task, known, head));
            }
            // The first look, or a store that was put back to what it was.
            (_, Some(_)) => News::Look,
        };
        followed.head = head;
        let _ = followed.news.send(news);
        None
    }
}

/// The new events, or the last one's id where they are too many to be held.
async fn read(
    store: &dyn Store,
    task: &TaskId,
    from: EventId,
    to: EventId,
) -> Result<Result<Piece, EventId>, StoreError> {
    if to - from > MOST_EVENTS as EventId {
        return Ok(Err(to));
    }
    let events = store.events(task, from, MOST_EVENTS).await?;
    let gapless = events.first().is_some_and(|first| first.id == from + 1);
    let (bytes, ends) = wire::messages(&events);
    if !gapless || bytes.len() > MOST_BYTES {
        return Ok(Err(to));
    }
    let over = events.last().is_some_and(wire::is_end);
    Ok(Ok(Piece { after: from, bytes, ends, over }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two streams of one task mostly end at the same moment.
    #[tokio::test]
    async fn what_nobody_follows_any_more_is_not_looked_at() {
        let store = Arc::new(crate::store::MemoryStore::default());
        let hub = Hub::start(store, CancellationToken::new());
        let task = TaskId::before(1);
        let both = [hub.follow(&task), hub.follow(&task)];
        assert_eq!(hub.followed().len(), 1);
        drop(both);
        hub.more.notify_one();
        let forgotten = async {
            while !hub.followed().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), forgotten).await.expect("it is forgotten");
    }

    #[test]
    fn a_piece_gives_what_was_not_seen() {
        let piece =
            Piece { after: 4, bytes: Bytes::from_static(b"aabbb"), ends: vec![(5, 2), (6, 5)], over: false };
        for (seen, rest) in [(3, None), (4, Some("aabbb")), (5, Some("bbb")), (6, None), (9, None)] {
            let expected = rest.map(|rest| (Bytes::from_static(rest.as_bytes()), 6));
            assert_eq!(piece.rest(seen), expected, "after {seen}");
        }
    }
}
