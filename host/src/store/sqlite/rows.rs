//! From rows to records and back.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::line::{self, Spot};
use crate::store::clock::Now;
use crate::store::control::{Control, GaveUp, Progress, ProgressRef};
use crate::store::queue::Lane;
use crate::store::{Lease, StoreError, control, filter};
use crate::task::{Event, EventBody, EventId, Outcome, Place, Spec, Spend, State, Task, TaskId};

/// In the order that [`held`] reads.
pub(super) const COLUMNS: &str = "tasks.num, tasks.id, state, cancel, worker, nonce, fence, term, lease_until, \
     gave_up, last_commit, last_event, crashes, submitted_at, started_at, ended_at, queue, tenant, priority, \
     not_before, ready_at";

/// The record as a whole: to follow `tasks`, which has the indexes and comes first.
pub(super) const PARTS: &str = "CROSS JOIN specs USING (num) CROSS JOIN progress USING (num)";

/// What [`Held::save`] writes.
const SAVED: &str = "state = ?2, position = ?3, cancel = ?4, worker = ?5, nonce = ?6, fence = ?7, term = ?8, \
     lease_until = ?9, gave_up = ?10, last_commit = ?11, last_event = ?12, crashes = ?13, started_at = ?14, \
     ended_at = ?15, due = ?16, ready_at = ?17";

/// A task's row number and the store's part of it.
pub(super) struct Held {
    pub(super) num: i64,
    pub(super) id: TaskId,
    pub(super) control: Control,
    /// As its row says, whatever has become of `control`.
    stored: State,
}

pub(super) fn code(state: State) -> i64 {
    match state {
        State::Queued => 0,
        State::Running => 1,
        State::Ended => 2,
    }
}

fn gave_up_code(how: GaveUp) -> i64 {
    match how {
        GaveUp::Released => 0,
        GaveUp::Finished => 1,
    }
}

fn bad(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, what.into())
}

fn uint(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(i64::cast_unsigned)
}

fn maybe_uint(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned))
}

pub(super) fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<TaskId> {
    let text = row.get_ref(column)?.as_str()?;
    TaskId::parse(text).map_err(|error| bad(column, error.to_string()))
}

pub(super) fn held(row: &Row<'_>) -> rusqlite::Result<Held> {
    let state = match row.get(2)? {
        0 => State::Queued,
        1 => State::Running,
        2 => State::Ended,
        other => return Err(bad(2, format!("no state has the code {other}"))),
    };
    let gave_up = match row.get(9)? {
        None => None,
        Some(0) => Some(GaveUp::Released),
        Some(1) => Some(GaveUp::Finished),
        Some(other) => return Err(bad(9, format!("no end of a lease has the code {other}"))),
    };
    let control = Control {
        state,
        cancel: row.get(3)?,
        worker: row.get(4)?,
        nonce: uint(row, 5)?,
        fence: uint(row, 6)?,
        term_micros: uint(row, 7)?,
        lease_until_micros: uint(row, 8)?,
        gave_up,
        last_commit: row.get(10)?,
        last_event: uint(row, 11)?,
        crashes: row.get(12)?,
        submitted_at: uint(row, 13)?,
        started_at: maybe_uint(row, 14)?,
        ended_at: maybe_uint(row, 15)?,
        place: Place {
            queue: row.get(16)?,
            tenant: row.get(17)?,
            priority: row.get(18)?,
            not_before: maybe_uint(row, 19)?,
        },
        ready_at: uint(row, 20)?,
    };
    Ok(Held { num: row.get(0)?, id: id(row, 1)?, stored: control.state, control })
}

/// A whole task, from [`COLUMNS`] with `spec` and `progress` after them.
pub(super) fn whole(row: &Row<'_>) -> Result<(Held, Task), StoreError> {
    let (held, task) = held_and_whole(row)?;
    Ok((held, task?))
}

/// Likewise, where the store's part is of use without the rest.
pub(super) fn held_and_whole(row: &Row<'_>) -> Result<(Held, Result<Task, StoreError>), StoreError> {
    let held = held(row)?;
    let task = record(row, &held);
    Ok((held, task))
}

fn record(row: &Row<'_>, held: &Held) -> Result<Task, StoreError> {
    let spec: Spec = from_json(&held.id, row.get_ref(21)?.as_str().map_err(rusqlite::Error::from)?)?;
    let progress: Progress = from_json(&held.id, row.get_ref(22)?.as_str().map_err(rusqlite::Error::from)?)?;
    Ok(held.control.assemble(held.id.clone(), spec, progress))
}

pub(super) fn find(conn: &Connection, task: &TaskId) -> Result<Option<Held>, StoreError> {
    let mut query = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM tasks WHERE id = ?"))?;
    Ok(query.query_row([task.as_str()], held).optional()?)
}

/// The row of a task that this lease may still change.
pub(super) fn find_held(conn: &Connection, lease: &Lease) -> Result<Held, StoreError> {
    let held = find(conn, &lease.task)?.ok_or_else(|| control::stale(lease))?;
    held.control.check(lease)?;
    Ok(held)
}

pub(super) fn find_whole(conn: &Connection, task: &TaskId) -> Result<Option<(Held, Task)>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, spec, progress FROM tasks {PARTS} WHERE tasks.id = ?");
    let mut query = conn.prepare_cached(&sql)?;
    let mut rows = query.query([task.as_str()])?;
    rows.next()?.map(whole).transpose()
}

/// Where a task waits that is new to its queue.
pub(super) fn spot(conn: &Connection, control: &Control, now: Now) -> Result<Spot, StoreError> {
    match control.due(now) {
        Some(until) => Ok(Spot::Due(until)),
        None => line::back(conn, &Lane::of(&control.place)),
    }
}

/// One that is too large is beyond all clocks.
fn deadline(spec: &Spec) -> Option<i64> {
    spec.budget.deadline.and_then(|deadline| i64::try_from(deadline).ok())
}

pub(super) fn insert(
    conn: &Connection,
    task: &Task,
    control: &Control,
    now: Now,
) -> Result<Held, StoreError> {
    let (place, pipeline) = (&control.place, &task.spec.pipeline);
    let (position, due) = spot(conn, control, now)?.columns();
    conn.prepare_cached(
        "INSERT INTO tasks (id, state, pipeline, position, cancel, nonce, fence, term, lease_until, last_event, \
         crashes, submitted_at, due, queue, tenant, priority, not_before, ready_at, model, builder, checker, fixer, \
         parent, deadline) VALUES (?, 0, ?, ?, 0, 0, 0, 0, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        task.id.as_str(),
        pipeline.name,
        position,
        control.submitted_at.cast_signed(),
        due,
        place.queue,
        place.tenant,
        place.priority,
        place.not_before.map(u64::cast_signed),
        control.ready_at.cast_signed(),
        pipeline.model,
        pipeline.builder.name,
        pipeline.checker.name,
        pipeline.fixer.as_ref().map(|fixer| &fixer.name),
        task.spec.parent.as_ref().map(TaskId::as_str),
        deadline(&task.spec)
    ])?;
    let num = conn.last_insert_rowid();
    conn.prepare_cached("INSERT INTO specs (num, search, spec) VALUES (?, ?, ?)")?.execute(params![
        num,
        control::folded(&task.spec.goal),
        to_json(&task.id, &task.spec)?
    ])?;
    conn.prepare_cached("INSERT INTO progress (num, progress) VALUES (?, ?)")?
        .execute(params![num, to_json(&task.id, &ProgressRef::of(task))?])?;
    line::count(conn, &place.queue, control.state, 1)?;
    Ok(Held { num, id: task.id.clone(), control: control.clone(), stored: control.state })
}

impl Held {
    /// Adds an event; the row has to be saved afterwards.
    pub(super) fn add(&mut self, conn: &Connection, body: &EventBody, now: Now) -> Result<(), StoreError> {
        self.control.last_event += 1;
        conn.prepare_cached("INSERT INTO events (num, id, at, body) VALUES (?, ?, ?, ?)")?.execute(
            params![
                self.num,
                self.control.last_event.cast_signed(),
                now.millis().cast_signed(),
                to_json(&self.id, body)?
            ],
        )?;
        Ok(())
    }

    pub(super) fn add_all(
        &mut self,
        conn: &Connection,
        events: &[EventBody],
        now: Now,
    ) -> Result<(), StoreError> {
        events.iter().try_for_each(|body| self.add(conn, body, now))
    }

    /// Writes the store's part, all of it. `spot`: somewhere exactly when queued.
    pub(super) fn save(&mut self, conn: &Connection, spot: Spot) -> Result<(), StoreError> {
        let mut update = conn.prepare_cached(&format!("UPDATE tasks SET {SAVED} WHERE num = ?1"))?;
        self.bind(&mut update, spot)?;
        update.raw_execute()?;
        self.count(conn)
    }

    /// Likewise, of one that has ended, with how and what it took: in one statement, since each that changes these
    /// columns writes half of the indexes anew.
    pub(super) fn save_ended(
        &mut self,
        conn: &Connection,
        outcome: &Outcome,
        spend: &Spend,
    ) -> Result<(), StoreError> {
        let mut update = conn.prepare_cached(&format!(
            "UPDATE tasks SET {SAVED}, dead = ?18, outcome = ?19, input_tokens = ?20, output_tokens = ?21, \
             cost = ?22 WHERE num = ?1"
        ))?;
        self.bind(&mut update, Spot::Nowhere)?;
        update.raw_bind_parameter(18, outcome.is_dead())?;
        update.raw_bind_parameter(19, outcome.reason.kind())?;
        update.raw_bind_parameter(20, spend.input_tokens.cast_signed())?;
        update.raw_bind_parameter(21, spend.output_tokens.cast_signed())?;
        update.raw_bind_parameter(22, filter::cost(spend).map(u64::cast_signed))?;
        update.raw_execute()?;
        self.count(conn)
    }

    /// What has been saved, among those in its state.
    fn count(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let (queue, state) = (&self.control.place.queue, self.control.state);
        if state != self.stored {
            line::count(conn, queue, self.stored, -1)?;
            line::count(conn, queue, state, 1)?;
            self.stored = state;
        }
        Ok(())
    }

    /// The parameters of [`SAVED`], and the row's number.
    fn bind(&self, update: &mut Statement<'_>, spot: Spot) -> Result<(), StoreError> {
        let control = &self.control;
        let (position, due) = spot.columns();
        update.raw_bind_parameter(1, self.num)?;
        update.raw_bind_parameter(2, code(control.state))?;
        update.raw_bind_parameter(3, position)?;
        update.raw_bind_parameter(4, control.cancel)?;
        update.raw_bind_parameter(5, &control.worker)?;
        update.raw_bind_parameter(6, control.nonce.cast_signed())?;
        update.raw_bind_parameter(7, control.fence.cast_signed())?;
        update.raw_bind_parameter(8, control.term_micros.cast_signed())?;
        update.raw_bind_parameter(9, control.lease_until_micros.cast_signed())?;
        update.raw_bind_parameter(10, control.gave_up.map(gave_up_code))?;
        update.raw_bind_parameter(11, &control.last_commit)?;
        update.raw_bind_parameter(12, control.last_event.cast_signed())?;
        update.raw_bind_parameter(13, control.crashes)?;
        update.raw_bind_parameter(14, control.started_at.map(u64::cast_signed))?;
        update.raw_bind_parameter(15, control.ended_at.map(u64::cast_signed))?;
        update.raw_bind_parameter(16, due)?;
        update.raw_bind_parameter(17, control.ready_at.cast_signed())?;
        Ok(())
    }

    pub(super) fn save_last_event(&self, conn: &Connection) -> Result<(), StoreError> {
        conn.prepare_cached("UPDATE tasks SET last_event = ? WHERE num = ?")?
            .execute(params![self.control.last_event.cast_signed(), self.num])?;
        Ok(())
    }

    pub(super) fn save_lease(&self, conn: &Connection) -> Result<(), StoreError> {
        conn.prepare_cached("UPDATE tasks SET lease_until = ? WHERE num = ?")?
            .execute(params![self.control.lease_until_micros.cast_signed(), self.num])?;
        Ok(())
    }

    pub(super) fn save_commit(&self, conn: &Connection) -> Result<(), StoreError> {
        conn.prepare_cached("UPDATE tasks SET last_event = ?, last_commit = ? WHERE num = ?")?
            .execute(params![self.control.last_event.cast_signed(), self.control.last_commit, self.num])?;
        Ok(())
    }

    pub(super) fn save_progress(&self, conn: &Connection, task: &Task) -> Result<(), StoreError> {
        conn.prepare_cached("UPDATE progress SET progress = ? WHERE num = ?")?
            .execute(params![to_json(&self.id, &ProgressRef::of(task))?, self.num])?;
        Ok(())
    }

    /// Forgets how it ended. One that had ended before there were deadlines in this table gets its own.
    pub(super) fn save_reopened(&self, conn: &Connection, spec: &Spec) -> Result<(), StoreError> {
        conn.prepare_cached("UPDATE tasks SET dead = 0, outcome = NULL, deadline = ? WHERE num = ?")?
            .execute(params![deadline(spec), self.num])?;
        Ok(())
    }
}

/// A record that has ended, with all that is its own; not its blobs.
pub(super) fn delete(conn: &Connection, num: i64, queue: &str) -> Result<(), StoreError> {
    line::count(conn, queue, State::Ended, -1)?;
    for sql in [
        "DELETE FROM events WHERE num = ?",
        "DELETE FROM journal WHERE num = ?",
        "DELETE FROM progress WHERE num = ?",
        "DELETE FROM specs WHERE num = ?",
        "DELETE FROM tasks WHERE num = ?",
    ] {
        conn.prepare_cached(sql)?.execute([num])?;
    }
    Ok(())
}

pub(super) fn event(task: &TaskId, row: &Row<'_>) -> Result<Event, StoreError> {
    let id: EventId = uint(row, 0)?;
    let body = from_json(task, row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?;
    Ok(Event { id, task: task.clone(), at: uint(row, 1)?, body })
}

pub(super) fn to_json<T: Serialize>(task: &TaskId, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Corrupt(format!("task {task} can't be written: {error}")))
}

pub(super) fn from_json<T: DeserializeOwned>(task: &TaskId, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Corrupt(format!("task {task} can't be read: {error}")))
}
