//! Everything in one process's memory: for `run`, and the oracle that the other back ends are held to.

mod find;
mod line;
mod queue;
mod state;
mod upkeep;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use self::state::State;
use super::clock::Now;
use super::{
    Beat, Cancelled, Claim, ClaimRequest, Clock, Collected, Count, Deleted, Filter, JournalEntry, Lease,
    NewTask, Page, Pasts, QueueStats, Rate, Requeued, Stats, Store, StoreError, Submitted, Watch, WorkerInfo,
};
use crate::task::{Digest, Event, EventBody, EventId, Millis, Task, TaskId};

/// Lives as long as its process.
pub struct MemoryStore {
    clock: Clock,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Clock::system())
    }
}

impl MemoryStore {
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// A verb checks before it changes anything, so a state behind a poisoned lock is still whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a verb that others may be waiting for.
    fn change<T>(
        &self,
        verb: impl FnOnce(&mut State, Now) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let reply = verb(&mut self.state(), self.clock.now())?;
        self.changes.send_modify(|count| *count += 1);
        Ok(reply)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn submit(&self, new: NewTask) -> Result<Submitted, StoreError> {
        self.change(|state, now| state.submit(new, now))
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Option<Claim>, StoreError> {
        let claim = self.state().claim(request, self.clock.now())?;
        if claim.is_some() {
            self.changes.send_modify(|count| *count += 1);
        }
        Ok(claim)
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<Beat, StoreError> {
        self.state().heartbeat(lease, self.clock.now())
    }

    async fn append(&self, lease: &Lease, step: u32, entry: JournalEntry) -> Result<(), StoreError> {
        self.state().append(lease, step, entry)
    }

    async fn journal(&self, task: &TaskId, step: u32) -> Result<Vec<JournalEntry>, StoreError> {
        Ok(self.state().journal(task, step))
    }

    async fn emit(&self, lease: &Lease, events: Vec<EventBody>) -> Result<EventId, StoreError> {
        self.change(|state, now| state.emit(lease, events, now))
    }

    async fn commit(&self, lease: &Lease, task: &Task, events: Vec<EventBody>) -> Result<(), StoreError> {
        self.change(|state, now| state.commit(lease, task, events, now))
    }

    async fn finish(&self, lease: &Lease, task: &Task, events: Vec<EventBody>) -> Result<(), StoreError> {
        self.change(|state, now| state.finish(lease, task, events, now))
    }

    async fn release(&self, lease: &Lease, why: &str) -> Result<(), StoreError> {
        self.change(|state, now| state.release(lease, why, now))
    }

    async fn postpone(
        &self,
        lease: &Lease,
        task: &Task,
        events: Vec<EventBody>,
        wait: Duration,
        why: &str,
    ) -> Result<(), StoreError> {
        self.change(|state, now| state.postpone(lease, task, events, wait, why, now))
    }

    async fn cancel(&self, task: &TaskId) -> Result<Cancelled, StoreError> {
        self.change(|state, now| state.cancel(task, now))
    }

    async fn reap(&self) -> Result<Vec<TaskId>, StoreError> {
        self.change(|state, now| Ok(state.reap(now)))
    }

    async fn expire(&self) -> Result<Vec<TaskId>, StoreError> {
        self.change(|state, now| Ok(state.expire(now)))
    }

    async fn gc(&self, keep: Duration) -> Result<Collected, StoreError> {
        self.change(|state, now| Ok(state.gc(keep, now)))
    }

    async fn list(&self, filter: &Filter) -> Result<Page, StoreError> {
        Ok(self.state().list(filter))
    }

    async fn count(&self, filter: &Filter) -> Result<Count, StoreError> {
        Ok(self.state().count(filter))
    }

    async fn past(&self, since: Millis, most: usize) -> Result<Pasts, StoreError> {
        Ok(self.state().past(since, most))
    }

    async fn get(&self, task: &TaskId) -> Result<Option<Task>, StoreError> {
        Ok(self.state().get(task))
    }

    async fn events(&self, task: &TaskId, after: EventId, limit: usize) -> Result<Vec<Event>, StoreError> {
        Ok(self.state().events(task, after, limit))
    }

    async fn heads(&self, tasks: &[TaskId]) -> Result<Vec<Option<EventId>>, StoreError> {
        Ok(self.state().heads(tasks))
    }

    fn watch(&self) -> Watch {
        Watch::new(self.changes.subscribe())
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        Ok(self.state().stats())
    }

    async fn cancels(&self) -> Result<Vec<TaskId>, StoreError> {
        Ok(self.state().cancels())
    }

    async fn requeue(&self, task: &TaskId, why: &str) -> Result<Requeued, StoreError> {
        self.change(|state, now| state.requeue(task, why, now))
    }

    async fn delete(&self, task: &TaskId) -> Result<Deleted, StoreError> {
        self.change(|state, _| state.delete(task))
    }

    async fn pause(&self, queue: &str, paused: bool) -> Result<(), StoreError> {
        self.change(|state, _| {
            state.pause(queue, paused);
            Ok(())
        })
    }

    async fn queues(&self) -> Result<Vec<QueueStats>, StoreError> {
        let now = self.clock.now();
        Ok(self.state().queues(now))
    }

    async fn check_in(&self, worker: &WorkerInfo) -> Result<(), StoreError> {
        let seen_at = self.clock.now().millis();
        self.state().workers.insert(worker.name.clone(), WorkerInfo { seen_at, ..worker.clone() });
        Ok(())
    }

    async fn check_out(&self, worker: &str) -> Result<(), StoreError> {
        self.state().workers.remove(worker);
        Ok(())
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>, StoreError> {
        let now = self.clock.now();
        Ok(self.state().workers(now))
    }

    async fn reserve(&self, model: &str, rate: Rate, tokens: u64) -> Result<Option<Duration>, StoreError> {
        let now = self.clock.now();
        Ok(self.state().rates.entry(model.to_owned()).or_default().take(rate.takes(tokens), now))
    }

    async fn settle(&self, model: &str, rate: Rate, reserved: u64, used: u64) -> Result<(), StoreError> {
        let mut state = self.state();
        state.rates.entry(model.to_owned()).or_default().settle(rate.takes(reserved), rate.takes(used));
        Ok(())
    }

    async fn fsck(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.state().fsck())
    }

    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, StoreError> {
        let digest = Digest::of(&bytes);
        self.state().put_blob(digest.clone(), bytes, self.clock.now());
        Ok(digest)
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        Ok(self.state().get_blob(digest))
    }
}
