//! A task's events on their way to the store: gathered for a moment, written in order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::halt::{Halt, Stop};
use crate::store::{Lease, Store, StoreError};
use crate::task::{EventBody, Task};

/// How long an event may wait for others. Shorter than a person notices.
const GATHER: Duration = Duration::from_millis(150);

pub(super) struct Feed {
    store: Arc<dyn Store>,
    lease: Lease,
    pending: Mutex<Vec<EventBody>>,
    /// Held while a batch is written, so that batches stay in order.
    writing: tokio::sync::Mutex<()>,
    more: Notify,
}

impl Feed {
    pub(super) fn new(store: Arc<dyn Store>, lease: Lease) -> Arc<Self> {
        let (pending, writing, more) = (Mutex::default(), tokio::sync::Mutex::default(), Notify::new());
        Arc::new(Self { store, lease, pending, writing, more })
    }

    pub(super) fn push(&self, event: EventBody) {
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
    pub(super) async fn pump(self: Arc<Self>, halt: Arc<Halt>) {
        loop {
            self.more.notified().await;
            tokio::time::sleep(GATHER).await;
            match self.flush().await {
                Ok(()) => {}
                Err(StoreError::StaleFence { .. }) => return halt.stop(Stop::LeaseLost),
                Err(error) => tracing::warn!(task = %self.lease.task, %error, "can't write events yet"),
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
        let reply = self.store.emit(&self.lease, events).await;
        if let Err(StoreError::Unavailable(_)) = &reply {
            self.put_back(copy);
        }
        reply.map(|_| ())
    }

    /// Commits the task together with all events so far.
    pub(super) async fn commit(&self, task: &Task) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        self.store.commit(&self.lease, task, self.take()).await
    }

    /// Likewise, for a task that has ended.
    pub(super) async fn finish(&self, task: &Task) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        self.store.finish(&self.lease, task, self.take()).await
    }

    /// Gives the task back, with all events so far.
    pub(super) async fn release(&self, why: &str) -> Result<(), StoreError> {
        self.flush().await?;
        let _writing = self.writing.lock().await;
        self.store.release(&self.lease, why).await
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
