//! What a claim writes: a task's events, gathered for a moment and written in order, and its record.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::halt::{Halt, Stop};
use crate::store::{Claim, Lease, Store, StoreError};
use crate::task::{EventBody, Task, Trace};
use crate::telemetry::{metrics, spans};

/// How long an event may wait for others. Shorter than a person notices.
const GATHER: Duration = Duration::from_millis(150);

/// The waits between the attempts of [`insist`]: the first is a busy moment, the last an outage.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

pub(super) struct Feed {
    store: Arc<dyn Store>,
    lease: Lease,
    halt: Arc<Halt>,
    /// The span of the claim.
    trace: Option<Trace>,
    pending: Mutex<Vec<EventBody>>,
    /// Held while a batch is written, so that batches stay in order.
    writing: tokio::sync::Mutex<()>,
    more: Notify,
}

impl Feed {
    pub(super) fn new(
        store: Arc<dyn Store>,
        lease: Lease,
        halt: Arc<Halt>,
        trace: Option<Trace>,
    ) -> Arc<Self> {
        let (pending, writing, more) = (Mutex::default(), tokio::sync::Mutex::default(), Notify::new());
        Arc::new(Self { store, lease, halt, trace, pending, writing, more })
    }

    pub(super) fn push(&self, event: EventBody) {
        metrics::saw(&event);
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let (EventBody::Tokens { call, text }, Some(EventBody::Tokens { call: last, text: gathered })) =
            (&event, pending.last_mut())
            && call == last
        {
            gathered.push_str(text);
        } else {
            pending.push(event);
        }
        drop(pending);
        self.more.notify_one();
    }

    /// Writes what comes in until it is dropped. A lost lease stops the task's work.
    pub(super) async fn pump(self: Arc<Self>) {
        loop {
            self.more.notified().await;
            tokio::time::sleep(GATHER).await;
            match self.flush().await {
                Ok(()) => {}
                Err(StoreError::StaleFence { .. }) => return self.halt.stop(Stop::LeaseLost),
                Err(error) => {
                    tracing::warn!(task = %self.lease.task, %error, "can't write events yet");
                    // What was put back must not wait for the next event.
                    tokio::time::sleep(LONGEST_WAIT).await;
                    self.more.notify_one();
                }
            }
        }
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let events = self.take();
        if events.is_empty() {
            return Ok(());
        }
        let copy = events.clone();
        let reply = self.told("store.emit", self.store.emit(&self.lease, events)).await;
        if let Err(StoreError::Unavailable(_)) = &reply {
            self.put_back(copy);
        }
        reply.map(|_| ())
    }

    /// Commits the task together with all events so far.
    pub(super) async fn commit(&self, task: &Task) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let events = self.take();
        let commit = insist(&self.halt, || self.store.commit(&self.lease, task, events.clone()));
        self.told("store.commit", commit).await
    }

    /// Likewise, for a task that has ended. `next` asks for another one in the same breath: most stores do
    /// both in little more than the time of one.
    pub(super) async fn finish(
        &self,
        task: &Task,
        next: impl Future<Output = Option<Box<Claim>>>,
    ) -> (Result<(), StoreError>, Option<Box<Claim>>) {
        let _writing = self.writing.lock().await;
        let events = self.take();
        let finish = || self.told("store.finish", self.store.finish(&self.lease, task, events.clone()));
        let (mut finished, mut claimed) = tokio::join!(finish(), next);
        if let Err(StoreError::Unavailable(_)) = finished {
            // Nobody keeps up its lease meanwhile.
            if let Some(claim) = claimed.take()
                && let Err(error) = self.store.release(&claim.lease, "the store did not answer").await
            {
                tracing::warn!(task = %claim.lease.task, %error, "can't hand it back: its lease will run out");
            }
            finished = insist(&self.halt, finish).await;
        }
        if let (Ok(()), Some(outcome)) = (&finished, &task.outcome) {
            metrics::ended(outcome, &task.spend);
        }
        (finished, claimed)
    }

    /// Gives the task back, with all events so far.
    pub(super) async fn release(&self, why: &str) -> Result<(), StoreError> {
        insist(&self.halt, || self.flush()).await?;
        let _writing = self.writing.lock().await;
        let release = insist(&self.halt, || self.store.release(&self.lease, why));
        self.told("store.release", release).await
    }

    /// Gives a task back that waits for its model, with all events so far.
    pub(super) async fn postpone(&self, task: &Task, wait: Duration) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let events = self.take();
        let why = task.postponed.as_ref().map_or("", |postponed| &postponed.why);
        let postpone = || self.store.postpone(&self.lease, task, events.clone(), wait, why);
        self.told("store.postpone", insist(&self.halt, postpone)).await?;
        metrics::postponed();
        Ok(())
    }

    /// A call to the store, and its span.
    async fn told<T>(
        &self,
        verb: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        spans::of_store(verb, self.trace.as_ref(), call).await
    }

    fn take(&self) -> Vec<EventBody> {
        std::mem::take(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put_back(&self, mut events: Vec<EventBody>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        events.append(&mut pending);
        *pending = events;
    }
}

/// Repeats a write for as long as the store does not answer and the lease may still be held: what a
/// step was paid for is not given up for a moment's outage.
pub(super) async fn insist<T, F>(halt: &Halt, write: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut wait = FIRST_WAIT;
    loop {
        let error = match write().await {
            Err(StoreError::Unavailable(why)) => StoreError::Unavailable(why),
            reply => return reply,
        };
        tokio::select! {
            () = halt.lost.cancelled() => return Err(error),
            () = tokio::time::sleep(wait) => {}
        }
        if wait == FIRST_WAIT {
            tracing::warn!(%error, "the store does not answer; trying on");
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}
