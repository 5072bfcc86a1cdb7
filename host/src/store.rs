//! Where tasks live: one trait, several back ends, one conformance suite for all.
//!
//! Invariant: every change of a running task carries the fence it was claimed with, and a stale
//! fence changes nothing. Invariant: time here is the store's own, never a worker's.

mod clock;
mod control;
mod filter;
mod pack;
mod queue;
mod rate;
mod snapshots;
mod memory;
mod sqlite;
mod redis;
#[cfg(test)]
mod conformance;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::task::{Digest, Event, EventBody, EventId, Millis, Place, Spec, Task, TaskId};

pub use self::redis::{Put, RedisConfig, RedisStore, Risk, shown as without_password};
pub use clock::Clock;
pub(crate) use control::KEY_MILLIS;
pub use filter::{Count, Deleted, Ending, Filter, MOST_COUNTED, Page, Past, Pasts};
pub use memory::MemoryStore;
pub use queue::{Limits, QueueLimits, QueueStats, Requeued, WorkerInfo};
pub use rate::Rate;
pub use sqlite::{Fsync, SqliteStore};

/// How long a claim holds without a heartbeat, unless it asks for another term.
pub const LEASE: Duration = Duration::from_secs(30);

/// Tasks that [`Store::expire`] ends at a time: some milliseconds of a store's time.
pub const EXPIRED_TOGETHER: usize = 100;

/// Workers a task may lose before it ends as `crashed`.
pub const MAX_CRASHES: u32 = 3;

/// The state of every task, its journal, its events, and the blobs they refer to.
///
/// Each verb is atomic: a crash before it returns leaves all of it or nothing, and once it has
/// returned it survives a crash of the process (and, on the durable back ends, of the machine).
/// Every verb may be repeated after a lost reply: a repeated change by the same fence is harmless.
/// (`emit` alone can't tell a repetition from two equal lines: its events may then be there twice.)
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores a task and queues it, with its `submitted` event.
    ///
    /// With an idempotency key that was used before: the first task's id and `created: false` if
    /// the body was the same, else [`StoreError::KeyReused`]. The same id with the same spec again:
    /// `created: false`; with another spec: [`StoreError::Corrupt`]. [`StoreError::Full`] where as many
    /// tasks wait in its queue as `new.max_waiting` allows.
    async fn submit(&self, new: NewTask) -> Result<Submitted, StoreError>;

    /// Like `submit` for each, in their order, and far cheaper where they are many. Each is stored or refused on its
    /// own, so that a crash before it returns may leave some of them.
    async fn submit_many(&self, all: Vec<NewTask>) -> Vec<Result<Submitted, StoreError>> {
        let mut replies = Vec::with_capacity(all.len());
        for new in all {
            replies.push(self.submit(new).await);
        }
        replies
    }

    /// Leases the task whose turn it is, or nothing.
    ///
    /// Of the tasks that may begin now, whose queue is not paused and which no limit holds back, the
    /// highest priority comes first. Within it, the tenants of all queues take turns; a tenant's own
    /// tasks come in the order of their submission.
    ///
    /// The same worker and nonce get the same task again while that lease lives, so that a lost
    /// reply loses no task; the lease is then extended to a full term from now. Emits `claimed`, and
    /// sets `state`, `worker` and `started_at`. A lease that has run out counts until `reap` sees it.
    async fn claim(&self, request: &ClaimRequest) -> Result<Option<Claim>, StoreError>;

    /// Extends the lease to a full term from now and says whether a cancel was asked for.
    async fn heartbeat(&self, lease: &Lease) -> Result<Beat, StoreError>;

    /// Adds an answer from outside to the journal of a step, before the guest sees it.
    ///
    /// `entry.index` must be the number of entries already there; the same entry again is
    /// harmless, anything else at a used or later index is [`StoreError::Corrupt`].
    async fn append(&self, lease: &Lease, step: u32, entry: JournalEntry) -> Result<(), StoreError>;

    /// The journal of one step, in order. Needs no lease: readers may show it.
    async fn journal(&self, task: &TaskId, step: u32) -> Result<Vec<JournalEntry>, StoreError>;

    /// Adds events. Returns the id of the last one.
    async fn emit(&self, lease: &Lease, events: Vec<EventBody>) -> Result<EventId, StoreError>;

    /// Replaces the worker's part of the record (`next`, `step`, `rounds`, `best`, `spend`, `postponed`)
    /// and adds events. The store's part (`state`, `cancel`, `worker`, `crashes`, times) stays as it is.
    /// A commit equal to the last one of this fence, events included, is taken for its repetition.
    async fn commit(&self, lease: &Lease, task: &Task, events: Vec<EventBody>) -> Result<(), StoreError>;

    /// Like `commit`, then ends the task with `task.outcome` (which must be set), gives up the lease
    /// and adds the `ended` event. Repeating it under the same fence is harmless.
    async fn finish(&self, lease: &Lease, task: &Task, events: Vec<EventBody>) -> Result<(), StoreError>;

    /// Gives the task back to the front of its tenant's tasks, without counting a crash. Emits `requeued`.
    /// One whose cancel was asked for ends as `cancelled` instead, since no heartbeat would tell of it.
    async fn release(&self, lease: &Lease, why: &str) -> Result<(), StoreError>;

    /// Like `commit`, then gives the task back, not to be claimed before `wait` has passed (a week at most); it
    /// then takes its turn behind its tenant's others. Sets `postponed.until`, counts no crash, and emits
    /// `requeued` with the wait. One whose cancel was asked for ends as `cancelled` instead. Repeating it under
    /// the same fence is harmless.
    async fn postpone(
        &self,
        lease: &Lease,
        task: &Task,
        events: Vec<EventBody>,
        wait: Duration,
        why: &str,
    ) -> Result<(), StoreError>;

    /// Asks for the end of a task. A queued one ends here and now; a running one is told by its
    /// next heartbeat; for an ended one nothing changes.
    async fn cancel(&self, task: &TaskId) -> Result<Cancelled, StoreError>;

    /// Puts tasks whose lease has run out back to the front of their tenants' and counts a crash; those
    /// at [`MAX_CRASHES`] end as `crashed`, with their last log lines in the message, and those whose
    /// cancel was asked for as `cancelled`. All of them are returned, the longest overdue first.
    async fn reap(&self) -> Result<Vec<TaskId>, StoreError>;

    /// Ends tasks that wait and whose deadline has passed, as out of budget: the earliest deadlines first, and no
    /// more than [`EXPIRED_TOGETHER`], so that it holds up no other verb for long. Those it has ended are returned.
    async fn expire(&self) -> Result<Vec<TaskId>, StoreError>;

    /// Deletes tasks that ended more than `keep` ago, with all that belongs to them, and blobs that
    /// no task refers to and that are older than an hour (a submission stores its blobs first).
    /// A task refers to its snapshots and to the files in them. Works in slices, each atomic, so
    /// that it never holds up the other verbs for long.
    async fn gc(&self, keep: Duration) -> Result<Collected, StoreError>;

    /// Newest first. Pages by `cursor`: the last id of the page before.
    async fn list(&self, filter: &Filter) -> Result<Page, StoreError>;

    /// How many tasks there are like that, wherever its cursor. Not exact above [`MOST_COUNTED`], or where
    /// the store would have to look at very many.
    async fn count(&self, filter: &Filter) -> Result<Count, StoreError>;

    /// The tasks that ended then or later, and no more than `most` of them.
    async fn past(&self, since: Millis, most: usize) -> Result<Pasts, StoreError>;

    async fn get(&self, task: &TaskId) -> Result<Option<Task>, StoreError>;

    /// At most `limit` events after `after` (0: from the first), in order.
    async fn events(&self, task: &TaskId, after: EventId, limit: usize) -> Result<Vec<Event>, StoreError>;

    /// The id of the last event of each of these tasks; `None` for one that is not there.
    async fn heads(&self, tasks: &[TaskId]) -> Result<Vec<Option<EventId>>, StoreError>;

    /// Wakes its holder after changes. Register, then look, then wait: a wake can be spurious, and
    /// on a store that other processes write to it may be up to a second late.
    fn watch(&self) -> Watch;

    /// Tasks by state.
    async fn stats(&self) -> Result<Stats, StoreError>;

    /// The running tasks whose end was asked for.
    async fn cancels(&self) -> Result<Vec<TaskId>, StoreError>;

    /// Puts a task that has ended, and not green, back into its queue: without its outcome, its crashes
    /// and its cancel, but with what it has spent. Emits `requeued`.
    async fn requeue(&self, task: &TaskId, why: &str) -> Result<Requeued, StoreError>;

    /// Deletes a task that has ended, with its events and its journal. Its blobs go with the next `gc`.
    async fn delete(&self, task: &TaskId) -> Result<Deleted, StoreError>;

    /// Whether workers leave the tasks of a queue alone. Those that run go on.
    async fn pause(&self, queue: &str, paused: bool) -> Result<(), StoreError>;

    /// The queues that are paused or hold tasks that have not ended, by name.
    async fn queues(&self) -> Result<Vec<QueueStats>, StoreError>;

    /// Says that a worker lives; overwrites what it said before.
    async fn check_in(&self, worker: &WorkerInfo) -> Result<(), StoreError>;

    async fn check_out(&self, worker: &str) -> Result<(), StoreError>;

    /// Takes one request with so many tokens out of what all workers together may ask of a model. `Some`: not
    /// now, but after so long. A large one waits no longer than a small one: tokens that are not there are lent.
    /// A reservation that is never settled is one that was used up.
    async fn reserve(&self, model: &str, rate: Rate, tokens: u64) -> Result<Option<Duration>, StoreError>;

    /// Says what a reservation has come to. Not to be repeated.
    async fn settle(&self, model: &str, rate: Rate, reserved: u64, used: u64) -> Result<(), StoreError>;

    /// The workers that have checked in within the last minute, by name.
    async fn workers(&self) -> Result<Vec<WorkerInfo>, StoreError>;

    /// What does not fit together: a record without its queue entry, a gap in a journal, a missing
    /// blob. Empty when all is well; changes nothing.
    async fn fsck(&self) -> Result<Vec<String>, StoreError>;

    /// Keeps bytes under their digest. Storing the same bytes again is free.
    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, StoreError>;

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError>;
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another worker holds the task now, or it has ended: whoever gets this must stop working on it.
    #[error("the lease on task {task} is lost (fence {fence})")]
    StaleFence { task: TaskId, fence: u64 },
    #[error("no task {0}")]
    NotFound(TaskId),
    #[error("the idempotency key was used before, with another body, for task {first}")]
    KeyReused { first: TaskId },
    /// It takes more once some have begun.
    #[error("queue {queue} is full: {limit} tasks wait in it (queues.{queue}.max_waiting)")]
    Full { queue: String, limit: u64 },
    /// Trying again later may help.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// Trying again does not help.
    #[error("the store holds something it should not: {0}")]
    Corrupt(String),
}

pub struct NewTask {
    pub id: TaskId,
    pub spec: Spec,
    pub place: Place,
    pub idempotency: Option<Idempotency>,
    /// `None`: no limit.
    pub max_waiting: Option<u64>,
}

impl NewTask {
    /// In the default place, without a limit.
    pub fn new(id: TaskId, spec: Spec) -> Self {
        Self { id, spec, place: Place::default(), idempotency: None, max_waiting: None }
    }
}

/// A client's name for a submission, so that sending it twice makes one task. Kept for 24 hours.
#[derive(Clone, Debug)]
pub struct Idempotency {
    pub key: String,
    /// Of the request as the client sent it.
    pub body: Digest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    pub id: TaskId,
    pub created: bool,
}

#[derive(Clone, Debug)]
pub struct ClaimRequest {
    pub worker: String,
    /// Drawn afresh for each claim, kept for its repetitions.
    pub nonce: u64,
    /// [`LEASE`] by default.
    pub lease: Duration,
    pub limits: Arc<Limits>,
}

impl ClaimRequest {
    /// With a lease of that length, without limits.
    pub fn new(worker: impl Into<String>, nonce: u64, lease: Duration) -> Self {
        Self { worker: worker.into(), nonce, lease, limits: Arc::default() }
    }
}

/// The right to change a running task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub task: TaskId,
    /// `max(last + 1, server time in µs)`: grows with every claim of the task.
    pub fence: u64,
}

#[derive(Clone, Debug)]
pub struct Claim {
    pub lease: Lease,
    pub task: Task,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    pub cancel: bool,
}

/// One answer that a step has had from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JournalEntry {
    /// From 0, without gaps.
    pub index: u32,
    /// `model`, `exec` or `check`.
    pub kind: String,
    /// Of the request: a replayed step that asks something else has diverged.
    pub asked: Digest,
    /// As JSON, for people.
    pub request: String,
    /// As JSON.
    pub answer: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It was waiting and has ended.
    Ended,
    /// It is running and will stop.
    Requested,
    AlreadyEnded,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    pub tasks: u64,
    pub blobs: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Stats {
    pub queued: u64,
    pub running: u64,
    pub ended: u64,
    /// Since when the task that waits longest could have begun.
    pub oldest_queued_at: Option<Millis>,
}

/// The content of a table of a store's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub rows: u64,
    /// Of every value of every row, in the order of the keys.
    pub digest: Digest,
}

/// A counter that moves when something in the store may have changed.
#[derive(Clone)]
pub struct Watch(tokio::sync::watch::Receiver<u64>);

impl Watch {
    pub fn new(receiver: tokio::sync::watch::Receiver<u64>) -> Self {
        Self(receiver)
    }

    /// Returns after a change since this watch was made or last returned, or after `at_most`.
    pub async fn changed(&mut self, at_most: Duration) {
        // A closed store and a timeout both mean: look again.
        let _ = tokio::time::timeout(at_most, self.0.changed()).await;
    }
}
