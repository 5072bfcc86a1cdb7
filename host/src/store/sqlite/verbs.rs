//! The verbs that change a task. Each runs in the writer's transaction, and may run again if that is undone.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::line::{self, Spot};
use super::rows::{self, COLUMNS, Held, PARTS};
use super::writer::{Done, Tx};
use crate::store::control::{self, Control, GaveUp, Parted};
use crate::store::queue::Lane;
use crate::store::{
    Beat, Cancelled, Claim, ClaimRequest, Idempotency, JournalEntry, Lease, NewTask, Requeued, StoreError,
    Submitted,
};
use crate::task::{EventBody, EventId, Level, Outcome, Reason, State, Task, TaskId};

pub(super) type Answer<T> = Result<Done<T>, StoreError>;

pub(super) fn submit(tx: &Tx<'_>, new: &NewTask) -> Answer<Submitted> {
    if let Some(asked) = &new.idempotency
        && let Some(first) = known_key(tx, asked)?
    {
        return Done::quiet(Submitted { id: first, created: false });
    }
    if let Some((_, there)) = rows::find_whole(tx.conn, &new.id)? {
        return match there.spec == new.spec {
            true => Done::quiet(Submitted { id: new.id.clone(), created: false }),
            false => Err(control::id_taken(&new.id)),
        };
    }
    if let Some(limit) = new.max_waiting
        && line::waiting(tx.conn, &new.place.queue)? >= limit
    {
        return Err(StoreError::Full { queue: new.place.queue.clone(), limit });
    }
    if let Some(asked) = &new.idempotency {
        tx.conn
            .prepare_cached("INSERT OR REPLACE INTO keys (key, body, task, at) VALUES (?, ?, ?, ?)")?
            .execute(params![
                asked.key,
                asked.body.as_str(),
                new.id.as_str(),
                tx.now.millis().cast_signed()
            ])?;
    }
    let task = Task::new(new.id.clone(), new.spec.clone(), tx.now.millis());
    let control = Control::submitted(tx.now, new.place.clone());
    let mut held = rows::insert(tx.conn, &task, &control, tx.now)?;
    held.add(tx.conn, &EventBody::Submitted, tx.now)?;
    held.save_last_event(tx.conn)?;
    Done::loud(Submitted { id: task.id, created: true })
}

fn known_key(tx: &Tx<'_>, asked: &Idempotency) -> Result<Option<TaskId>, StoreError> {
    let known = tx
        .conn
        .prepare_cached("SELECT body, task, at FROM keys WHERE key = ?")?
        .query_row([&asked.key], |row| {
            Ok((row.get::<_, String>(0)?, rows::id(row, 1)?, row.get::<_, i64>(2)?.cast_unsigned()))
        })
        .optional()?;
    match known {
        Some((body, first, at)) if control::key_lives(at, tx.now) => match body == asked.body.as_str() {
            true => Ok(Some(first)),
            false => Err(StoreError::KeyReused { first }),
        },
        _ => Ok(None),
    }
}

pub(super) fn claim(tx: &Tx<'_>, request: &ClaimRequest) -> Answer<Option<Claim>> {
    let nonce = request.nonce.cast_signed();
    // A lease of the same claim that has run out must not hide the one that lives.
    let living = "state = 1 AND worker = ?1 AND nonce = ?2 AND lease_until > ?3";
    let micros = tx.now.micros.cast_signed();
    if let Some((mut held, task)) = one(tx, "claims", living, params![request.worker, nonce, micros])? {
        held.control.renew(tx.now);
        held.save_lease(tx.conn)?;
        return Done::quiet(Some(granted(&held, task)));
    }
    line::promote(tx.conn, tx.now)?;
    let front = "state = 0 AND position IS NOT NULL AND queue = ? AND tenant = ? AND priority = ? \
                 ORDER BY position LIMIT 1";
    let (lane, mut held, task) = loop {
        let Some(lane) = line::next(tx.conn, &request.limits)? else { return Done::quiet(None) };
        match one(tx, "lane", front, params![lane.queue, lane.tenant, lane.priority])? {
            Some((held, task)) => break (lane, held, task),
            // All that waited in it were set aside.
            None => line::left(tx.conn, &lane, false)?,
        }
    };
    let claimed = held.control.grant(request, tx.now);
    held.add(tx.conn, &claimed, tx.now)?;
    held.save(tx.conn, Spot::Nowhere)?;
    line::left(tx.conn, &lane, true)?;
    Done::loud(Some(granted(&held, task)))
}

/// The first task that can be read; those before it are set aside.
fn one(
    tx: &Tx<'_>,
    index: &str,
    rest: &str,
    params: impl rusqlite::Params + Copy,
) -> Result<Option<(Held, Task)>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, spec, progress FROM tasks INDEXED BY {index} {PARTS} WHERE {rest}");
    let mut query = tx.conn.prepare_cached(&sql)?;
    loop {
        let found = query.query(params)?.next()?.map(rows::held_and_whole).transpose()?;
        match found {
            None => return Ok(None),
            Some((held, Ok(task))) => return Ok(Some((held, task))),
            Some((mut held, Err(error))) => set_aside(tx, &mut held, &error)?,
        }
    }
}

/// Ends a task whose record can't be read, so that it stands in no other's way. The record stays as it is,
/// and whoever asks for the task is told; `fsck` names it.
pub(super) fn set_aside(tx: &Tx<'_>, held: &mut Held, error: &StoreError) -> Result<(), StoreError> {
    tracing::error!(task = %held.id, %error, "a task is set aside, since its record can't be read");
    let message = format!("set aside: {error}");
    let event = EventBody::Log { level: Level::Error, source: "store".to_owned(), message };
    held.add(tx.conn, &event, tx.now)?;
    held.control.end(None, tx.now);
    held.save(tx.conn, Spot::Nowhere)
}

fn granted(held: &Held, mut task: Task) -> Claim {
    held.control.dress(&mut task);
    Claim { lease: Lease { task: held.id.clone(), fence: held.control.fence }, task }
}

pub(super) fn heartbeat(tx: &Tx<'_>, lease: &Lease) -> Answer<Beat> {
    let mut held = rows::find_held(tx.conn, lease)?;
    held.control.renew(tx.now);
    held.save_lease(tx.conn)?;
    Done::quiet(Beat { cancel: held.control.cancel })
}

pub(super) fn append(tx: &Tx<'_>, lease: &Lease, step: u32, entry: &JournalEntry) -> Answer<()> {
    let held = rows::find_held(tx.conn, lease)?;
    let text = rows::to_json(&lease.task, entry)?;
    let have: u32 = tx
        .conn
        .prepare_cached("SELECT ifnull(max(idx) + 1, 0) FROM journal WHERE num = ? AND step = ?")?
        .query_row(params![held.num, step], |row| row.get(0))?;
    if entry.index > have {
        return Err(control::journal_gap(&lease.task, step, entry.index, have));
    }
    if entry.index == have {
        tx.conn
            .prepare_cached("INSERT INTO journal (num, step, idx, entry) VALUES (?, ?, ?, ?)")?
            .execute(params![held.num, step, entry.index, text])?;
        return Done::quiet(());
    }
    let there: String = tx
        .conn
        .prepare_cached("SELECT entry FROM journal WHERE num = ? AND step = ? AND idx = ?")?
        .query_row(params![held.num, step, entry.index], |row| row.get(0))?;
    match rows::from_json::<JournalEntry>(&lease.task, &there)? == *entry {
        true => Done::quiet(()),
        false => Err(control::journal_differs(&lease.task, step, entry.index)),
    }
}

pub(super) fn emit(tx: &Tx<'_>, lease: &Lease, events: &[EventBody]) -> Answer<EventId> {
    let mut held = rows::find_held(tx.conn, lease)?;
    held.add_all(tx.conn, events, tx.now)?;
    held.save_last_event(tx.conn)?;
    Done::loud(held.control.last_event)
}

pub(super) fn commit(tx: &Tx<'_>, lease: &Lease, task: &Task, events: &[EventBody]) -> Answer<()> {
    control::same_task(lease, task)?;
    let mut held = rows::find_held(tx.conn, lease)?;
    let fingerprint = control::fingerprint(task, events)?;
    if held.control.last_commit.as_ref() == Some(&fingerprint) {
        return Done::quiet(());
    }
    held.control.last_commit = Some(fingerprint);
    held.add_all(tx.conn, events, tx.now)?;
    held.save_progress(tx.conn, &Task { outcome: None, ..task.clone() })?;
    held.save_commit(tx.conn)?;
    Done::loud(())
}

pub(super) fn finish(tx: &Tx<'_>, lease: &Lease, task: &Task, events: &[EventBody]) -> Answer<()> {
    control::same_task(lease, task)?;
    let outcome = control::outcome_of(task)?;
    let mut held = rows::find(tx.conn, &lease.task)?.ok_or_else(|| control::stale(lease))?;
    if held.control.repeats(lease, GaveUp::Finished) {
        return Done::quiet(());
    }
    held.control.check(lease)?;
    held.add_all(tx.conn, events, tx.now)?;
    end(tx, &mut held, task, outcome, Some(GaveUp::Finished))?;
    Done::loud(())
}

/// Ends a task; `task` is its record but for the outcome.
pub(super) fn end(
    tx: &Tx<'_>,
    held: &mut Held,
    task: &Task,
    outcome: &Outcome,
    gave_up: Option<GaveUp>,
) -> Result<(), StoreError> {
    let ended = EventBody::Ended { outcome: outcome.clone(), spend: task.spend.clone() };
    held.add(tx.conn, &ended, tx.now)?;
    held.control.end(gave_up, tx.now);
    held.save_progress(tx.conn, &Task { outcome: Some(outcome.clone()), ..task.clone() })?;
    held.save_ended(tx.conn, outcome, &task.spend)
}

/// To the front of the queue, or to the end.
pub(super) fn part(
    tx: &Tx<'_>,
    held: &mut Held,
    task: &Task,
    parted: Parted,
    gave_up: Option<GaveUp>,
) -> Result<(), StoreError> {
    match parted {
        Parted::End(outcome) => end(tx, held, task, &outcome, gave_up),
        Parted::Requeue(event) => {
            held.add(tx.conn, &event, tx.now)?;
            held.control.requeue(gave_up);
            let front = line::front(tx.conn, &Lane::of(&held.control.place))?;
            held.save(tx.conn, front)
        }
    }
}

pub(super) fn release(tx: &Tx<'_>, lease: &Lease, why: &str) -> Answer<()> {
    let (mut held, task) = rows::find_whole(tx.conn, &lease.task)?.ok_or_else(|| control::stale(lease))?;
    if held.control.repeats(lease, GaveUp::Released) {
        return Done::quiet(());
    }
    held.control.check(lease)?;
    let parted = control::released(&held.control, &task, why);
    part(tx, &mut held, &task, parted, Some(GaveUp::Released))?;
    Done::loud(())
}

pub(super) fn postpone(
    tx: &Tx<'_>,
    lease: &Lease,
    task: &Task,
    events: &[EventBody],
    wait: Duration,
    why: &str,
) -> Answer<()> {
    control::same_task(lease, task)?;
    let held = rows::find(tx.conn, &lease.task)?.ok_or_else(|| control::stale(lease))?;
    if held.control.repeats(lease, GaveUp::Released) {
        return Done::quiet(());
    }
    commit(tx, lease, task, events)?;
    let mut held = rows::find_held(tx.conn, lease)?;
    if held.control.cancel {
        return release(tx, lease, why);
    }
    held.add(tx.conn, &control::postponed(why, wait), tx.now)?;
    held.control.postpone(wait, tx.now);
    let spot = rows::spot(tx.conn, &held.control, tx.now)?;
    held.save(tx.conn, spot)?;
    Done::loud(())
}

pub(super) fn cancel(tx: &Tx<'_>, id: &TaskId) -> Answer<Cancelled> {
    let (mut held, task) = rows::find_whole(tx.conn, id)?.ok_or_else(|| StoreError::NotFound(id.clone()))?;
    if held.control.state == State::Ended {
        return Done::quiet(Cancelled::AlreadyEnded);
    }
    if !held.control.cancel {
        held.control.cancel = true;
        held.add(tx.conn, &EventBody::CancelRequested, tx.now)?;
    }
    if held.control.state == State::Running {
        held.save(tx.conn, Spot::Nowhere)?;
        return Done::loud(Cancelled::Requested);
    }
    end(tx, &mut held, &task, &control::ended_by_store(&task, Reason::Cancelled), None)?;
    line::left(tx.conn, &Lane::of(&held.control.place), false)?;
    Done::loud(Cancelled::Ended)
}

pub(super) fn requeue(tx: &Tx<'_>, id: &TaskId, why: &str) -> Answer<Requeued> {
    let (mut held, task) = rows::find_whole(tx.conn, id)?.ok_or_else(|| StoreError::NotFound(id.clone()))?;
    if held.control.state != State::Ended {
        return Done::quiet(Requeued::NotEnded);
    }
    if task.outcome.as_ref().is_some_and(Outcome::is_green) {
        return Done::quiet(Requeued::Green);
    }
    held.control.reopen(tx.now);
    held.add(tx.conn, &EventBody::requeued(why.to_owned()), tx.now)?;
    held.save_reopened(tx.conn, &task.spec)?;
    held.save_progress(tx.conn, &Task { outcome: None, postponed: None, ..task })?;
    let back = line::back(tx.conn, &Lane::of(&held.control.place))?;
    held.save(tx.conn, back)?;
    Done::loud(Requeued::Queued)
}
