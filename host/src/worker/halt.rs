//! Stopping a task's work from outside, with the reason.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::task::TaskId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The user asked for it.
    Cancelled,
    /// The lease is lost, or could be by now.
    LeaseLost,
    /// The worker shuts down.
    Draining,
}

/// One task's stop switch. The first reason counts.
#[derive(Debug, Default)]
pub(super) struct Halt {
    pub token: CancellationToken,
    why: OnceLock<Stop>,
}

impl Halt {
    pub(super) fn stop(&self, why: Stop) {
        self.why.get_or_init(|| why);
        self.token.cancel();
    }

    pub(super) fn why(&self) -> Option<Stop> {
        self.why.get().copied()
    }
}

/// The switches of all tasks that this worker holds.
#[derive(Default)]
pub(super) struct Halts(Mutex<HashMap<TaskId, Arc<Halt>>>);

impl Halts {
    pub(super) fn add(&self, task: &TaskId) -> Arc<Halt> {
        let halt = Arc::new(Halt::default());
        self.lock().insert(task.clone(), Arc::clone(&halt));
        halt
    }

    pub(super) fn remove(&self, task: &TaskId) {
        self.lock().remove(task);
    }

    pub(super) fn stop_all(&self, why: Stop) {
        for halt in self.lock().values() {
            halt.stop(why);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TaskId, Arc<Halt>>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
