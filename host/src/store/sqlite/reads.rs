//! The verbs that only look.

use rusqlite::{Connection, ToSql, params};

use super::line;
use super::rows::{self, COLUMNS, PARTS};
use crate::store::{Filter, JournalEntry, Page, Stats, StoreError, control};
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

pub(super) fn get(conn: &Connection, task: &TaskId) -> Result<Option<Task>, StoreError> {
    Ok(rows::find_whole(conn, task)?.map(|(_, task)| task))
}

pub(super) fn list(conn: &Connection, filter: &Filter) -> Result<Page, StoreError> {
    let size = control::page_size(filter.limit);
    let (state, text) = (filter.state.map(rows::code), filter.text.as_deref().map(control::folded));
    let (cursor, more) = (filter.cursor.as_ref().map(TaskId::as_str), size as i64 + 1);
    let mut clauses = Vec::new();
    let mut params: Vec<&dyn ToSql> = Vec::new();
    if let Some(cursor) = &cursor {
        clauses.push("tasks.id < ?");
        params.push(cursor);
    }
    if let Some(state) = &state {
        clauses.push("state = ?");
        params.push(state);
    }
    if filter.dead {
        clauses.push("dead = 1");
    }
    if let Some(pipeline) = &filter.pipeline {
        clauses.push("pipeline = ?");
        params.push(pipeline);
    }
    if let Some(text) = &text {
        clauses.push("(instr(search, ?) > 0 OR instr(lower(tasks.id), ?) > 0)");
        params.push(text);
        params.push(text);
    }
    params.push(&more);
    let place = if clauses.is_empty() { "true".to_owned() } else { clauses.join(" AND ") };
    let sql = format!(
        "SELECT {COLUMNS}, spec, progress FROM tasks {PARTS} WHERE {place} ORDER BY tasks.id DESC LIMIT ?"
    );
    let mut query = conn.prepare_cached(&sql)?;
    let mut found = query.query(params.as_slice())?;
    let mut page = Page::default();
    while let Some(row) = found.next()? {
        if page.tasks.len() == size {
            page.next = page.tasks.last().map(|task: &Task| task.id.clone());
            break;
        }
        match rows::held_and_whole(row)? {
            (_, Ok(task)) => page.tasks.push(task),
            // The others can be shown all the same; whoever asks for this one is told.
            (held, Err(error)) => tracing::warn!(task = %held.id, %error, "a task is not listed"),
        }
    }
    Ok(page)
}

pub(super) fn stats(conn: &Connection) -> Result<Stats, StoreError> {
    let mut query = conn.prepare_cached("SELECT tasks FROM counts ORDER BY state")?;
    let counts: Vec<i64> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let [queued, running, ended] = counts[..] else {
        return Err(StoreError::Corrupt(format!("{} task counters instead of 3", counts.len())));
    };
    Ok(Stats {
        queued: queued.cast_unsigned(),
        running: running.cast_unsigned(),
        ended: ended.cast_unsigned(),
        oldest_queued_at: line::oldest(conn)?,
    })
}
