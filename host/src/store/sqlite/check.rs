//! `fsck`: what does not fit together.

use std::collections::HashSet;

use rusqlite::Connection;

use super::blobs;
use super::rows::{self, COLUMNS, PARTS};
use crate::store::{StoreError, snapshots};
use crate::task::{Digest, State, Task, TaskId};

/// One row per finding: a text.
const FINDINGS: [&str; 10] = [
    "SELECT 'task ' || id || ' is queued and has no queue entry' FROM tasks \
     WHERE state = 0 AND position IS NULL AND due IS NULL",
    "SELECT 'task ' || id || ' has a queue entry and is not queued' FROM tasks \
     WHERE state <> 0 AND (position IS NOT NULL OR due IS NOT NULL)",
    "SELECT 'task ' || id || ' is running and has no worker' FROM tasks WHERE state = 1 AND worker IS NULL",
    "SELECT 'task ' || id || ' has no spec or no progress' FROM tasks \
     WHERE num NOT IN (SELECT num FROM specs) OR num NOT IN (SELECT num FROM progress)",
    "SELECT 'task ' || tasks.id || ': the events have a gap' FROM tasks LEFT JOIN events USING (num) \
     GROUP BY tasks.num HAVING count(events.id) <> last_event OR ifnull(max(events.id), 0) <> last_event",
    "SELECT 'task ' || ifnull(tasks.id, '(row ' || num || ')') || ', step ' || step || ': the journal has a gap' \
     FROM journal LEFT JOIN tasks USING (num) GROUP BY num, step HAVING count(*) <> max(idx) + 1",
    "SELECT 'row ' || num || ' belongs to no task' FROM \
     (SELECT num FROM events UNION SELECT num FROM journal UNION SELECT num FROM specs UNION SELECT num FROM progress) \
     WHERE num NOT IN (SELECT num FROM tasks)",
    "WITH found AS (SELECT queue, state, count(*) AS tasks FROM tasks GROUP BY queue, state) \
     SELECT 'queue ' || queue || ': the counter of state ' || state || ' says ' || ifnull(counts.tasks, 0) || \
     ' tasks; there are ' || ifnull(found.tasks, 0) FROM counts FULL JOIN found USING (queue, state) \
     WHERE ifnull(counts.tasks, 0) <> ifnull(found.tasks, 0)",
    "SELECT 'two tasks have queue position ' || position FROM tasks \
     WHERE state = 0 AND position IS NOT NULL GROUP BY queue, tenant, priority, position HAVING count(*) > 1",
    "SELECT 'tasks wait in queue ' || queue || ' and have no turn' FROM tasks WHERE state = 0 AND position IS NOT NULL \
     AND (queue, tenant, priority) NOT IN (SELECT queue, tenant, priority FROM lanes) GROUP BY queue",
];

pub(super) fn fsck(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut found = texts(conn, "PRAGMA quick_check")?;
    found.retain(|line| line != "ok");
    for sql in FINDINGS {
        found.extend(texts(conn, sql)?);
    }
    let mut query = conn.prepare(&format!("SELECT {COLUMNS}, spec, progress FROM tasks {PARTS}"))?;
    let mut records = query.query([])?;
    while let Some(row) = records.next()? {
        match rows::whole(row) {
            Ok((_, task)) => check_task(conn, &task, &mut found)?,
            Err(StoreError::Corrupt(what)) => found.push(what),
            Err(error) => return Err(error),
        }
    }
    check_blobs(conn, &mut found)?;
    Ok(found)
}

fn texts(conn: &Connection, sql: &str) -> Result<Vec<String>, StoreError> {
    Ok(conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn check_task(conn: &Connection, task: &Task, found: &mut Vec<String>) -> Result<(), StoreError> {
    if (task.state == State::Ended) != task.outcome.is_some() {
        found.push(format!("task {} has an outcome and has not ended, or the other way round", task.id));
    }
    let roots: HashSet<&Digest> = snapshots::of(task).collect();
    roots.into_iter().try_for_each(|root| check_snapshot(conn, &task.id, root, found))
}

fn check_snapshot(
    conn: &Connection,
    task: &TaskId,
    root: &Digest,
    found: &mut Vec<String>,
) -> Result<(), StoreError> {
    let manifest = match blobs::get(conn, root) {
        // What is wrong with it is said of the blob.
        Err(StoreError::Corrupt(_)) => return Ok(()),
        found => found?,
    };
    let Some(manifest) = manifest else {
        found.push(snapshots::missing(task, root));
        return Ok(());
    };
    match snapshots::files(&manifest) {
        Err(error) => found.push(snapshots::unreadable(task, root, &error)),
        Ok(files) => {
            let mut exists = conn.prepare_cached("SELECT 1 FROM blobs WHERE digest = ?")?;
            for file in files {
                if !exists.exists([file.as_str()])? {
                    found.push(snapshots::missing_file(task, root, &file));
                }
            }
        }
    }
    Ok(())
}

/// Reads every byte there is.
fn check_blobs(conn: &Connection, found: &mut Vec<String>) -> Result<(), StoreError> {
    let mut query = conn.prepare("SELECT digest, packed, bytes FROM blobs")?;
    let mut all = query.query([])?;
    while let Some(row) = all.next()? {
        let digest = Digest::named(&row.get::<_, String>(0)?);
        match blobs::whole(&digest, row.get(1)?, row.get(2)?) {
            Ok(bytes) if Digest::of(&bytes) == digest => {}
            Ok(_) => found.push(format!("blob {digest} holds other bytes than its name says")),
            Err(StoreError::Corrupt(what)) => found.push(what),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
