//! The queues: who waits where, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::store::clock::Now;
use crate::store::queue::Lane;
use crate::task::{Millis, TaskId};

#[derive(Default)]
pub(super) struct Line {
    lanes: HashMap<Lane, Waiting>,
    delayed: BTreeMap<(Millis, TaskId), Lane>,
    pub(super) paused: BTreeSet<String>,
    turn: u64,
}

struct Waiting {
    turn: u64,
    /// By position; the front has the lowest.
    tasks: BTreeMap<i64, TaskId>,
}

impl Line {
    pub(super) fn delay(&mut self, lane: Lane, until: Millis, id: TaskId) {
        self.delayed.insert((until, id), lane);
    }

    pub(super) fn push_back(&mut self, lane: Lane, id: TaskId) {
        let tasks = self.lane(lane);
        let back = tasks.last_key_value().map_or(0, |(position, _)| position + 1);
        tasks.insert(back, id);
    }

    pub(super) fn push_front(&mut self, lane: Lane, id: TaskId) {
        let tasks = self.lane(lane);
        let front = tasks.first_key_value().map_or(0, |(position, _)| position - 1);
        tasks.insert(front, id);
    }

    fn lane(&mut self, lane: Lane) -> &mut BTreeMap<i64, TaskId> {
        let turn = &mut self.turn;
        let waiting = self.lanes.entry(lane).or_insert_with(|| {
            *turn += 1;
            Waiting { turn: *turn, tasks: BTreeMap::new() }
        });
        &mut waiting.tasks
    }

    /// Those whose time has come join their lanes.
    pub(super) fn promote(&mut self, now: Now) {
        while let Some(entry) = self.delayed.first_entry()
            && entry.key().0 <= now.millis()
        {
            let ((_, id), lane) = entry.remove_entry();
            self.push_back(lane, id);
        }
    }

    pub(super) fn next(&mut self, may_run: impl Fn(&Lane) -> bool) -> Option<TaskId> {
        let open = self.lanes.iter().filter(|(lane, _)| !self.paused.contains(&lane.queue) && may_run(lane));
        let lane = open.min_by_key(|(lane, waiting)| lane.rank(waiting.turn))?.0.clone();
        self.turn += 1;
        let waiting = self.lanes.get_mut(&lane).expect("found just now");
        waiting.turn = self.turn;
        let (_, id) = waiting.tasks.pop_first().expect("a lane without tasks is removed");
        if waiting.tasks.is_empty() {
            self.lanes.remove(&lane);
        }
        Some(id)
    }

    pub(super) fn remove(&mut self, id: &TaskId) {
        self.delayed.retain(|(_, delayed), _| delayed != id);
        self.lanes.retain(|_, waiting| {
            waiting.tasks.retain(|_, queued| queued != id);
            !waiting.tasks.is_empty()
        });
    }

    /// Every entry, of whichever kind.
    pub(super) fn entries(&self) -> impl Iterator<Item = &TaskId> {
        let waiting = self.lanes.values().flat_map(|waiting| waiting.tasks.values());
        waiting.chain(self.delayed.keys().map(|(_, id)| id))
    }
}
