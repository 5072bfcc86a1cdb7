//! Reaping, collecting and checking.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;

use super::state::{State, Stored};
use crate::store::clock::{Now, as_micros};
use crate::store::control::{self, BLOB_GRACE_MILLIS};
use crate::store::{Collected, EXPIRED_TOGETHER, snapshots};
use crate::task::{Digest, Millis, State as Phase, TaskId};

impl State {
    pub(super) fn reap(&mut self, now: Now) -> Vec<TaskId> {
        let mut overdue: Vec<(u64, TaskId)> = self
            .running
            .iter()
            .filter_map(|id| self.tasks.get(id))
            .filter(|record| record.control.has_run_out(now))
            .map(|record| (record.control.lease_until_micros, record.task.id.clone()))
            .collect();
        overdue.sort();
        // The longest overdue goes to the front last, and so comes first.
        for (_, id) in overdue.iter().rev() {
            let record = self.tasks.get_mut(id).expect("found just now");
            let newest_first = record.events.iter().rev().map(|event| &event.body);
            let parted = control::lost(&mut record.control, &record.task, newest_first);
            self.part(id, parted, None, now);
        }
        overdue.into_iter().map(|(_, id)| id).collect()
    }

    pub(super) fn expire(&mut self, now: Now) -> Vec<TaskId> {
        let waiting = self.tasks.values().filter(|record| record.control.state == Phase::Queued);
        let late = |deadline: &Millis| *deadline <= now.millis();
        let deadlines = waiting
            .filter_map(|record| Some((record.task.spec.budget.deadline.filter(late)?, &record.task.id)));
        let mut late: Vec<(Millis, TaskId)> = deadlines.map(|(at, id)| (at, id.clone())).collect();
        late.sort();
        late.truncate(EXPIRED_TOGETHER);
        for (_, id) in &late {
            let record = self.tasks.get_mut(id).expect("found just now");
            record.end(control::expired(&record.task), None, now);
            self.line.remove(id);
        }
        late.into_iter().map(|(_, id)| id).collect()
    }

    pub(super) fn gc(&mut self, keep: Duration, now: Now) -> Collected {
        let before = now.millis().saturating_sub(as_micros(keep) / 1000);
        let (tasks, blobs) = (self.tasks.len(), self.blobs.len());
        self.tasks.retain(|_, record| record.control.ended_at.is_none_or(|at| at >= before));
        self.keys.retain(|_, key| control::key_lives(key.at, now));
        let needed = self.needed();
        let young = now.millis().saturating_sub(BLOB_GRACE_MILLIS);
        self.blobs.retain(|digest, blob| needed.contains(digest) || blob.at >= young);
        Collected { tasks: (tasks - self.tasks.len()) as u64, blobs: (blobs - self.blobs.len()) as u64 }
    }

    /// Every snapshot of every task, and the files in them as far as they can be read.
    fn needed(&self) -> HashSet<Digest> {
        let roots: HashSet<&Digest> =
            self.tasks.values().flat_map(|record| snapshots::of(&record.task)).collect();
        let mut needed = HashSet::new();
        for root in roots {
            if let Some(blob) = self.blobs.get(root)
                && let Ok(files) = snapshots::files(&blob.bytes)
            {
                needed.extend(files);
            }
            needed.insert(root.clone());
        }
        needed
    }

    pub(super) fn fsck(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (id, record) in &self.tasks {
            let entries = self.line.entries().filter(|queued| *queued == id).count();
            let expected = usize::from(record.control.state == Phase::Queued);
            if entries != expected {
                found.push(format!("task {id} has {entries} queue entries, expected {expected}"));
            }
            if (record.control.state == Phase::Running) != self.running.contains(id) {
                found.push(format!("task {id} is running and has no lease, or the other way round"));
            }
            if (record.control.state == Phase::Ended) != record.task.outcome.is_some() {
                found.push(format!("task {id} has an outcome and has not ended, or the other way round"));
            }
            for (step, entries) in &record.journal {
                if (0..).zip(entries).any(|(index, entry): (u32, _)| entry.index != index) {
                    found.push(format!("task {id}, step {step}: the journal has a gap"));
                }
            }
            if (1..).zip(&record.events).any(|(id, event)| event.id != id) {
                found.push(format!("task {id}: the events have a gap"));
            }
            let roots: HashSet<&Digest> = snapshots::of(&record.task).collect();
            found.extend(roots.into_iter().flat_map(|root| self.check_snapshot(id, root)));
        }
        let orphans = self.line.entries().filter(|id| !self.tasks.contains_key(id));
        found.extend(orphans.map(|id| format!("task {id} is in the queue and has no record")));
        found
    }

    fn check_snapshot(&self, id: &TaskId, root: &Digest) -> Vec<String> {
        let Some(blob) = self.blobs.get(root) else {
            return vec![snapshots::missing(id, root)];
        };
        match snapshots::files(&blob.bytes) {
            Err(error) => vec![snapshots::unreadable(id, root, &error)],
            Ok(files) => files
                .iter()
                .filter(|file| !self.blobs.contains_key(file))
                .map(|file| snapshots::missing_file(id, root, file))
                .collect(),
        }
    }

    pub(super) fn put_blob(&mut self, digest: Digest, bytes: Bytes, now: Now) {
        if self.blobs.get(&digest).is_some_and(|blob| control::is_fresh(blob.at, now)) {
            return;
        }
        self.blobs.insert(digest, Stored { bytes, at: now.millis() });
    }

    pub(super) fn get_blob(&self, digest: &Digest) -> Option<Bytes> {
        self.blobs.get(digest).map(|blob| blob.bytes.clone())
    }
}
