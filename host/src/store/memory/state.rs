//! The verbs on plain maps. The caller holds the lock, so each is atomic.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;

use super::line::Line;
use crate::store::clock::Now;
use crate::store::control::{self, Control, GaveUp, Parted};
use crate::store::queue::Lane;
use crate::store::rate::Buckets;
use crate::store::{
    Beat, Cancelled, Claim, ClaimRequest, JournalEntry, Lease, NewTask, StoreError, Submitted, WorkerInfo,
};
use crate::task::{Digest, Event, EventBody, EventId, Millis, Outcome, Reason, State as Phase, Task, TaskId};

#[derive(Default)]
pub(super) struct State {
    pub(super) tasks: BTreeMap<TaskId, Record>,
    pub(super) line: Line,
    /// Those a worker holds: repeated claims and lost leases are looked for here.
    pub(super) running: BTreeSet<TaskId>,
    pub(super) workers: BTreeMap<String, WorkerInfo>,
    pub(super) keys: HashMap<String, Key>,
    pub(super) blobs: HashMap<Digest, Stored>,
    pub(super) rates: HashMap<String, Buckets>,
}

pub(super) struct Record {
    pub(super) task: Task,
    pub(super) control: Control,
    pub(super) events: Vec<Event>,
    pub(super) journal: BTreeMap<u32, Vec<JournalEntry>>,
}

pub(super) struct Key {
    pub(super) body: Digest,
    pub(super) task: TaskId,
    pub(super) at: Millis,
}

pub(super) struct Stored {
    pub(super) bytes: Bytes,
    pub(super) at: Millis,
}

impl Record {
    pub(super) fn add(&mut self, body: EventBody, now: Now) {
        self.control.last_event += 1;
        let (id, task) = (self.control.last_event, self.task.id.clone());
        self.events.push(Event { id, task, at: now.millis(), body });
    }

    /// The worker's part of the record.
    fn take_over(&mut self, task: &Task) {
        self.task.next = task.next.clone();
        self.task.step = task.step;
        self.task.rounds.clone_from(&task.rounds);
        self.task.best = task.best;
        self.task.spend = task.spend.clone();
        self.task.postponed.clone_from(&task.postponed);
    }

    pub(super) fn end(&mut self, outcome: Outcome, gave_up: Option<GaveUp>, now: Now) {
        self.add(EventBody::Ended { outcome: outcome.clone(), spend: self.task.spend.clone() }, now);
        self.task.outcome = Some(outcome);
        self.control.end(gave_up, now);
    }

    pub(super) fn whole(&self) -> Task {
        let mut task = self.task.clone();
        self.control.dress(&mut task);
        task
    }
}

impl State {
    pub(super) fn submit(&mut self, new: NewTask, now: Now) -> Result<Submitted, StoreError> {
        if let Some(asked) = &new.idempotency
            && let Some(key) = self.keys.get(&asked.key)
            && control::key_lives(key.at, now)
        {
            return match key.body == asked.body {
                true => Ok(Submitted { id: key.task.clone(), created: false }),
                false => Err(StoreError::KeyReused { first: key.task.clone() }),
            };
        }
        if let Some(there) = self.tasks.get(&new.id) {
            return match there.task.spec == new.spec {
                true => Ok(Submitted { id: new.id, created: false }),
                false => Err(control::id_taken(&new.id)),
            };
        }
        if let Some(limit) = new.max_waiting
            && self.of_queue(&new.place.queue, Phase::Queued).count() as u64 >= limit
        {
            return Err(StoreError::Full { queue: new.place.queue, limit });
        }
        if let Some(asked) = new.idempotency {
            let key = Key { body: asked.body, task: new.id.clone(), at: now.millis() };
            self.keys.insert(asked.key, key);
        }
        let mut record = Record {
            task: Task::new(new.id.clone(), new.spec, now.millis()),
            control: Control::submitted(now, new.place),
            events: Vec::new(),
            journal: BTreeMap::new(),
        };
        record.add(EventBody::Submitted, now);
        let lane = Lane::of(&record.control.place);
        match record.control.due(now) {
            Some(until) => self.line.delay(lane, until, new.id.clone()),
            None => self.line.push_back(lane, new.id.clone()),
        }
        self.tasks.insert(new.id.clone(), record);
        Ok(Submitted { id: new.id, created: true })
    }

    pub(super) fn claim(&mut self, request: &ClaimRequest, now: Now) -> Result<Option<Claim>, StoreError> {
        let repeated = |id: &&TaskId| {
            self.tasks.get(*id).is_some_and(|record| record.control.repeats_claim(request, now))
        };
        let record = if let Some(id) = self.running.iter().find(repeated) {
            let record = self.tasks.get_mut(id).expect("found just now");
            record.control.renew(now);
            record
        } else {
            let Some(id) = self.next_waiting(request, now) else { return Ok(None) };
            let gone = || StoreError::Corrupt(format!("task {id} is in the queue and has no record"));
            let record = self.tasks.get_mut(&id).ok_or_else(gone)?;
            self.running.insert(id);
            let claimed = record.control.grant(request, now);
            record.add(claimed, now);
            record
        };
        let lease = Lease { task: record.task.id.clone(), fence: record.control.fence };
        Ok(Some(Claim { lease, task: record.whole() }))
    }

    fn next_waiting(&mut self, request: &ClaimRequest, now: Now) -> Option<TaskId> {
        self.line.promote(now);
        let below = |limit: Option<u64>, count: usize| limit.is_none_or(|limit| (count as u64) < limit);
        let (tasks, running, limits) = (&self.tasks, &self.running, &request.limits);
        let places = || running.iter().filter_map(|id| tasks.get(id)).map(|record| &record.control.place);
        self.line.next(|lane| {
            let limits = limits.of(&lane.queue);
            let of_queue = places().filter(|place| place.queue == lane.queue);
            let of_tenant = of_queue.clone().filter(|place| place.tenant == lane.tenant);
            below(limits.running, of_queue.count()) && below(limits.running_per_tenant, of_tenant.count())
        })
    }

    fn of_queue(&self, queue: &str, phase: Phase) -> impl Iterator<Item = &Record> {
        let here =
            move |record: &&Record| record.control.place.queue == queue && record.control.state == phase;
        self.tasks.values().filter(here)
    }

    /// The record of a task that this lease may still change.
    fn held(&mut self, lease: &Lease) -> Result<&mut Record, StoreError> {
        let record = self.tasks.get_mut(&lease.task).ok_or_else(|| control::stale(lease))?;
        record.control.check(lease)?;
        Ok(record)
    }

    fn repeats(&self, lease: &Lease, how: GaveUp) -> bool {
        self.tasks.get(&lease.task).is_some_and(|record| record.control.repeats(lease, how))
    }

    pub(super) fn heartbeat(&mut self, lease: &Lease, now: Now) -> Result<Beat, StoreError> {
        let record = self.held(lease)?;
        record.control.renew(now);
        Ok(Beat { cancel: record.control.cancel })
    }

    pub(super) fn append(&mut self, lease: &Lease, step: u32, entry: JournalEntry) -> Result<(), StoreError> {
        let record = self.held(lease)?;
        let entries = record.journal.entry(step).or_default();
        let have = u32::try_from(entries.len()).expect("a journal is far shorter");
        match entries.get(entry.index as usize) {
            Some(there) if *there == entry => Ok(()),
            Some(_) => Err(control::journal_differs(&lease.task, step, entry.index)),
            None if entry.index == have => {
                entries.push(entry);
                Ok(())
            }
            None => Err(control::journal_gap(&lease.task, step, entry.index, have)),
        }
    }

    pub(super) fn journal(&self, task: &TaskId, step: u32) -> Vec<JournalEntry> {
        self.tasks.get(task).and_then(|record| record.journal.get(&step)).cloned().unwrap_or_default()
    }

    pub(super) fn emit(
        &mut self,
        lease: &Lease,
        events: Vec<EventBody>,
        now: Now,
    ) -> Result<EventId, StoreError> {
        let record = self.held(lease)?;
        for body in events {
            record.add(body, now);
        }
        Ok(record.control.last_event)
    }

    pub(super) fn commit(
        &mut self,
        lease: &Lease,
        task: &Task,
        events: Vec<EventBody>,
        now: Now,
    ) -> Result<(), StoreError> {
        control::same_task(lease, task)?;
        let record = self.held(lease)?;
        let fingerprint = control::fingerprint(task, &events)?;
        if record.control.last_commit.as_ref() == Some(&fingerprint) {
            return Ok(());
        }
        record.control.last_commit = Some(fingerprint);
        record.take_over(task);
        for body in events {
            record.add(body, now);
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        lease: &Lease,
        task: &Task,
        events: Vec<EventBody>,
        now: Now,
    ) -> Result<(), StoreError> {
        control::same_task(lease, task)?;
        let outcome = control::outcome_of(task)?;
        if self.repeats(lease, GaveUp::Finished) {
            return Ok(());
        }
        let record = self.held(lease)?;
        record.take_over(task);
        for body in events {
            record.add(body, now);
        }
        record.end(outcome.clone(), Some(GaveUp::Finished), now);
        self.running.remove(&lease.task);
        Ok(())
    }

    pub(super) fn release(&mut self, lease: &Lease, why: &str, now: Now) -> Result<(), StoreError> {
        if self.repeats(lease, GaveUp::Released) {
            return Ok(());
        }
        let record = self.held(lease)?;
        let parted = control::released(&record.control, &record.task, why);
        self.part(&lease.task, parted, Some(GaveUp::Released), now);
        Ok(())
    }

    pub(super) fn postpone(
        &mut self,
        lease: &Lease,
        task: &Task,
        events: Vec<EventBody>,
        wait: Duration,
        why: &str,
        now: Now,
    ) -> Result<(), StoreError> {
        control::same_task(lease, task)?;
        if self.repeats(lease, GaveUp::Released) {
            return Ok(());
        }
        self.commit(lease, task, events, now)?;
        let record = self.held(lease)?;
        if record.control.cancel {
            return self.release(lease, why, now);
        }
        record.add(control::postponed(why, wait), now);
        record.control.postpone(wait, now);
        let (lane, due) = (Lane::of(&record.control.place), record.control.due(now));
        self.running.remove(&lease.task);
        match due {
            Some(until) => self.line.delay(lane, until, lease.task.clone()),
            None => self.line.push_back(lane, lease.task.clone()),
        }
        Ok(())
    }

    pub(super) fn part(&mut self, id: &TaskId, parted: Parted, gave_up: Option<GaveUp>, now: Now) {
        let record = self.tasks.get_mut(id).expect("the caller has just seen it");
        self.running.remove(id);
        match parted {
            Parted::End(outcome) => record.end(outcome, gave_up, now),
            Parted::Requeue(event) => {
                record.add(event, now);
                record.control.requeue(gave_up);
                self.line.push_front(Lane::of(&record.control.place), id.clone());
            }
        }
    }

    pub(super) fn cancel(&mut self, id: &TaskId, now: Now) -> Result<Cancelled, StoreError> {
        let record = self.tasks.get_mut(id).ok_or_else(|| StoreError::NotFound(id.clone()))?;
        if record.control.state == Phase::Ended {
            return Ok(Cancelled::AlreadyEnded);
        }
        if !record.control.cancel {
            record.control.cancel = true;
            record.add(EventBody::CancelRequested, now);
        }
        if record.control.state == Phase::Running {
            return Ok(Cancelled::Requested);
        }
        let outcome = control::ended_by_store(&record.task, Reason::Cancelled);
        record.end(outcome, None, now);
        self.line.remove(id);
        Ok(Cancelled::Ended)
    }

    pub(super) fn get(&self, id: &TaskId) -> Option<Task> {
        self.tasks.get(id).map(Record::whole)
    }

    pub(super) fn events(&self, id: &TaskId, after: EventId, limit: usize) -> Vec<Event> {
        let Some(record) = self.tasks.get(id) else { return Vec::new() };
        // Ids are positions, from 1 and without gaps.
        let seen = usize::try_from(after).unwrap_or(usize::MAX).min(record.events.len());
        record.events[seen..].iter().take(limit).cloned().collect()
    }

    pub(super) fn heads(&self, tasks: &[TaskId]) -> Vec<Option<EventId>> {
        tasks.iter().map(|id| self.tasks.get(id).map(|record| record.control.last_event)).collect()
    }
}
