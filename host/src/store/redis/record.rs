//! From Redis' hashes to records and back.

use std::collections::{BTreeMap, BTreeSet};

use redis::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::odd;
use crate::store::control::{Control, GaveUp, Progress, ProgressRef};
use crate::store::{StoreError, snapshots};
use crate::task::{Event, EventId, Place, Spec, State, Task, TaskId};

/// A task as it is stored.
pub(super) struct Record {
    pub(super) control: Control,
    pub(super) task: Task,
    /// What a change that was decided on this record must still find there.
    pub(super) rev: String,
}

impl Record {
    /// What HMGET is asked for, as in record.lua.
    pub(super) const FIELDS: [&str; 17] = [
        "lane", "state", "claim", "fence", "term", "start", "rev", "gave", "commit", "cancel", "crashes",
        "sub", "end", "after", "ready", "spec", "progress",
    ];

    /// From the values of [`Self::FIELDS`]. `None`: there is no such task.
    pub(super) fn read(id: &TaskId, reply: Value) -> Result<Option<Self>, StoreError> {
        Self::from_values(id, redis::from_redis_value(reply).map_err(redis::RedisError::from)?)
    }

    pub(super) fn from_hash(
        id: &TaskId,
        hash: &BTreeMap<String, String>,
    ) -> Result<Option<Self>, StoreError> {
        Self::from_values(id, Self::FIELDS.iter().map(|field| hash.get(*field).cloned()).collect())
    }

    fn from_values(id: &TaskId, all: Vec<Option<String>>) -> Result<Option<Self>, StoreError> {
        if all.iter().all(Option::is_none) {
            return Ok(None);
        }
        let fields = Fields { id, all };
        let state = fields.state()?;
        let (nonce, worker) = fields.claim()?;
        let submitted_at = fields.number("sub")?;
        let control = Control {
            state,
            cancel: fields.get("cancel") == Some("1"),
            worker: worker.filter(|_| state == State::Running).map(str::to_owned),
            nonce,
            fence: fields.number_or("fence", 0)?,
            term_micros: fields.number_or("term", 0)?,
            // Its list knows.
            lease_until_micros: 0,
            gave_up: match fields.get("gave") {
                None => None,
                Some("released") => Some(GaveUp::Released),
                Some("finished") => Some(GaveUp::Finished),
                Some(other) => return Err(odd(&format!("task {id} was given up as {other:?}"))),
            },
            last_commit: fields.get("commit").map(str::to_owned),
            // Likewise.
            last_event: 0,
            crashes: u32::try_from(fields.number_or("crashes", 0)?).unwrap_or(u32::MAX),
            place: fields.place()?,
            ready_at: fields.number_or("ready", submitted_at)?,
            submitted_at,
            started_at: fields.maybe("start")?,
            ended_at: fields.maybe("end")?,
        };
        let spec: Spec = from_json(id, fields.text("spec")?)?;
        let task = match fields.get("progress") {
            Some(progress) => control.assemble(id.clone(), spec, from_json::<Progress>(id, progress)?),
            None => {
                let mut task = Task::new(id.clone(), spec, submitted_at);
                control.dress(&mut task);
                task
            }
        };
        let rev = fields.get("rev").unwrap_or("0").to_owned();
        Ok(Some(Self { task, rev, control }))
    }
}

struct Fields<'a> {
    id: &'a TaskId,
    all: Vec<Option<String>>,
}

impl Fields<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let at = Record::FIELDS.iter().position(|field| *field == name).expect("a name of the list");
        self.all.get(at)?.as_deref()
    }

    fn text(&self, name: &str) -> Result<&str, StoreError> {
        self.get(name).ok_or_else(|| odd(&format!("task {} has no {name}", self.id)))
    }

    fn broken(&self, name: &str, text: &str) -> StoreError {
        odd(&format!("task {}: {name} is {text:?}", self.id))
    }

    fn number(&self, name: &str) -> Result<u64, StoreError> {
        let text = self.text(name)?;
        text.parse().map_err(|_| self.broken(name, text))
    }

    fn maybe(&self, name: &str) -> Result<Option<u64>, StoreError> {
        self.get(name).is_some().then(|| self.number(name)).transpose()
    }

    fn number_or(&self, name: &str, absent: u64) -> Result<u64, StoreError> {
        Ok(self.maybe(name)?.unwrap_or(absent))
    }

    fn state(&self) -> Result<State, StoreError> {
        match self.get("state") {
            None | Some("queued") => Ok(State::Queued),
            Some("running") => Ok(State::Running),
            Some("ended") => Ok(State::Ended),
            Some(other) => Err(self.broken("state", other)),
        }
    }

    /// The nonce and the worker of the last one.
    fn claim(&self) -> Result<(u64, Option<&str>), StoreError> {
        let Some(text) = self.get("claim") else { return Ok((0, None)) };
        let (nonce, worker) = text.split_once(':').ok_or_else(|| self.broken("claim", text))?;
        let nonce = if nonce == "-" { Ok(0) } else { nonce.parse() };
        Ok((nonce.map_err(|_| self.broken("claim", text))?, Some(worker)))
    }

    fn place(&self) -> Result<Place, StoreError> {
        let text = self.text("lane")?;
        let mut parts = text.splitn(3, '|');
        let (Some(priority), Some(queue), Some(tenant)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(self.broken("lane", text));
        };
        let priority = priority.parse().map_err(|_| self.broken("lane", text))?;
        let (queue, tenant) = (queue.to_owned(), tenant.to_owned());
        Ok(Place { queue, tenant, priority, not_before: self.maybe("after")? })
    }
}

/// Where a task waits, in one word.
pub(super) fn lane(place: &Place) -> String {
    format!("{}|{}|{}", place.priority, place.queue, place.tenant)
}

/// By when a task has to have ended; empty where it has no such limit.
pub(super) fn deadline(spec: &Spec) -> String {
    spec.budget.deadline.map(|at| at.to_string()).unwrap_or_default()
}

pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Queued => "queued",
        State::Running => "running",
        State::Ended => "ended",
    }
}

pub(super) fn gave_up_name(how: Option<GaveUp>) -> &'static str {
    match how {
        None => "",
        Some(GaveUp::Released) => "released",
        Some(GaveUp::Finished) => "finished",
    }
}

/// The worker's part of a task.
pub(super) fn progress(task: &Task) -> Result<String, StoreError> {
    to_json(&task.id, &ProgressRef::of(task))
}

/// The snapshots a task refers to beside its first one, so that collecting blobs need not read whole records.
pub(super) fn roots(task: &Task) -> String {
    let later = snapshots::of(task).filter(|digest| **digest != task.spec.tree);
    let roots: BTreeSet<&str> = later.map(|digest| digest.as_str()).collect();
    roots.into_iter().collect::<Vec<_>>().join(" ")
}

/// The `number`-th event, from what the list of events holds.
pub(super) fn event(task: &TaskId, number: EventId, entry: &str) -> Result<Event, StoreError> {
    let broken = || odd(&format!("task {task}: event {number} can't be read"));
    let (at, body) = entry.split_once(' ').ok_or_else(broken)?;
    let (at, body) = (at.parse().map_err(|_| broken())?, from_json(task, body)?);
    Ok(Event { id: number, task: task.clone(), at, body })
}

pub(super) fn to_json<T: Serialize>(task: &TaskId, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Corrupt(format!("task {task} can't be written: {error}")))
}

pub(super) fn from_json<T: DeserializeOwned>(task: &TaskId, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Corrupt(format!("task {task} can't be read: {error}")))
}

pub(super) fn id(text: &str) -> Result<TaskId, StoreError> {
    TaskId::parse(text).map_err(|error| odd(&error.to_string()))
}
