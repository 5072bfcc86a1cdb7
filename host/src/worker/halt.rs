//! Stopping a task's work from outside, with the reason.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::store::Lease;
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

/// One claim's stop switch. The first reason counts, except that nothing outweighs a lost lease.
#[derive(Debug, Default)]
pub(super) struct Halt {
    /// Ends the running step, whatever the reason.
    pub token: CancellationToken,
    why: OnceLock<Stop>,
    /// From then on nothing that this claim writes counts.
    pub lost: CancellationToken,
}

impl Halt {
    pub(super) fn stop(&self, why: Stop) {
        self.why.get_or_init(|| why);
        if why == Stop::LeaseLost {
            self.lost.cancel();
        }
        self.token.cancel();
    }

    pub(super) fn why(&self) -> Option<Stop> {
        if self.lost.is_cancelled() { Some(Stop::LeaseLost) } else { self.why.get().copied() }
    }
}

/// The switches of all claims that this worker holds.
#[derive(Default)]
pub(super) struct Halts(Mutex<All>);

#[derive(Default)]
struct All {
    /// By fence too: a task may be claimed anew before the work on its lost claim has wound up.
    held: HashMap<(TaskId, u64), Arc<Halt>>,
    /// What claims that are still to come are told at once.
    stopped: Option<Stop>,
}

impl Halts {
    pub(super) fn add(&self, lease: &Lease) -> Arc<Halt> {
        let halt = Arc::new(Halt::default());
        let mut all = self.lock();
        if let Some(why) = all.stopped {
            halt.stop(why);
        }
        all.held.insert(key(lease), Arc::clone(&halt));
        halt
    }

    pub(super) fn remove(&self, lease: &Lease) {
        self.lock().held.remove(&key(lease));
    }

    /// Stops whatever is held of a task.
    pub(super) fn stop(&self, task: &TaskId, why: Stop) {
        for ((held, _), halt) in &self.lock().held {
            if held == task {
                halt.stop(why);
            }
        }
    }

    pub(super) fn count(&self) -> usize {
        self.lock().held.len()
    }

    pub(super) fn stop_all(&self, why: Stop) {
        let mut all = self.lock();
        all.stopped = Some(why);
        for halt in all.held.values() {
            halt.stop(why);
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(lease: &Lease) -> (TaskId, u64) {
    (lease.task.clone(), lease.fence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(task: &TaskId, fence: u64) -> Lease {
        Lease { task: task.clone(), fence }
    }

    #[test]
    fn a_claim_that_comes_after_the_stop_is_stopped_too() {
        let (halts, task) = (Halts::default(), TaskId::fresh());
        let before = halts.add(&lease(&task, 1));
        halts.stop_all(Stop::Draining);
        let after = halts.add(&lease(&task, 2));
        assert_eq!((before.why(), after.why()), (Some(Stop::Draining), Some(Stop::Draining)));
        assert!(before.token.is_cancelled() && after.token.is_cancelled());
    }

    #[test]
    fn an_old_claim_takes_only_its_own_switch_with_it() {
        let (halts, task) = (Halts::default(), TaskId::fresh());
        halts.add(&lease(&task, 1));
        let new = halts.add(&lease(&task, 2));
        halts.remove(&lease(&task, 1));
        halts.stop_all(Stop::Draining);
        assert_eq!(new.why(), Some(Stop::Draining));
    }

    #[test]
    fn a_lost_lease_outweighs_a_cancel() {
        let halt = Halt::default();
        halt.stop(Stop::Cancelled);
        halt.stop(Stop::Draining);
        assert_eq!(halt.why(), Some(Stop::Cancelled));
        halt.stop(Stop::LeaseLost);
        assert_eq!(halt.why(), Some(Stop::LeaseLost));
    }
}
