//! Finding tasks, counting them, and deleting one.

use super::state::{Record, State};
use crate::store::{Count, Deleted, Filter, MOST_COUNTED, Page, Past, Pasts, StoreError, control};
use crate::task::{Millis, State as Phase, Task, TaskId};

impl State {
    /// Newest first.
    fn admitted(&self, filter: &Filter) -> impl Iterator<Item = Task> {
        let sieve = filter.sieve();
        self.tasks.values().rev().map(Record::whole).filter(move |task| sieve.admits(task))
    }

    pub(super) fn list(&self, filter: &Filter) -> Page {
        let size = control::page_size(filter.limit);
        let mut tasks: Vec<Task> = self.admitted(filter).take(size + 1).collect();
        let more = tasks.len() > size;
        tasks.truncate(size);
        let next = tasks.last().filter(|_| more).map(|task| task.id.clone());
        Page { tasks, next }
    }

    pub(super) fn count(&self, filter: &Filter) -> Count {
        let all = Filter { cursor: None, ..filter.clone() };
        let found = self.admitted(&all).take(MOST_COUNTED as usize + 1).count() as u64;
        Count { count: found.min(MOST_COUNTED), exact: found <= MOST_COUNTED }
    }

    /// Of those that ended at the same time, the newest id first.
    pub(super) fn past(&self, since: Millis, most: usize) -> Pasts {
        let ended = self.tasks.values().rev().map(Record::whole).filter_map(|task| Past::of(&task));
        let mut tasks: Vec<Past> = ended.filter(|past| past.ended_at >= since).collect();
        tasks.sort_by_key(|past| std::cmp::Reverse(past.ended_at));
        let truncated = tasks.len() > most;
        tasks.truncate(most);
        Pasts { tasks, truncated }
    }

    pub(super) fn delete(&mut self, id: &TaskId) -> Result<Deleted, StoreError> {
        let record = self.tasks.get(id).ok_or_else(|| StoreError::NotFound(id.clone()))?;
        if record.control.state != Phase::Ended {
            return Ok(Deleted::NotEnded);
        }
        self.tasks.remove(id);
        Ok(Deleted::Gone)
    }
}
