//! `fsck`: what does not fit together.

use std::collections::{BTreeSet, HashMap, HashSet};

use redis::Value;

use super::Inner;
use super::record::{Record, from_json, id as read_id, state_name};
use super::script;
use super::upkeep::SLICE;
use crate::store::{JournalEntry, StoreError, snapshots};
use crate::task::{Digest, State, TaskId};

/// What the lists know of one task, beside its record.
struct Places {
    record: Value,
    journal: HashMap<String, String>,
    waiting: bool,
    delayed: bool,
    /// It is in its lane, and that has a turn.
    in_lane: bool,
    leased: bool,
    ended: bool,
    /// Its queue is known, on which counting what waits depends.
    queue: bool,
    /// Its tenant is known, on which reaping depends.
    tenant: bool,
}

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
        for (prefix, names) in [("waiting:", "queues"), ("leases:", "tenants")] {
            let names = self.link.send(redis::cmd("SMEMBERS").arg(self.key(names))).await?;
            let names: BTreeSet<String> = redis::from_redis_value(names).map_err(redis::RedisError::from)?;
            for name in names {
                self.check_list(&format!("{prefix}{name}"), &mut found).await?;
            }
        }
        self.check_list("ended", &mut found).await?;
        Ok(found)
    }

    async fn places(&self, id: &TaskId) -> Result<Places, StoreError> {
        let reply = self.link.call(&self.on(&script::PLACES).arg(id.as_str())).await?;
        let (record, journal, waiting, delayed, in_lane, has_turn, leased, ended, queue, tenant) =
            redis::from_redis_value::<(_, _, _, _, bool, bool, _, _, _, _)>(reply)
                .map_err(redis::RedisError::from)?;
        let in_lane = in_lane && has_turn;
        Ok(Places { record, journal, waiting, delayed, in_lane, leased, ended, queue, tenant })
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
        let is = state_name(state);
        let entries = u64::from(places.in_lane) + u64::from(places.delayed);
        if entries != u64::from(state == State::Queued) {
            found.push(format!("task {id} is {is} and has {entries} queue entries"));
        }
        for (list, is_in, belongs) in [
            ("what waits", places.waiting, State::Queued),
            ("the leases", places.leased, State::Running),
            ("what has ended", places.ended, State::Ended),
        ] {
            if is_in != (state == belongs) {
                found.push(format!("task {id} is {is} and the list of {list} says otherwise"));
            }
        }
        for (names, known, needed) in
            [("queues", places.queue, State::Queued), ("tenants", places.tenant, State::Running)]
        {
            if state == needed && !known {
                found.push(format!("task {id} is {is} and the {names} that are looked through lack its own"));
            }
        }
        if (state == State::Ended) != record.task.outcome.is_some() {
            found.push(format!("task {id} has an outcome and has not ended, or the other way round"));
        }
        check_journal(id, &places.journal, found);
        let roots: HashSet<&Digest> = snapshots::of(&record.task).collect();
        for root in roots {
            self.check_snapshot(id, root, checked, found).await?;
        }
        Ok(())
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
