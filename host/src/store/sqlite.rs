//! One SQLite file, for one machine: durable once a verb has returned ([`Fsync`] says what of that a power cut
//! leaves), shared by the processes that open it.
//!
//! Events live in the same file as the records they tell of: with WAL, a transaction over two files is
//! not atomic when the machine goes down, and every group of writes would pay a second `fsync`.
//! Invariant: only the writer's thread writes, and it answers after the commit.

mod blobs;
mod check;
mod collect;
mod copy;
mod error;
mod file;
mod find;
mod later;
mod line;
mod readers;
mod reads;
mod rows;
mod sweep;
mod verbs;
mod writer;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use self::later::Later;
use self::readers::Readers;
use self::writer::Writer;
use super::{
    Beat, Cancelled, Claim, ClaimRequest, Clock, Collected, Count, Deleted, Filter, JournalEntry, Lease,
    NewTask, Page, Pasts, QueueStats, Rate, Requeued, Stats, Store, StoreError, Stored, Submitted, Watch,
    WorkerInfo, control, pack,
};
use crate::task::{Digest, Event, EventBody, EventId, Millis, Task, TaskId};

/// Cheap to clone; the file is closed with the last clone.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

/// When commits are on the disk itself. A process that is killed loses none either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fsync {
    /// Before the verb returns: a power cut loses nothing.
    #[default]
    Always,
    /// About a second later: a power cut loses what was newer, and leaves a sound file.
    Everysec,
}

struct Inner {
    path: PathBuf,
    clock: Clock,
    changes: watch::Sender<u64>,
    readers: Readers,
    // Last, so that its connection is the last to close and tidies the file.
    writer: Writer,
}

impl SqliteStore {
    /// Opens or creates a store, in a folder that exists. Blocks while it does.
    ///
    /// Refuses files of other programs and of newer versions of this one.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, Fsync::Always, Clock::system())
    }

    pub fn open_with(path: &Path, fsync: Fsync, clock: Clock) -> Result<Self, StoreError> {
        let conn = file::open_writer(path, fsync)?;
        let later = match fsync {
            Fsync::Always => None,
            Fsync::Everysec => Some(Later::start(path).map_err(error::no_thread)?),
        };
        let changes = watch::Sender::new(0);
        let readers = Readers::start(path)?;
        let writer = Writer::start(conn, later, clock.clone(), changes.clone())?;
        Ok(Self(Arc::new(Inner { path: path.to_owned(), clock, changes, readers, writer })))
    }

    /// The newest schema this version knows.
    pub const KNOWN_SCHEMA: usize = file::MIGRATIONS.len();

    /// The schema of a file, which is neither made nor changed.
    pub fn schema(path: &Path) -> Result<usize, StoreError> {
        copy::schema(path)
    }

    /// Whether a file holds any task.
    pub fn holds_tasks(path: &Path) -> Result<bool, StoreError> {
        copy::holds_tasks(path)
    }

    /// What each table of a file holds: equal in two stores of the same tasks, logs and results.
    pub fn contents(path: &Path) -> Result<BTreeMap<String, Stored>, StoreError> {
        copy::contents(path)
    }

    /// What does not fit together in a file of this version's schema, which is not changed. Blocks.
    pub fn examine(path: &Path) -> Result<Vec<String>, StoreError> {
        check::fsck(&copy::look(path)?)
    }

    /// Writes a whole copy of a store to `target`, as it is at one moment, while work goes on. A file
    /// that is there is replaced, and only once the copy is complete and on disk. Blocks.
    pub fn copy(source: &Path, target: &Path) -> Result<(), StoreError> {
        copy::copy(&file::open_reader(source)?, target)
    }

    /// Likewise, of this store.
    pub async fn backup_to(&self, target: &Path) -> Result<(), StoreError> {
        let (source, target) = (self.0.path.clone(), target.to_owned());
        tokio::task::spawn_blocking(move || Self::copy(&source, &target))
            .await
            .map_err(|error| StoreError::Unavailable(format!("the backup was interrupted: {error}")))?
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn submit(&self, new: NewTask) -> Result<Submitted, StoreError> {
        self.0.writer.write(move |tx| verbs::submit(tx, &new)).await
    }

    async fn submit_many(&self, all: Vec<NewTask>) -> Vec<Result<Submitted, StoreError>> {
        // The writer finds them all waiting, and commits them together.
        join_all(all.into_iter().map(|new| self.submit(new))).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Option<Claim>, StoreError> {
        let request = request.clone();
        self.0.writer.write(move |tx| verbs::claim(tx, &request)).await
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<Beat, StoreError> {
        let lease = lease.clone();
        self.0.writer.write(move |tx| verbs::heartbeat(tx, &lease)).await
    }

    async fn append(&self, lease: &Lease, step: u32, entry: JournalEntry) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.0.writer.write(move |tx| verbs::append(tx, &lease, step, &entry)).await
    }

    async fn journal(&self, task: &TaskId, step: u32) -> Result<Vec<JournalEntry>, StoreError> {
        let task = task.clone();
        self.0.readers.read(move |conn| reads::journal(conn, &task, step)).await
    }

    async fn emit(&self, lease: &Lease, events: Vec<EventBody>) -> Result<EventId, StoreError> {
        let lease = lease.clone();
        self.0.writer.write(move |tx| verbs::emit(tx, &lease, &events)).await
    }

    async fn commit(&self, lease: &Lease, task: &Task, events: Vec<EventBody>) -> Result<(), StoreError> {
        let (lease, task) = (lease.clone(), task.clone());
        self.0.writer.write(move |tx| verbs::commit(tx, &lease, &task, &events)).await
    }

    async fn finish(&self, lease: &Lease, task: &Task, events: Vec<EventBody>) -> Result<(), StoreError> {
        let (lease, task) = (lease.clone(), task.clone());
        self.0.writer.write(move |tx| verbs::finish(tx, &lease, &task, &events)).await
    }

    async fn release(&self, lease: &Lease, why: &str) -> Result<(), StoreError> {
        let (lease, why) = (lease.clone(), why.to_owned());
        self.0.writer.write(move |tx| verbs::release(tx, &lease, &why)).await
    }

    async fn postpone(
        &self,
        lease: &Lease,
        task: &Task,
        events: Vec<EventBody>,
        wait: Duration,
        why: &str,
    ) -> Result<(), StoreError> {
        let (lease, task, why) = (lease.clone(), task.clone(), why.to_owned());
        self.0.writer.write(move |tx| verbs::postpone(tx, &lease, &task, &events, wait, &why)).await
    }

    async fn cancel(&self, task: &TaskId) -> Result<Cancelled, StoreError> {
        let task = task.clone();
        self.0.writer.write(move |tx| verbs::cancel(tx, &task)).await
    }

    async fn reap(&self) -> Result<Vec<TaskId>, StoreError> {
        self.0.writer.write(sweep::reap).await
    }

    async fn expire(&self) -> Result<Vec<TaskId>, StoreError> {
        self.0.writer.write(sweep::expire).await
    }

    async fn gc(&self, keep: Duration) -> Result<Collected, StoreError> {
        collect::gc(&self.0, keep).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page, StoreError> {
        let filter = filter.clone();
        self.0.readers.read(move |conn| find::list(conn, &filter)).await
    }

    async fn count(&self, filter: &Filter) -> Result<Count, StoreError> {
        let filter = filter.clone();
        self.0.readers.read(move |conn| find::count(conn, &filter)).await
    }

    async fn past(&self, since: Millis, most: usize) -> Result<Pasts, StoreError> {
        self.0.readers.read(move |conn| find::past(conn, since, most)).await
    }

    async fn get(&self, task: &TaskId) -> Result<Option<Task>, StoreError> {
        let task = task.clone();
        self.0.readers.read(move |conn| reads::get(conn, &task)).await
    }

    async fn events(&self, task: &TaskId, after: EventId, limit: usize) -> Result<Vec<Event>, StoreError> {
        let task = task.clone();
        self.0.readers.read(move |conn| reads::events(conn, &task, after, limit)).await
    }

    async fn heads(&self, tasks: &[TaskId]) -> Result<Vec<Option<EventId>>, StoreError> {
        let tasks = tasks.to_vec();
        self.0.readers.read(move |conn| reads::heads(conn, &tasks)).await
    }

    fn watch(&self) -> Watch {
        Watch::new(self.0.changes.subscribe())
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        self.0.readers.read(reads::stats).await
    }

    async fn cancels(&self) -> Result<Vec<TaskId>, StoreError> {
        self.0.readers.read(line::cancels).await
    }

    async fn requeue(&self, task: &TaskId, why: &str) -> Result<Requeued, StoreError> {
        let (task, why) = (task.clone(), why.to_owned());
        self.0.writer.write(move |tx| verbs::requeue(tx, &task, &why)).await
    }

    async fn delete(&self, task: &TaskId) -> Result<Deleted, StoreError> {
        let task = task.clone();
        self.0.writer.write(move |tx| find::delete(tx, &task)).await
    }

    async fn pause(&self, queue: &str, paused: bool) -> Result<(), StoreError> {
        let queue = queue.to_owned();
        self.0.writer.write(move |tx| line::pause(tx, &queue, paused)).await
    }

    async fn queues(&self) -> Result<Vec<QueueStats>, StoreError> {
        let now = self.0.clock.now();
        self.0.readers.read(move |conn| line::queues(conn, now)).await
    }

    async fn check_in(&self, worker: &WorkerInfo) -> Result<(), StoreError> {
        let worker = worker.clone();
        self.0.writer.write(move |tx| line::check_in(tx, &worker)).await
    }

    async fn check_out(&self, worker: &str) -> Result<(), StoreError> {
        let worker = worker.to_owned();
        self.0.writer.write(move |tx| line::check_out(tx, &worker)).await
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>, StoreError> {
        let now = self.0.clock.now();
        self.0.readers.read(move |conn| line::workers(conn, now)).await
    }

    async fn reserve(&self, model: &str, rate: Rate, tokens: u64) -> Result<Option<Duration>, StoreError> {
        let model = model.to_owned();
        self.0.writer.write(move |tx| line::reserve(tx, &model, rate.takes(tokens))).await
    }

    async fn settle(&self, model: &str, rate: Rate, reserved: u64, used: u64) -> Result<(), StoreError> {
        let model = model.to_owned();
        self.0.writer.write(move |tx| line::settle(tx, &model, rate.takes(reserved), rate.takes(used))).await
    }

    async fn fsck(&self) -> Result<Vec<String>, StoreError> {
        self.0.readers.read(check::fsck).await
    }

    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, StoreError> {
        let digest = Digest::of(&bytes);
        let (name, old) = (digest.clone(), digest.clone());
        let is_kept = match self.0.readers.read(move |conn| blobs::stored_at(conn, &name)).await? {
            None => false,
            Some(at) if control::is_fresh(at, self.0.clock.now()) => true,
            // Unless a collection has come first.
            Some(_) => self.0.writer.write(move |tx| blobs::renew(tx, &old)).await?,
        };
        if !is_kept {
            let failed = |error| StoreError::Corrupt(format!("a blob can't be packed: {error}"));
            let (packed, bytes) = pack::pack(bytes).await.map_err(failed)?;
            let name = digest.clone();
            self.0.writer.write(move |tx| blobs::put(tx, &name, packed, &bytes)).await?;
        }
        Ok(digest)
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        let digest = digest.clone();
        self.0.readers.read(move |conn| blobs::get(conn, &digest)).await
    }
}
