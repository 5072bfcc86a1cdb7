//! A Redis that several machines share: plain, a cluster, or behind sentinels.
//!
//! All keys but the blobs' are in one hash tag, so that each verb is one script: atomic, and in one
//! slot of a cluster. What a cluster spreads is the blobs, which are nearly all of the bytes.
//! Invariant: nothing but the scripts writes, and each checks the fence where the verb has one.

mod address;
mod blobs;
mod check;
mod error;
mod find;
mod link;
mod queue;
mod rate;
mod reads;
mod record;
mod script;
mod server;
mod snapshot;
mod submit;
#[cfg(test)]
mod tests;
mod upkeep;
mod verbs;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

pub use self::address::{RedisConfig, shown};
use self::link::{Dial, Link};
use self::script::{Call, Script};
pub use self::server::Risk;
pub use self::snapshot::Put;
use self::wake::Marker;
use super::{
    Beat, Cancelled, Claim, ClaimRequest, Clock, Collected, Count, Deleted, Filter, JournalEntry, Lease,
    NewTask, Page, Pasts, QueueStats, Rate, Requeued, Stats, Store, StoreError, Submitted, Watch, WorkerInfo,
};
use crate::task::{Digest, Event, EventBody, EventId, Millis, Task, TaskId};

/// Cheap to clone; its connections close with the last clone.
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    link: Link,
    /// What every key but the blobs' begins with: the prefix as a hash tag.
    base: String,
    blobs: String,
    clock: Clock,
    wait_replicas: u32,
    /// The longest that replicas are waited for.
    wait: Duration,
    changes: watch::Sender<u64>,
    /// `None` until the server is known to be ours.
    _listener: Option<AbortOnDropHandle<()>>,
}

impl RedisStore {
    /// Connects, and refuses a server that would lose tasks.
    pub async fn open(config: RedisConfig) -> Result<Self, StoreError> {
        Self::open_with(config, Clock::system()).await
    }

    /// A clock that is set by hand stands in for the server's.
    pub async fn open_with(config: RedisConfig, clock: Clock) -> Result<Self, StoreError> {
        let (wait_replicas, wait) = (config.wait_replicas, config.timeout / 2);
        let (base, blobs) = (format!("{{{}}}:", config.prefix), format!("{}:blob:", config.prefix));
        let dial = Dial::new(config).map_err(StoreError::Unavailable)?;
        let link = dial.link().await?;
        let changes = watch::Sender::new(0);
        let mut inner = Inner { link, base, blobs, clock, wait_replicas, wait, changes, _listener: None };
        inner.check_server().await?;
        inner.check_layout().await?;
        // It writes.
        let (link, ask) = (inner.link.clone(), script::ASK.on(&inner.base, ""));
        let marker = Marker { dial, link, key: inner.key("wake"), ask };
        let listener = tokio::spawn(wake::listen(marker, inner.changes.clone()));
        inner._listener = Some(AbortOnDropHandle::new(listener));
        Ok(Self(Arc::new(inner)))
    }

    /// What a power cut of each server could lose.
    pub async fn risks(&self) -> Result<Vec<Risk>, StoreError> {
        self.0.risks().await
    }
}

impl Inner {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.base)
    }

    fn task_key(&self, id: &TaskId) -> String {
        format!("{}task:{id}", self.base)
    }

    fn blob_key(&self, digest: &Digest) -> String {
        self.blob_named(digest.as_str())
    }

    fn blob_named(&self, digest: &str) -> String {
        format!("{}{digest}", self.blobs)
    }

    /// Empty: the server's time.
    fn now(&self) -> String {
        self.clock.by_hand().map(|now| now.micros.to_string()).unwrap_or_default()
    }

    fn on(&self, script: &'static Script) -> Call {
        script.on(&self.base, &self.now())
    }

    /// Returns once as many replicas as configured have what this call has changed.
    async fn replicated(&self, call: &Call) -> Result<(), StoreError> {
        if self.wait_replicas == 0 {
            return Ok(());
        }
        let have = self.link.wait(call, self.wait_replicas, self.wait).await?;
        if have >= self.wait_replicas {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "{have} of {} replicas have the change (redis.wait_replicas); it is made, and may be repeated",
            self.wait_replicas
        )))
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn submit(&self, new: NewTask) -> Result<Submitted, StoreError> {
        self.0.submit(new).await
    }

    async fn submit_many(&self, all: Vec<NewTask>) -> Vec<Result<Submitted, StoreError>> {
        self.0.submit_many(all).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Option<Claim>, StoreError> {
        self.0.claim(request).await
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<Beat, StoreError> {
        self.0.heartbeat(lease).await
    }

    async fn append(&self, lease: &Lease, step: u32, entry: JournalEntry) -> Result<(), StoreError> {
        self.0.append(lease, step, &entry).await
    }

    async fn journal(&self, task: &TaskId, step: u32) -> Result<Vec<JournalEntry>, StoreError> {
        self.0.journal(task, step).await
    }

    async fn emit(&self, lease: &Lease, events: Vec<EventBody>) -> Result<EventId, StoreError> {
        self.0.emit(lease, &events).await
    }

    async fn commit(&self, lease: &Lease, task: &Task, events: Vec<EventBody>) -> Result<(), StoreError> {
        self.0.commit(lease, task, &events).await
    }

    async fn finish(&self, lease: &Lease, task: &Task, events: Vec<EventBody>) -> Result<(), StoreError> {
        self.0.finish(lease, task, &events).await
    }

    async fn release(&self, lease: &Lease, why: &str) -> Result<(), StoreError> {
        self.0.release(lease, why).await
    }

    async fn postpone(
        &self,
        lease: &Lease,
        task: &Task,
        events: Vec<EventBody>,
        wait: Duration,
        why: &str,
    ) -> Result<(), StoreError> {
        self.0.postpone(lease, task, &events, wait, why).await
    }

    async fn cancel(&self, task: &TaskId) -> Result<Cancelled, StoreError> {
        self.0.cancel(task).await
    }

    async fn reap(&self) -> Result<Vec<TaskId>, StoreError> {
        self.0.reap().await
    }

    async fn expire(&self) -> Result<Vec<TaskId>, StoreError> {
        self.0.expire().await
    }

    async fn gc(&self, keep: Duration) -> Result<Collected, StoreError> {
        self.0.gc(keep).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page, StoreError> {
        self.0.list(filter).await
    }

    async fn count(&self, filter: &Filter) -> Result<Count, StoreError> {
        self.0.count(filter).await
    }

    async fn past(&self, since: Millis, most: usize) -> Result<Pasts, StoreError> {
        self.0.past(since, most).await
    }

    async fn get(&self, task: &TaskId) -> Result<Option<Task>, StoreError> {
        Ok(self.0.record(task).await?.map(|record| record.task))
    }

    async fn events(&self, task: &TaskId, after: EventId, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.0.events(task, after, limit).await
    }

    async fn heads(&self, tasks: &[TaskId]) -> Result<Vec<Option<EventId>>, StoreError> {
        self.0.heads(tasks).await
    }

    fn watch(&self) -> Watch {
        Watch::new(self.0.changes.subscribe())
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        self.0.stats().await
    }

    async fn cancels(&self) -> Result<Vec<TaskId>, StoreError> {
        self.0.cancels().await
    }

    async fn requeue(&self, task: &TaskId, why: &str) -> Result<Requeued, StoreError> {
        self.0.requeue(task, why).await
    }

    async fn delete(&self, task: &TaskId) -> Result<Deleted, StoreError> {
        self.0.delete(task).await
    }

    async fn pause(&self, queue: &str, paused: bool) -> Result<(), StoreError> {
        self.0.pause(queue, paused).await
    }

    async fn queues(&self) -> Result<Vec<QueueStats>, StoreError> {
        self.0.queues().await
    }

    async fn check_in(&self, worker: &WorkerInfo) -> Result<(), StoreError> {
        self.0.check_in(worker).await
    }

    async fn check_out(&self, worker: &str) -> Result<(), StoreError> {
        self.0.check_out(worker).await
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>, StoreError> {
        self.0.workers().await
    }

    async fn reserve(&self, model: &str, rate: Rate, tokens: u64) -> Result<Option<Duration>, StoreError> {
        self.0.reserve(model, rate, tokens).await
    }

    async fn settle(&self, model: &str, rate: Rate, reserved: u64, used: u64) -> Result<(), StoreError> {
        self.0.settle(model, rate, reserved, used).await
    }

    async fn fsck(&self) -> Result<Vec<String>, StoreError> {
        self.0.fsck().await
    }

    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, StoreError> {
        self.0.put_blob(bytes).await
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        self.0.get_blob(digest).await
    }
}
