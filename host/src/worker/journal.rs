//! The journal between a step and everything outside: an answer is written down before the guest
//! sees it, and a step that runs again is answered from what was written.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::feed::insist;
use super::halt::Halt;
use crate::plugin::Failure;
use crate::store::{JournalEntry, Lease, Store, StoreError};
use crate::task::{Digest, Trace};
use crate::telemetry::spans;

/// Of a request that is kept for people to read, in bytes of JSON: more than most models take.
const MAX_REQUEST: usize = 256 << 10;

pub(super) struct Journal {
    store: Arc<dyn Store>,
    lease: Lease,
    halt: Arc<Halt>,
    step: u32,
    /// The step's span.
    trace: Option<Trace>,
    replay: VecDeque<JournalEntry>,
    next: u32,
    /// Why the store refused an answer; the step is then void.
    error: Option<StoreError>,
}

/// A place in the journal: what is to be asked, and the answer if it is already known.
pub(super) struct Place<T> {
    pub index: u32,
    pub asked: Digest,
    request: String,
    pub known: Option<T>,
}

impl Journal {
    pub(super) async fn open(
        store: Arc<dyn Store>,
        lease: Lease,
        halt: Arc<Halt>,
        step: u32,
        trace: Option<Trace>,
    ) -> Result<Self, StoreError> {
        let read = insist(&halt, || store.journal(&lease.task, step));
        let replay: VecDeque<_> = spans::of_store("store.journal", trace.as_ref(), read).await?.into();
        Ok(Self { store, lease, halt, step, trace, replay, next: 0, error: None })
    }

    /// Answers not yet asked for again.
    pub(super) fn replayed(&self) -> u32 {
        self.replay.len() as u32
    }

    pub(super) fn take_error(&mut self) -> Option<StoreError> {
        self.error.take()
    }

    /// The answers that were not asked for again.
    pub(super) fn take_rest(&mut self) -> VecDeque<JournalEntry> {
        std::mem::take(&mut self.replay)
    }

    /// Looks up the next answer. Fails where the step asks something else than it did before.
    pub(super) fn ask<T: DeserializeOwned>(
        &mut self,
        kind: &str,
        request: &impl Serialize,
    ) -> Result<Place<T>, Failure> {
        let request = serde_json::to_string(request).map_err(|error| Failure::Host(error.to_string()))?;
        let asked = Digest::of(format!("{kind}\n{request}").as_bytes());
        let index = self.next;
        self.next += 1;
        let Some(entry) = self.replay.pop_front() else {
            return Ok(Place { index, asked, request, known: None });
        };
        if entry.asked != asked || entry.kind != kind {
            let why = format!(
                "answer {index} is for a {} request, {}; the step now makes a {kind} request, {}",
                entry.kind,
                entry.asked.short(),
                asked.short()
            );
            self.replay.push_front(entry);
            return Err(Failure::Diverged(why));
        }
        let known = serde_json::from_str(&entry.answer)
            .map_err(|error| Failure::Diverged(format!("answer {index} can't be read: {error}")))?;
        Ok(Place { index, asked, request, known: Some(known) })
    }

    /// Writes an answer down. Only then may the guest see it.
    pub(super) async fn keep<T: Serialize>(
        &mut self,
        kind: &str,
        place: Place<T>,
        answer: &T,
    ) -> Result<(), Failure> {
        let answer = serde_json::to_string(answer).map_err(|error| Failure::Host(error.to_string()))?;
        let Place { index, asked, request, .. } = place;
        let request = shown(request);
        let entry = JournalEntry { index, kind: kind.to_owned(), asked, request, answer };
        let append = insist(&self.halt, || self.store.append(&self.lease, self.step, entry.clone()));
        match spans::of_store("store.append", self.trace.as_ref(), append).await {
            Ok(()) => Ok(()),
            Err(StoreError::StaleFence { .. }) => Err(Failure::LeaseLost),
            Err(error) => {
                let failure = Failure::Host(error.to_string());
                self.error = Some(error);
                Err(failure)
            }
        }
    }
}

/// A request as the journal shows it. It is compared by its digest, so that a long one need not be
/// kept whole: a guest may ask with all that its limits allow, again and again.
fn shown(request: String) -> String {
    if request.len() <= MAX_REQUEST {
        return request;
    }
    let begins = &request[..request.floor_char_boundary(MAX_REQUEST)];
    serde_json::json!({ "bytes": request.len(), "begins": begins }).to_string()
}

/// A number that no other claim has.
pub(super) fn fresh_nonce() -> u64 {
    let id = ulid::Ulid::generate();
    (id.0 as u64) ^ ((id.0 >> 64) as u64)
}
