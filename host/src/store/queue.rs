//! Queues and workers: what the verbs on them take and tell, and the rule whose turn it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::task::{Millis, Place, TOP_PRIORITY};

/// How long a worker that says nothing is listed.
pub(super) const WORKER_MILLIS: Millis = 60_000;

/// How many tasks may run, by queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Of queues that are not listed.
    pub default: QueueLimits,
    pub queues: BTreeMap<String, QueueLimits>,
}

/// `None`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueLimits {
    /// Tasks of the queue that run at once, on all workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<u64>,
    /// Likewise, of each tenant in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_per_tenant: Option<u64>,
}

impl Limits {
    pub fn of(&self, queue: &str) -> QueueLimits {
        self.queues.get(queue).copied().unwrap_or(self.default)
    }

    pub(super) fn are_none(&self) -> bool {
        let none = QueueLimits::default();
        self.default == none && self.queues.values().all(|limits| *limits == none)
    }
}

/// Tasks that come one after the other: those of a tenant with one priority, in one queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Lane {
    pub(super) queue: String,
    pub(super) tenant: String,
    pub(super) priority: u8,
}

impl Lane {
    pub(super) fn of(place: &Place) -> Self {
        let Place { queue, tenant, priority, .. } = place.clone();
        Self { queue, tenant, priority }
    }

    /// Lanes are served in this order. Each time a lane is served, or gets its first task, it takes
    /// the next turn.
    pub(super) fn rank(&self, turn: u64) -> (u8, u64) {
        (TOP_PRIORITY.saturating_sub(self.priority), turn)
    }
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QueueStats {
    pub name: String,
    pub paused: bool,
    /// Those that may begin.
    pub waiting: u64,
    /// Those that may not begin yet.
    pub delayed: u64,
    pub running: u64,
}

impl QueueStats {
    pub(super) fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), paused: false, waiting: 0, delayed: 0, running: 0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeued {
    Queued,
    /// It waits or runs.
    NotEnded,
    /// There is nothing left to do.
    Green,
}

/// A worker as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WorkerInfo {
    pub name: String,
    pub host: String,
    pub pid: u32,
    pub version: String,
    /// Tasks it holds, and may hold, at a time.
    pub running: u64,
    pub capacity: u64,
    /// It shuts down, and begins nothing more.
    pub draining: bool,
    pub started_at: Millis,
    /// By the store's clock; whatever the worker says here is overwritten.
    pub seen_at: Millis,
}
