//! `fsck`: what does not fit together.

use std::collections::{HashMap, HashSet};

use redis::Value;

use super::Inner;
use super::record::{Record, from_json, id as read_id, state_name};
use super::upkeep::SLICE;
use crate::store::{JournalEntry, StoreError, snapshots};
use crate::task::{Digest, State, TaskId};

/// What the queue, the leases and the lists know of one task, beside its record.
struct Places {
    record: Value,
    events: u64,
    last_event: Value,
    journal: HashMap<String, String>,
    lease: Option<f64>,
    by_state: [Option<f64>; 3],
}

const STATES: [State; 3] = [State::Queued, State::Running, State::Ended];

impl Inner {
    pub(super) async fn fsck(&self) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        let mut checked: HashSet<Digest> = HashSet::new();
        let mut above = None;
        loop {
            let ids = self.ids_above(above.as_ref(), SLICE).await?;
            let Some(last) = ids.last() else { break };
            above = Some(last.clone());
            for id in &ids {
                self.check_task(id, &mut checked, &mut found).await?;
            }
        }
        for list in ["waiting", "leases", "state:queued", "state:running", "state:ended"] {
            self.check_list(list, &mut found).await?;
        }
        Ok(found)
    }

    async fn places(&self, id: &TaskId) -> Result<Places, StoreError> {
        let mut reads = redis::pipe();
        let events = self.key(&format!("events:{id}"));
        reads.cmd("HGETALL").arg(self.task_key(id));
        reads.cmd("XLEN").arg(&events);
        reads.cmd("XREVRANGE").arg(&events).arg("+").arg("-").arg("COUNT").arg(1);
        reads.cmd("HGETALL").arg(self.key(&format!("journal:{id}")));
        for list in ["leases", "state:queued", "state:running", "state:ended"] {
            reads.cmd("ZSCORE").arg(self.key(list)).arg(id.as_str());
        }
        let replies = Value::Array(self.link.all(&reads).await?);
        let (record, events, last_event, journal, lease, queued, running, ended) =
            redis::from_redis_value(replies).map_err(redis::RedisError::from)?;
        Ok(Places { record, events, last_event, journal, lease, by_state: [queued, running, ended] })
    }

    async fn check_task(
        &self,
        id: &TaskId,
        checked: &mut HashSet<Digest>,
        found: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let places = self.places(id).await?;
        let record = match Record::read(id, places.record) {
            Ok(Some(record)) => record,
            Ok(None) => {
                found.push(format!("task {id} has no record"));
                return Ok(());
            }
            Err(StoreError::Corrupt(what)) => {
                found.push(what);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let state = record.control.state;
        for (list, is_in) in STATES.into_iter().zip(places.by_state) {
            if is_in.is_some() != (list == state) {
                let list = state_name(list);
                found.push(format!(
                    "task {id} is {} and the list of {list} says otherwise",
                    state_name(state)
                ));
            }
        }
        let entries = self.queue_entries(id, &record).await?;
        if entries != u64::from(state == State::Queued) {
            found.push(format!("task {id} is {} and has {entries} queue entries", state_name(state)));
        }
        if places.lease.is_some() != (state == State::Running) {
            found.push(format!("task {id} is {} and its lease says otherwise", state_name(state)));
        }
        if (state == State::Ended) != record.task.outcome.is_some() {
            found.push(format!("task {id} has an outcome and has not ended, or the other way round"));
        }
        let last: Option<(String, Value)> = match places.last_event {
            Value::Array(entries) => {
                entries.into_iter().next().and_then(|entry| redis::from_redis_value(entry).ok())
            }
            _ => None,
        };
        let last = last.and_then(|(id, _)| id.split('-').next()?.parse().ok()).unwrap_or(0);
        if places.events != record.control.last_event || last != record.control.last_event {
            found.push(format!("task {id}: the events have a gap"));
        }
        check_journal(id, &places.journal, found);
        let roots: HashSet<&Digest> = snapshots::of(&record.task).collect();
        for root in roots {
            self.check_snapshot(id, root, checked, found).await?;
        }
        Ok(())
    }

    /// In its lane, if that has a turn, or among those that may not begin yet.
    async fn queue_entries(&self, id: &TaskId, record: &Record) -> Result<u64, StoreError> {
        let place = &record.control.place;
        let lane = format!("{}|{}|{}", place.priority, place.queue, place.tenant);
        let mut reads = redis::pipe();
        reads.cmd("ZSCORE").arg(self.key(&format!("lane:{lane}"))).arg(id.as_str());
        reads.cmd("ZSCORE").arg(self.key("lanes")).arg(&lane);
        reads.cmd("ZSCORE").arg(self.key("delayed")).arg(format!("{id}|{}", place.queue));
        let is =
            self.link.all(&reads).await?.into_iter().map(|score| score != Value::Nil).collect::<Vec<_>>();
        let [in_lane, has_turn, delayed] = is[..] else { return Ok(0) };
        Ok(u64::from(in_lane && has_turn) + u64::from(delayed))
    }

    async fn check_snapshot(
        &self,
        task: &TaskId,
        root: &Digest,
        checked: &mut HashSet<Digest>,
        found: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let Some(manifest) = self.get_blob(root).await? else {
            found.push(snapshots::missing(task, root));
            return Ok(());
        };
        let files = match snapshots::files(&manifest) {
            Ok(files) => files,
            Err(error) => {
                found.push(snapshots::unreadable(task, root, &error));
                return Ok(());
            }
        };
        for file in files {
            if checked.contains(&file) {
                continue;
            }
            match self.get_blob(&file).await? {
                None => found.push(snapshots::missing_file(task, root, &file)),
                Some(bytes) if Digest::of(&bytes) != file => {
                    found.push(format!("blob {file} holds other bytes than its name says"));
                }
                Some(_) => {
                    checked.insert(file);
                }
            }
        }
        Ok(())
    }

    /// That each entry of a list has a record.
    async fn check_list(&self, list: &str, found: &mut Vec<String>) -> Result<(), StoreError> {
        let mut from = 0;
        loop {
            let mut read = redis::cmd("ZRANGE");
            read.arg(self.key(list)).arg(from).arg(from + SLICE - 1);
            let texts: Vec<String> =
                redis::from_redis_value(self.link.send(&read).await?).map_err(redis::RedisError::from)?;
            if texts.is_empty() {
                return Ok(());
            }
            let mut reads = redis::pipe();
            for text in &texts {
                reads.cmd("EXISTS").arg(self.task_key(&read_id(text)?));
            }
            for (text, there) in texts.iter().zip(self.link.all(&reads).await?) {
                if there != Value::Int(1) {
                    found.push(format!("task {text} is in {list:?} and has no record"));
                }
            }
            from += SLICE;
        }
    }
}

fn check_journal(id: &TaskId, journal: &HashMap<String, String>, found: &mut Vec<String>) {
    let counts = journal.iter().filter(|(field, _)| !field.contains(':'));
    for (step, have) in counts {
        let have: u32 = have.parse().unwrap_or(0);
        let there = (0..have).all(|index| {
            let entry = journal.get(&format!("{step}:{index}"));
            entry.is_some_and(|entry| {
                from_json::<JournalEntry>(id, entry).is_ok_and(|entry| entry.index == index)
            })
        });
        if !there {
            found.push(format!("task {id}, step {step}: the journal has a gap"));
        }
    }
}
