//! A store that does not always answer.

use std::sync::Mutex;
use std::time::Duration;

use aiagent_host::store::{
    Beat, Cancelled, Claim, ClaimRequest, Collected, Count, Deleted, Filter, JournalEntry, Lease,
    MemoryStore, NewTask, Page, Pasts, QueueStats, Rate, Requeued, Stats, Store, StoreError, Submitted,
    Watch, WorkerInfo,
};
use aiagent_host::task::{Digest, Event, EventBody, EventId, Millis, Task, TaskId};
use async_trait::async_trait;
use bytes::Bytes;

/// A memory store behind a bad line. Each outage is a verb and whether it was done before the reply
/// was lost.
#[derive(Default)]
pub(crate) struct Flaky {
    store: MemoryStore,
    outages: Mutex<Vec<(&'static str, bool)>>,
    spoilt: Option<&'static str>,
}

impl Flaky {
    pub(crate) fn with(outages: &[(&'static str, bool)]) -> Self {
        Self { outages: Mutex::new(outages.to_vec()), ..Self::default() }
    }

    /// Whose replies to this verb can't be read.
    pub(crate) fn spoilt(verb: &'static str) -> Self {
        Self { spoilt: Some(verb), ..Self::default() }
    }

    /// Outages that have not come to pass.
    pub(crate) fn left(&self) -> Vec<(&'static str, bool)> {
        self.outages.lock().expect("no test panics with it").clone()
    }

    async fn line<T>(
        &self,
        verb: &str,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if self.spoilt == Some(verb) {
            return Err(StoreError::Corrupt(format!("the reply to {verb} can't be read")));
        }
        let outage = {
            let mut outages = self.outages.lock().expect("no test panics with it");
            let found = outages.iter().position(|(broken, _)| *broken == verb);
            found.map(|at| outages.remove(at).1)
        };
        match outage {
            None => work.await,
            Some(done) => {
                if done {
                    work.await?;
                }
                Err(StoreError::Unavailable(format!("the line broke during {verb}")))
            }
        }
    }
}

#[async_trait]
impl Store for Flaky {
    async fn submit(&self, new: NewTask) -> Result<Submitted, StoreError> {
        self.line("submit", self.store.submit(new)).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Option<Claim>, StoreError> {
        self.line("claim", self.store.claim(request)).await
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<Beat, StoreError> {
        self.line("heartbeat", self.store.heartbeat(lease)).await
    }

    async fn append(&self, lease: &Lease, step: u32, entry: JournalEntry) -> Result<(), StoreError> {
        self.line("append", self.store.append(lease, step, entry)).await
    }

    async fn journal(&self, task: &TaskId, step: u32) -> Result<Vec<JournalEntry>, StoreError> {
        self.line("journal", self.store.journal(task, step)).await
    }

    async fn emit(&self, lease: &Lease, events: Vec<EventBody>) -> Result<EventId, StoreError> {
        self.line("emit", self.store.emit(lease, events)).await
    }

    async fn commit(&self, lease: &Lease, task: &Task, events: Vec<EventBody>) -> Result<(), StoreError> {
        self.line("commit", self.store.commit(lease, task, events)).await
    }

    async fn finish(&self, lease: &Lease, task: &Task, events: Vec<EventBody>) -> Result<(), StoreError> {
        self.line("finish", self.store.finish(lease, task, events)).await
    }

    async fn release(&self, lease: &Lease, why: &str) -> Result<(), StoreError> {
        self.line("release", self.store.release(lease, why)).await
    }

    async fn postpone(
        &self,
        lease: &Lease,
        task: &Task,
        events: Vec<EventBody>,
        wait: Duration,
        why: &str,
    ) -> Result<(), StoreError> {
        self.line("postpone", self.store.postpone(lease, task, events, wait, why)).await
    }

    async fn cancel(&self, task: &TaskId) -> Result<Cancelled, StoreError> {
        self.line("cancel", self.store.cancel(task)).await
    }

    async fn reap(&self) -> Result<Vec<TaskId>, StoreError> {
        self.line("reap", self.store.reap()).await
    }

    async fn expire(&self) -> Result<Vec<TaskId>, StoreError> {
        self.line("expire", self.store.expire()).await
    }

    async fn gc(&self, keep: Duration) -> Result<Collected, StoreError> {
        self.line("gc", self.store.gc(keep)).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page, StoreError> {
        self.line("list", self.store.list(filter)).await
    }

    async fn count(&self, filter: &Filter) -> Result<Count, StoreError> {
        self.line("count", self.store.count(filter)).await
    }

    async fn past(&self, since: Millis, most: usize) -> Result<Pasts, StoreError> {
        self.line("past", self.store.past(since, most)).await
    }

    async fn get(&self, task: &TaskId) -> Result<Option<Task>, StoreError> {
        self.line("get", self.store.get(task)).await
    }

    async fn events(&self, task: &TaskId, after: EventId, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.line("events", self.store.events(task, after, limit)).await
    }

    async fn heads(&self, tasks: &[TaskId]) -> Result<Vec<Option<EventId>>, StoreError> {
        self.line("heads", self.store.heads(tasks)).await
    }

    fn watch(&self) -> Watch {
        self.store.watch()
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        self.line("stats", self.store.stats()).await
    }

    async fn cancels(&self) -> Result<Vec<TaskId>, StoreError> {
        self.line("cancels", self.store.cancels()).await
    }

    async fn requeue(&self, task: &TaskId, why: &str) -> Result<Requeued, StoreError> {
        self.line("requeue", self.store.requeue(task, why)).await
    }

    async fn delete(&self, task: &TaskId) -> Result<Deleted, StoreError> {
        self.line("delete", self.store.delete(task)).await
    }

    async fn pause(&self, queue: &str, paused: bool) -> Result<(), StoreError> {
        self.line("pause", self.store.pause(queue, paused)).await
    }

    async fn queues(&self) -> Result<Vec<QueueStats>, StoreError> {
        self.line("queues", self.store.queues()).await
    }

    async fn check_in(&self, worker: &WorkerInfo) -> Result<(), StoreError> {
        self.line("check_in", self.store.check_in(worker)).await
    }

    async fn check_out(&self, worker: &str) -> Result<(), StoreError> {
        self.line("check_out", self.store.check_out(worker)).await
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>, StoreError> {
        self.line("workers", self.store.workers()).await
    }

    async fn reserve(&self, model: &str, rate: Rate, tokens: u64) -> Result<Option<Duration>, StoreError> {
        self.line("reserve", self.store.reserve(model, rate, tokens)).await
    }

    async fn settle(&self, model: &str, rate: Rate, reserved: u64, used: u64) -> Result<(), StoreError> {
        self.line("settle", self.store.settle(model, rate, reserved, used)).await
    }

    async fn fsck(&self) -> Result<Vec<String>, StoreError> {
        self.line("fsck", self.store.fsck()).await
    }

    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, StoreError> {
        self.line("put_blob", self.store.put_blob(bytes)).await
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        self.line("get_blob", self.store.get_blob(digest)).await
    }
}
