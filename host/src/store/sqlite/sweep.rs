//! What ends or goes back with the time: lost leases, and deadlines of tasks that wait.

use rusqlite::{Connection, params};

use super::line;
use super::rows::{self, Held};
use super::verbs::{self, Answer};
use super::writer::{Done, Tx};
use crate::store::queue::Lane;
use crate::store::{EXPIRED_TOGETHER, StoreError, control};
use crate::task::{EventBody, Task, TaskId};

pub(super) fn reap(tx: &Tx<'_>) -> Answer<Vec<TaskId>> {
    let overdue: Vec<TaskId> = tx
        .conn
        .prepare_cached(
            "SELECT lease_until, id FROM tasks INDEXED BY claims WHERE state = 1 AND lease_until <= ? ORDER BY 1, 2",
        )?
        .query_map([tx.now.micros.cast_signed()], |row| rows::id(row, 1))?
        .collect::<Result<_, _>>()?;
    // The longest overdue goes to the front last, and so comes first.
    for id in overdue.iter().rev() {
        let Some((mut held, task)) = found_or_set_aside(tx, id)? else { continue };
        let last = last_events(tx.conn, &held)?;
        let parted = control::lost(&mut held.control, &task, last.iter());
        verbs::part(tx, &mut held, &task, parted, None)?;
    }
    match overdue.is_empty() {
        true => Done::quiet(overdue),
        false => Done::loud(overdue),
    }
}

/// A task that is surely there. `None`: it can't be read, and stands in no other's way now.
fn found_or_set_aside(tx: &Tx<'_>, id: &TaskId) -> Result<Option<(Held, Task)>, StoreError> {
    let error = match rows::find_whole(tx.conn, id) {
        Ok(Some(found)) => return Ok(Some(found)),
        Ok(None) => StoreError::Corrupt(format!("task {id} has no spec or no progress")),
        Err(error @ StoreError::Corrupt(_)) => error,
        Err(error) => return Err(error),
    };
    let mut held = rows::find(tx.conn, id)?.ok_or_else(|| StoreError::NotFound(id.clone()))?;
    verbs::set_aside(tx, &mut held, &error)?;
    Ok(None)
}

pub(super) fn expire(tx: &Tx<'_>) -> Answer<Vec<TaskId>> {
    let late: Vec<TaskId> = tx
        .conn
        .prepare_cached(
            "SELECT deadline, id FROM tasks INDEXED BY deadlines \
             WHERE state = 0 AND deadline IS NOT NULL AND deadline <= ? ORDER BY deadline, id LIMIT ?",
        )?
        .query_map(params![tx.now.millis().cast_signed(), EXPIRED_TOGETHER as i64], |row| rows::id(row, 1))?
        .collect::<Result<_, _>>()?;
    let mut expired = Vec::new();
    for id in late {
        let Some((mut held, task)) = found_or_set_aside(tx, &id)? else { continue };
        verbs::end(tx, &mut held, &task, &control::expired(&task), None)?;
        line::left(tx.conn, &Lane::of(&held.control.place), false)?;
        expired.push(id);
    }
    match expired.is_empty() {
        true => Done::quiet(expired),
        false => Done::loud(expired),
    }
}

/// Newest first.
fn last_events(conn: &Connection, held: &Held) -> Result<Vec<EventBody>, StoreError> {
    let mut query =
        conn.prepare_cached("SELECT id, at, body FROM events WHERE num = ? ORDER BY id DESC LIMIT ?")?;
    let mut found = query.query(params![held.num, control::LAST_WORDS_WITHIN as i64])?;
    let mut bodies = Vec::new();
    while let Some(row) = found.next()? {
        match rows::event(&held.id, row) {
            Ok(event) => bodies.push(event.body),
            // It is nobody's last word.
            Err(StoreError::Corrupt(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bodies)
}
