//! From Redis' hashes to records and back.

use std::collections::{BTreeSet, HashMap};

use redis::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::odd;
use crate::store::control::{Control, GaveUp, Progress, ProgressRef};
use crate::store::{StoreError, snapshots};
use crate::task::{Event, EventBody, Place, Spec, State, TOP_PRIORITY, Task, TaskId};

/// A task as it is stored.
pub(super) struct Record {
    pub(super) control: Control,
    pub(super) task: Task,
    /// What a change that was decided on this record must still find there.
    pub(super) rev: String,
}

impl Record {
    /// `None`: there is no such task.
    pub(super) fn read(id: &TaskId, reply: Value) -> Result<Option<Self>, StoreError> {
        let fields = Fields { id, all: redis::from_redis_value(reply).map_err(redis::RedisError::from)? };
        if fields.all.is_empty() {
            return Ok(None);
        }
        let control = Control {
            state: fields.state()?,
            cancel: fields.text("cancel")? == "1",
            worker: fields.all.get("worker").cloned(),
            nonce: fields.number("nonce")?,
            fence: fields.number("fence")?,
            term_micros: fields.number("term")?,
            lease_until_micros: fields.number("until")?,
            gave_up: match fields.all.get("gave").map(String::as_str) {
                None => None,
                Some("released") => Some(GaveUp::Released),
                Some("finished") => Some(GaveUp::Finished),
                Some(other) => return Err(odd(&format!("task {id} was given up as {other:?}"))),
            },
            last_commit: fields.all.get("commit").cloned(),
            last_event: fields.number("last")?,
            crashes: u32::try_from(fields.number("crashes")?).unwrap_or(u32::MAX),
            place: Place {
                queue: fields.text("queue")?.to_owned(),
                tenant: fields.text("tenant")?.to_owned(),
                priority: u8::try_from(fields.number("priority")?).unwrap_or(TOP_PRIORITY),
                not_before: fields.maybe("after")?,
            },
            ready_at: fields.number("ready")?,
            submitted_at: fields.number("sub")?,
            started_at: fields.maybe("start")?,
            ended_at: fields.maybe("end")?,
        };
        let spec: Spec = from_json(id, fields.text("spec")?)?;
        let progress: Progress = from_json(id, fields.text("progress")?)?;
        let task = control.assemble(id.clone(), spec, progress);
        Ok(Some(Self { task, rev: fields.text("rev")?.to_owned(), control }))
    }
}

struct Fields<'a> {
    id: &'a TaskId,
    all: HashMap<String, String>,
}

impl Fields<'_> {
    fn text(&self, name: &str) -> Result<&str, StoreError> {
        let missing = || odd(&format!("task {} has no {name}", self.id));
        self.all.get(name).map(String::as_str).ok_or_else(missing)
    }

    fn number(&self, name: &str) -> Result<u64, StoreError> {
        let text = self.text(name)?;
        text.parse().map_err(|_| odd(&format!("task {}: {name} is {text:?}", self.id)))
    }

    fn maybe(&self, name: &str) -> Result<Option<u64>, StoreError> {
        self.all.contains_key(name).then(|| self.number(name)).transpose()
    }

    fn state(&self) -> Result<State, StoreError> {
        match self.text("state")? {
            "queued" => Ok(State::Queued),
            "running" => Ok(State::Running),
            "ended" => Ok(State::Ended),
            other => Err(odd(&format!("task {} is {other:?}", self.id))),
        }
    }
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

/// The snapshots a task refers to, so that collecting blobs need not read whole records.
pub(super) fn roots(task: &Task) -> String {
    let roots: BTreeSet<&str> = snapshots::of(task).map(|digest| digest.as_str()).collect();
    roots.into_iter().collect::<Vec<_>>().join(" ")
}

/// From an entry of XRANGE: its id, and its fields one after the other.
pub(super) fn event(task: &TaskId, entry: Value) -> Result<Event, StoreError> {
    let (id, fields): (String, HashMap<String, String>) =
        redis::from_redis_value(entry).map_err(redis::RedisError::from)?;
    let broken = || odd(&format!("task {task}: event {id} can't be read"));
    let number = id.split('-').next().and_then(|number| number.parse().ok()).ok_or_else(broken)?;
    let at = fields.get("at").and_then(|at| at.parse().ok()).ok_or_else(broken)?;
    let body: EventBody = from_json(task, fields.get("body").ok_or_else(broken)?)?;
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
