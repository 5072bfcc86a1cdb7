//! The queues: who waits where, and whose turn it is.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows;
use super::writer::{Done, Tx};
use crate::store::clock::Now;
use crate::store::queue::{Lane, WORKER_MILLIS};
use crate::store::rate::Buckets;
use crate::store::{Limits, QueueStats, StoreError, WorkerInfo};
use crate::task::{Millis, State, TaskId};

/// Where a task is, as its row says.
#[derive(Clone, Copy)]
pub(super) enum Spot {
    Nowhere,
    /// In its lane, lowest first.
    At(i64),
    /// Held back until then.
    Due(Millis),
}

impl Spot {
    pub(super) fn columns(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Nowhere => (None, None),
            Self::At(position) => (Some(position), None),
            Self::Due(until) => (None, Some(until.cast_signed())),
        }
    }
}

pub(super) fn back(conn: &Connection, lane: &Lane) -> Result<Spot, StoreError> {
    place(conn, lane, "ifnull(max(position) + 1, 0)")
}

pub(super) fn front(conn: &Connection, lane: &Lane) -> Result<Spot, StoreError> {
    place(conn, lane, "ifnull(min(position) - 1, 0)")
}

fn place(conn: &Connection, lane: &Lane, which: &str) -> Result<Spot, StoreError> {
    let lane = params![lane.queue, lane.tenant, lane.priority];
    conn.prepare_cached(
        "INSERT OR IGNORE INTO lanes VALUES \
         (?1, ?2, ?3, (SELECT ifnull(max(turn) + 1, 1) FROM lanes WHERE priority = ?3))",
    )?
    .execute(lane)?;
    let sql = format!(
        "SELECT {which} FROM tasks INDEXED BY lane \
         WHERE state = 0 AND position IS NOT NULL AND queue = ? AND tenant = ? AND priority = ?"
    );
    Ok(Spot::At(conn.prepare_cached(&sql)?.query_row(lane, |row| row.get(0))?))
}

/// After a task has left its lane, whose turn this was or was not.
pub(super) fn left(conn: &Connection, lane: &Lane, served: bool) -> Result<(), StoreError> {
    let of = params![lane.queue, lane.tenant, lane.priority];
    let more = conn
        .prepare_cached(
            "SELECT 1 FROM tasks INDEXED BY lane \
             WHERE state = 0 AND position IS NOT NULL AND queue = ? AND tenant = ? AND priority = ?",
        )?
        .exists(of)?;
    if !more {
        conn.prepare_cached("DELETE FROM lanes WHERE queue = ? AND tenant = ? AND priority = ?")?
            .execute(of)?;
    } else if served {
        conn.prepare_cached(
            "UPDATE lanes SET turn = (SELECT max(turn) + 1 FROM lanes WHERE priority = ?3) \
             WHERE queue = ?1 AND tenant = ?2 AND priority = ?3 \
             AND turn < (SELECT max(turn) FROM lanes WHERE priority = ?3)",
        )?
        .execute(of)?;
    }
    Ok(())
}

/// Those whose time has come join their lanes.
pub(super) fn promote(conn: &Connection, now: Now) -> Result<(), StoreError> {
    let due: Vec<(i64, Lane)> = conn
        .prepare_cached(
            "SELECT num, queue, tenant, priority FROM tasks INDEXED BY delayed \
             WHERE state = 0 AND due IS NOT NULL AND due <= ? ORDER BY due, id",
        )?
        .query_map([now.millis().cast_signed()], |row| {
            let lane = Lane { queue: row.get(1)?, tenant: row.get(2)?, priority: row.get(3)? };
            Ok((row.get(0)?, lane))
        })?
        .collect::<Result<_, _>>()?;
    for (num, lane) in due {
        let (position, _) = back(conn, &lane)?.columns();
        conn.prepare_cached("UPDATE tasks SET position = ?, due = NULL WHERE num = ?")?
            .execute(params![position, num])?;
    }
    Ok(())
}

/// The lane whose turn it is.
pub(super) fn next(conn: &Connection, limits: &Limits) -> Result<Option<Lane>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT queue, tenant, priority FROM lanes INDEXED BY lanes_by_turn \
         WHERE queue NOT IN (SELECT queue FROM paused) ORDER BY priority DESC, turn",
    )?;
    let mut lanes = query.query([])?;
    while let Some(row) = lanes.next()? {
        let lane = Lane { queue: row.get(0)?, tenant: row.get(1)?, priority: row.get(2)? };
        if limits.are_none() || may_run(conn, limits, &lane)? {
            return Ok(Some(lane));
        }
    }
    Ok(None)
}

fn may_run(conn: &Connection, limits: &Limits, lane: &Lane) -> Result<bool, StoreError> {
    let limits = limits.of(&lane.queue);
    let count = |tenant: Option<&str>| -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM tasks INDEXED BY running \
                   WHERE state = 1 AND queue = ?1 AND (?2 IS NULL OR tenant = ?2)";
        let count: i64 =
            conn.prepare_cached(sql)?.query_row(params![lane.queue, tenant], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    };
    if let Some(limit) = limits.running
        && count(None)? >= limit
    {
        return Ok(false);
    }
    match limits.running_per_tenant {
        Some(limit) => Ok(count(Some(&lane.tenant))? < limit),
        None => Ok(true),
    }
}

/// Tasks that wait in a queue, those included that may not begin yet.
pub(super) fn waiting(conn: &Connection, queue: &str) -> Result<u64, StoreError> {
    let mut query = conn.prepare_cached("SELECT tasks FROM counts WHERE queue = ? AND state = 0")?;
    let count: Option<i64> = query.query_row([queue], |row| row.get(0)).optional()?;
    Ok(count.unwrap_or_default().cast_unsigned())
}

/// One task more or less in this state.
pub(super) fn count(conn: &Connection, queue: &str, state: State, by: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET tasks = tasks + excluded.tasks",
    )?
    .execute(params![queue, rows::code(state), by])?;
    Ok(())
}

pub(super) fn pause(tx: &Tx<'_>, queue: &str, paused: bool) -> Result<Done<()>, StoreError> {
    let sql = match paused {
        true => "INSERT OR IGNORE INTO paused (queue) VALUES (?)",
        false => "DELETE FROM paused WHERE queue = ?",
    };
    tx.conn.prepare_cached(sql)?.execute([queue])?;
    Done::loud(())
}

pub(super) fn queues(conn: &Connection, now: Now) -> Result<Vec<QueueStats>, StoreError> {
    let mut queues: BTreeMap<String, QueueStats> = BTreeMap::new();
    let mut paused = conn.prepare_cached("SELECT queue FROM paused")?;
    for name in paused.query_map([], |row| row.get::<_, String>(0))? {
        let name = name?;
        let queue = QueueStats { paused: true, ..QueueStats::empty(&name) };
        queues.insert(name, queue);
    }
    let mut counts = conn.prepare_cached(
        "SELECT queue, sum(waiting), sum(running), sum(delayed) FROM ( \
           SELECT queue, iif(state = 0, tasks, 0) AS waiting, iif(state = 1, tasks, 0) AS running, 0 AS delayed \
           FROM counts WHERE state < 2 \
           UNION ALL SELECT queue, 0, 0, count(*) FROM tasks INDEXED BY delayed \
           WHERE state = 0 AND due IS NOT NULL AND due > ? GROUP BY queue \
         ) GROUP BY queue HAVING sum(waiting + running) > 0",
    )?;
    let mut rows = counts.query([now.millis().cast_signed()])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let (waiting, running, delayed): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let queue = queues.entry(name).or_insert_with_key(|name| QueueStats::empty(name));
        queue.waiting = (waiting - delayed).cast_unsigned();
        queue.running = running.cast_unsigned();
        queue.delayed = delayed.cast_unsigned();
    }
    Ok(queues.into_values().collect())
}

pub(super) fn cancels(conn: &Connection) -> Result<Vec<TaskId>, StoreError> {
    let sql = "SELECT id FROM tasks INDEXED BY cancels WHERE state = 1 AND cancel = 1 ORDER BY id";
    let mut query = conn.prepare_cached(sql)?;
    Ok(query.query_map([], |row| rows::id(row, 0))?.collect::<Result<_, _>>()?)
}

pub(super) fn check_in(tx: &Tx<'_>, worker: &WorkerInfo) -> Result<Done<()>, StoreError> {
    let worker = WorkerInfo { seen_at: tx.now.millis(), ..worker.clone() };
    let info = serde_json::to_string(&worker)
        .map_err(|error| StoreError::Corrupt(format!("a worker can't be written: {error}")))?;
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO workers (name, seen_at, info) VALUES (?, ?, ?)")?
        .execute(params![worker.name, worker.seen_at.cast_signed(), info])?;
    let old = worker.seen_at.saturating_sub(WORKER_MILLIS);
    tx.conn.prepare_cached("DELETE FROM workers WHERE seen_at <= ?")?.execute([old.cast_signed()])?;
    Done::quiet(())
}

pub(super) fn check_out(tx: &Tx<'_>, worker: &str) -> Result<Done<()>, StoreError> {
    tx.conn.prepare_cached("DELETE FROM workers WHERE name = ?")?.execute([worker])?;
    Done::quiet(())
}

pub(super) fn workers(conn: &Connection, now: Now) -> Result<Vec<WorkerInfo>, StoreError> {
    let since = now.millis().saturating_sub(WORKER_MILLIS).cast_signed();
    let mut query = conn.prepare_cached("SELECT info FROM workers WHERE seen_at > ? ORDER BY name")?;
    let infos = query.query_map([since], |row| row.get::<_, String>(0))?;
    let unreadable = |error| StoreError::Corrupt(format!("a worker can't be read: {error}"));
    infos.map(|info| serde_json::from_str(&info?).map_err(unreadable)).collect()
}

/// Since when the task that waits longest could have begun.
pub(super) fn oldest(conn: &Connection) -> Result<Option<Millis>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT ready_at FROM tasks INDEXED BY ready WHERE state = 0 ORDER BY ready_at LIMIT 1",
    )?;
    Ok(query.query_row([], |row| row.get::<_, i64>(0)).optional()?.map(i64::cast_unsigned))
}

/// Of what all workers together may ask of a model.
pub(super) fn reserve(tx: &Tx<'_>, model: &str, much: Buckets) -> Result<Done<Option<Duration>>, StoreError> {
    let mut buckets = buckets(tx, model)?;
    let wait = buckets.take(much, tx.now);
    if wait.is_none() {
        save_buckets(tx, model, buckets)?;
    }
    Done::quiet(wait)
}

pub(super) fn settle(
    tx: &Tx<'_>,
    model: &str,
    reserved: Buckets,
    used: Buckets,
) -> Result<Done<()>, StoreError> {
    let mut buckets = buckets(tx, model)?;
    buckets.settle(reserved, used);
    save_buckets(tx, model, buckets)?;
    Done::quiet(())
}

fn buckets(tx: &Tx<'_>, model: &str) -> Result<Buckets, StoreError> {
    let mut query = tx.conn.prepare_cached("SELECT requests, tokens FROM rates WHERE model = ?")?;
    let read = |row: &Row<'_>| {
        let (requests, tokens): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(Buckets { requests: requests.cast_unsigned(), tokens: tokens.cast_unsigned() })
    };
    Ok(query.query_row([model], read).optional()?.unwrap_or_default())
}

fn save_buckets(tx: &Tx<'_>, model: &str, buckets: Buckets) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO rates (model, requests, tokens) VALUES (?, ?, ?)")?
        .execute(params![model, buckets.requests.cast_signed(), buckets.tokens.cast_signed()])?;
    Ok(())
}
