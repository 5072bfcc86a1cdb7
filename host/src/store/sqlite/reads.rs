//! The verbs that only look.

use rusqlite::{Connection, OptionalExtension, params};

use super::line;
use super::rows;
use crate::store::{JournalEntry, Stats, StoreError};
use crate::task::{Event, EventId, Task, TaskId};

pub(super) fn journal(conn: &Connection, task: &TaskId, step: u32) -> Result<Vec<JournalEntry>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT entry FROM journal WHERE num = (SELECT num FROM tasks WHERE id = ?) AND step = ? ORDER BY idx",
    )?;
    let mut found = query.query(params![task.as_str(), step])?;
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        entries.push(rows::from_json(task, row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(entries)
}

pub(super) fn events(
    conn: &Connection,
    task: &TaskId,
    after: EventId,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT id, at, body FROM events WHERE num = (SELECT num FROM tasks WHERE id = ?) AND id > ? \
         ORDER BY id LIMIT ?",
    )?;
    let (after, limit) = (i64::try_from(after).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
    let mut found = query.query(params![task.as_str(), after, limit])?;
    let mut events = Vec::new();
    while let Some(row) = found.next()? {
        events.push(rows::event(task, row)?);
    }
    Ok(events)
}

pub(super) fn heads(conn: &Connection, tasks: &[TaskId]) -> Result<Vec<Option<EventId>>, StoreError> {
    let mut query = conn.prepare_cached("SELECT last_event FROM tasks WHERE id = ?")?;
    let mut head = |task: &TaskId| {
        let found = query.query_row([task.as_str()], |row| row.get::<_, i64>(0)).optional()?;
        Ok(found.map(i64::cast_unsigned))
    };
    tasks.iter().map(&mut head).collect()
}

pub(super) fn get(conn: &Connection, task: &TaskId) -> Result<Option<Task>, StoreError> {
    Ok(rows::find_whole(conn, task)?.map(|(_, task)| task))
}

pub(super) fn stats(conn: &Connection) -> Result<Stats, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT ifnull(sum(tasks) FILTER (WHERE state = 0), 0), ifnull(sum(tasks) FILTER (WHERE state = 1), 0), \
         ifnull(sum(tasks) FILTER (WHERE state = 2), 0) FROM counts",
    )?;
    let (queued, running, ended): (i64, i64, i64) =
        query.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(Stats {
        queued: queued.cast_unsigned(),
        running: running.cast_unsigned(),
        ended: ended.cast_unsigned(),
        oldest_queued_at: line::oldest(conn)?,
    })
}
