//! What waits and runs, by queue; and who works on it.

use std::collections::BTreeMap;

use super::state::State;
use crate::store::clock::Now;
use crate::store::queue::{Lane, WORKER_MILLIS};
use crate::store::{QueueStats, Requeued, Stats, StoreError, WorkerInfo};
use crate::task::{EventBody, Outcome, State as Phase, TaskId};

impl State {
    pub(super) fn stats(&self) -> Stats {
        let count = |state| self.tasks.values().map(|record| u64::from(record.control.state == state)).sum();
        let queued = self.tasks.values().filter(|record| record.control.state == Phase::Queued);
        Stats {
            queued: count(Phase::Queued),
            running: count(Phase::Running),
            ended: count(Phase::Ended),
            oldest_queued_at: queued.map(|record| record.control.ready_at).min(),
        }
    }

    pub(super) fn cancels(&self) -> Vec<TaskId> {
        let asked = |id: &&TaskId| self.tasks.get(*id).is_some_and(|record| record.control.cancel);
        self.running.iter().filter(asked).cloned().collect()
    }

    pub(super) fn requeue(&mut self, id: &TaskId, why: &str, now: Now) -> Result<Requeued, StoreError> {
        let record = self.tasks.get_mut(id).ok_or_else(|| StoreError::NotFound(id.clone()))?;
        if record.control.state != Phase::Ended {
            return Ok(Requeued::NotEnded);
        }
        if record.task.outcome.as_ref().is_some_and(Outcome::is_green) {
            return Ok(Requeued::Green);
        }
        (record.task.outcome, record.task.postponed) = (None, None);
        record.control.reopen(now);
        record.add(EventBody::requeued(why.to_owned()), now);
        self.line.push_back(Lane::of(&record.control.place), id.clone());
        Ok(Requeued::Queued)
    }

    pub(super) fn pause(&mut self, queue: &str, paused: bool) {
        match paused {
            true => self.line.paused.insert(queue.to_owned()),
            false => self.line.paused.remove(queue),
        };
    }

    pub(super) fn queues(&self, now: Now) -> Vec<QueueStats> {
        let mut queues: BTreeMap<&str, QueueStats> = BTreeMap::new();
        for name in &self.line.paused {
            queues.insert(name, QueueStats { paused: true, ..QueueStats::empty(name) });
        }
        for record in self.tasks.values() {
            let name = &record.control.place.queue;
            if record.control.state == Phase::Ended {
                continue;
            }
            let queue = queues.entry(name).or_insert_with(|| QueueStats::empty(name));
            match record.control.state {
                Phase::Running => queue.running += 1,
                Phase::Queued if record.control.due(now).is_some() => queue.delayed += 1,
                Phase::Queued | Phase::Ended => queue.waiting += 1,
            }
        }
        queues.into_values().collect()
    }

    pub(super) fn workers(&self, now: Now) -> Vec<WorkerInfo> {
        let since = now.millis().saturating_sub(WORKER_MILLIS);
        self.workers.values().filter(|worker| worker.seen_at > since).cloned().collect()
    }
}
