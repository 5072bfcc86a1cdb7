//! Finding tasks, counting them, and deleting one.

use rusqlite::types::ToSql;
use rusqlite::{Connection, params};

use super::rows::{self, COLUMNS};
use super::writer::{Done, Tx};
use crate::store::{Count, Deleted, Filter, MOST_COUNTED, Page, Past, Pasts, StoreError, control};
use crate::task::{Millis, State, TaskId};

/// The part of a statement that a filter makes, and its values in their order.
struct Where {
    /// The table, with the index that answers it and what it has to be joined with.
    from: &'static str,
    clauses: Vec<&'static str>,
    values: Vec<Box<dyn ToSql>>,
}

impl Where {
    fn of(filter: &Filter) -> Self {
        let from = match (filter.text.is_some(), filter.is_fine()) {
            (true, _) => "tasks INDEXED BY facts CROSS JOIN specs USING (num)",
            // Few tasks have a given parent, and few are dead.
            _ if filter.parent.is_some() => "tasks INDEXED BY children",
            _ if filter.dead => "tasks INDEXED BY dead",
            (false, true) => "tasks INDEXED BY facts",
            // Most of a pipeline's tasks have ended, and few of all are in another state.
            _ if filter.pipeline.is_some() && matches!(filter.state, None | Some(State::Ended)) => {
                "tasks INDEXED BY tasks_by_pipeline"
            }
            _ if filter.state.is_some() => "tasks INDEXED BY tasks_by_state",
            (false, false) => "tasks",
        };
        let mut made = Self { from, clauses: Vec::new(), values: Vec::new() };
        let id = |id: Option<&TaskId>| id.map(|id| id.as_str().to_owned());
        made.add("tasks.id < ?", id(filter.below()));
        made.add("tasks.id > ?", id(filter.floor.as_ref()));
        made.add("state = ?", filter.state.map(rows::code));
        made.add("pipeline = ?", filter.pipeline.clone());
        if filter.dead {
            made.clauses.push("dead = 1");
        }
        match filter.outcome.map(|ending| ending.kind()) {
            Some(None) => made.clauses.push("outcome <> 'green'"),
            kind => made.add("outcome = ?", kind.flatten()),
        }
        made.add("model = ?", filter.model.clone());
        if let Some(plugin) = &filter.plugin {
            made.clauses.push("? IN (builder, checker, fixer)");
            made.values.push(Box::new(plugin.clone()));
        }
        made.add("parent = ?", id(filter.parent.as_ref()));
        made.add("submitted_at >= ?", filter.since.map(clamped));
        made.add("submitted_at < ?", filter.until.map(clamped));
        if let Some(text) = filter.text.as_deref().map(control::folded) {
            made.clauses.push("(instr(search, ?) > 0 OR instr(lower(tasks.id), ?) > 0)");
            made.values.extend([Box::new(text.clone()) as Box<dyn ToSql>, Box::new(text)]);
        }
        made
    }

    fn add<T: ToSql + 'static>(&mut self, clause: &'static str, value: Option<T>) {
        if let Some(value) = value {
            self.clauses.push(clause);
            self.values.push(Box::new(value));
        }
    }

    fn sql(&self, what: &str) -> String {
        let clauses = if self.clauses.is_empty() { "true".to_owned() } else { self.clauses.join(" AND ") };
        format!("SELECT {what} FROM {} WHERE {clauses}", self.from)
    }
}

/// A time that no column can hold is after all of them.
fn clamped(time: Millis) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

pub(super) fn list(conn: &Connection, filter: &Filter) -> Result<Page, StoreError> {
    let size = control::page_size(filter.limit);
    let mut wanted = Where::of(filter);
    wanted.values.push(Box::new(size as i64 + 1));
    // The numbers first, from an index alone; then the records of those that are shown.
    let found = wanted.sql("tasks.num AS num, tasks.id AS at");
    let sql = format!(
        "WITH found AS MATERIALIZED ({found} ORDER BY tasks.id DESC LIMIT ?) SELECT {COLUMNS}, spec, progress \
         FROM found CROSS JOIN tasks USING (num) LEFT JOIN specs USING (num) LEFT JOIN progress USING (num) \
         ORDER BY at DESC"
    );
    let mut query = conn.prepare_cached(&sql)?;
    let mut found = query.query(rusqlite::params_from_iter(&wanted.values))?;
    let (mut page, mut seen, mut last) = (Page::default(), 0, None);
    while let Some(row) = found.next()? {
        if seen == size {
            page.next = last;
            break;
        }
        let (held, task) = rows::held_and_whole(row)?;
        match task {
            Ok(task) => page.tasks.push(task),
            // The others can be shown all the same; whoever asks for this one is told.
            Err(error) => tracing::warn!(task = %held.id, %error, "a task is not listed"),
        }
        (seen, last) = (seen + 1, Some(held.id));
    }
    Ok(page)
}

pub(super) fn count(conn: &Connection, filter: &Filter) -> Result<Count, StoreError> {
    let filter = Filter { cursor: None, ..filter.clone() };
    let most = MOST_COUNTED as i64;
    let mut wanted = Where::of(&filter);
    wanted.values.push(Box::new(most + 1));
    let sql = format!("SELECT count(*) FROM ({} LIMIT ?)", wanted.sql("1"));
    let found: i64 =
        conn.prepare_cached(&sql)?.query_row(rusqlite::params_from_iter(&wanted.values), |row| row.get(0))?;
    Ok(Count { count: found.min(most).cast_unsigned(), exact: found <= most })
}

pub(super) fn past(conn: &Connection, since: Millis, most: usize) -> Result<Pasts, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT ended_at, started_at, pipeline, model, outcome, input_tokens, output_tokens, cost \
         FROM tasks INDEXED BY ended WHERE state = 2 AND ended_at >= ? AND outcome IS NOT NULL \
         ORDER BY ended_at DESC, id DESC LIMIT ?",
    )?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let uint = |number: i64| number.cast_unsigned();
    let rows = query.query_map(params![clamped(since), limit], |row| {
        Ok(Past {
            ended_at: uint(row.get(0)?),
            started_at: row.get::<_, Option<i64>>(1)?.map(uint),
            pipeline: row.get(2)?,
            model: row.get(3)?,
            green: row.get_ref(4)?.as_str()? == "green",
            input_tokens: uint(row.get::<_, Option<i64>>(5)?.unwrap_or_default()),
            output_tokens: uint(row.get::<_, Option<i64>>(6)?.unwrap_or_default()),
            cost_micros: row.get::<_, Option<i64>>(7)?.map(uint),
        })
    })?;
    let mut tasks = rows.collect::<Result<Vec<_>, _>>()?;
    let truncated = tasks.len() > most;
    tasks.truncate(most);
    Ok(Pasts { tasks, truncated })
}

pub(super) fn delete(tx: &Tx<'_>, id: &TaskId) -> Result<Done<Deleted>, StoreError> {
    let held = rows::find(tx.conn, id)?.ok_or_else(|| StoreError::NotFound(id.clone()))?;
    if held.control.state != State::Ended {
        return Done::quiet(Deleted::NotEnded);
    }
    rows::delete(tx.conn, held.num, &held.control.place.queue)?;
    Done::loud(Deleted::Gone)
}
