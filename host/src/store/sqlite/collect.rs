//! Collecting what is no longer needed, a slice at a time.
//!
//! Which blobs are needed is read on a reader's snapshot, while others go on writing. That is safe: a
//! blob that a task begins to refer to meanwhile was either stored within its hour of grace, or is
//! one this task referred to before.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde::Deserialize;

use super::writer::{Done, Tx};
use super::{Inner, blobs, rows};
use crate::store::clock::as_micros;
use crate::store::control::{BLOB_GRACE_MILLIS, KEY_MILLIS};
use crate::store::{Collected, StoreError, snapshots};
use crate::task::{Digest, Millis};

/// Tasks in one slice: some milliseconds of the writer's time.
const TASKS: usize = 100;
const BLOBS: usize = 200;
/// Pages given back to the file system in one slice.
const PAGES: usize = 500;

pub(super) async fn gc(store: &Inner, keep: Duration) -> Result<Collected, StoreError> {
    let now = store.clock.now().millis();
    let before = now.saturating_sub(as_micros(keep) / 1000);
    let mut collected = Collected::default();
    loop {
        let tasks = store.writer.write(move |tx| delete_tasks(tx, before)).await?;
        collected.tasks += tasks as u64;
        if tasks < TASKS {
            break;
        }
    }
    store.writer.write(delete_keys).await?;
    let cutoff = now.saturating_sub(BLOB_GRACE_MILLIS);
    let unneeded = store.readers.read(move |conn| unneeded(conn, cutoff)).await?;
    let mut unneeded = unneeded.into_iter().peekable();
    while unneeded.peek().is_some() {
        let slice: Vec<String> = unneeded.by_ref().take(BLOBS).collect();
        collected.blobs += store.writer.write(move |tx| delete_blobs(tx, &slice, cutoff)).await?;
    }
    while store.writer.write(shrink).await? {}
    Ok(collected)
}

fn delete_tasks(tx: &Tx<'_>, before: Millis) -> Result<Done<usize>, StoreError> {
    let old: Vec<(i64, String)> = tx
        .conn
        .prepare_cached(
            "SELECT num, queue FROM tasks INDEXED BY ended WHERE state = 2 AND ended_at < ? LIMIT ?",
        )?
        .query_map(params![before.cast_signed(), TASKS as i64], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    old.iter().try_for_each(|(num, queue)| rows::delete(tx.conn, *num, queue))?;
    Ok(Done { reply: old.len(), wakes: !old.is_empty() })
}

fn delete_keys(tx: &Tx<'_>) -> Result<Done<()>, StoreError> {
    let before = tx.now.millis().saturating_sub(KEY_MILLIS);
    tx.conn.prepare_cached("DELETE FROM keys WHERE at <= ?")?.execute([before.cast_signed()])?;
    Done::quiet(())
}

fn delete_blobs(tx: &Tx<'_>, digests: &[String], cutoff: Millis) -> Result<Done<u64>, StoreError> {
    let mut delete = tx.conn.prepare_cached("DELETE FROM blobs WHERE digest = ? AND stored_at < ?")?;
    let mut deleted = 0;
    for digest in digests {
        deleted += delete.execute(params![digest, cutoff.cast_signed()])? as u64;
    }
    Done::quiet(deleted)
}

/// Gives free pages back to the file system. Says whether there are more.
fn shrink(tx: &Tx<'_>) -> Result<Done<bool>, StoreError> {
    let free = |conn: &Connection| -> Result<i64, StoreError> {
        Ok(conn.pragma_query_value(None, "freelist_count", |row| row.get(0))?)
    };
    let before = free(tx.conn)?;
    let mut vacuum = tx.conn.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut steps = vacuum.query([])?;
    while steps.next()?.is_some() {}
    let after = free(tx.conn)?;
    Done::quiet(after > 0 && after < before)
}

/// Only the digests of a stored [`crate::task::Spec`] or worker's part: a record may hold long reports.
#[derive(Deserialize)]
struct SpecRoot {
    tree: String,
}

#[derive(Deserialize)]
struct ProgressRoots {
    rounds: Vec<RoundRoots>,
    outcome: Option<SpecRoot>,
}

#[derive(Deserialize)]
struct RoundRoots {
    base: String,
    tree: Option<String>,
}

/// The blobs stored before `cutoff` that no task refers to.
fn unneeded(conn: &Connection, cutoff: Millis) -> Result<HashSet<String>, StoreError> {
    let mut old: HashSet<String> = conn
        .prepare_cached("SELECT digest FROM blobs WHERE stored_at < ?")?
        .query_map([cutoff.cast_signed()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if old.is_empty() {
        return Ok(old);
    }
    let mut seen = HashSet::new();
    let mut query = conn.prepare_cached("SELECT spec, progress FROM specs JOIN progress USING (num)")?;
    let mut records = query.query([])?;
    while let Some(row) = records.next()? {
        let part = |column| -> Result<_, StoreError> {
            Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes().map_err(rusqlite::Error::from)?))
        };
        for root in roots(&part(0)?, &part(1)?) {
            old.remove(&root);
            if !seen.contains(&root) {
                keep_files(conn, &root, &mut old)?;
                seen.insert(root);
            }
        }
    }
    Ok(old)
}

/// The snapshots that a record refers to. Of one that can't be read, whatever looks like their names: it
/// hides no other's, and `fsck` tells of it.
fn roots(spec: &str, progress: &str) -> Vec<String> {
    match (serde_json::from_str::<SpecRoot>(spec), serde_json::from_str::<ProgressRoots>(progress)) {
        (Ok(spec), Ok(progress)) => {
            let rounds =
                progress.rounds.into_iter().flat_map(|round| std::iter::once(round.base).chain(round.tree));
            let ended = progress.outcome.map(|outcome| outcome.tree);
            std::iter::once(spec.tree).chain(rounds).chain(ended).collect()
        }
        _ => [spec, progress]
            .into_iter()
            .flat_map(|text| text.split('"'))
            .filter(|word| is_digest(word))
            .map(str::to_owned)
            .collect(),
    }
}

fn is_digest(word: &str) -> bool {
    serde_json::from_value::<Digest>(word.into()).is_ok_and(|digest| digest.is_whole())
}

fn keep_files(conn: &Connection, root: &str, old: &mut HashSet<String>) -> Result<(), StoreError> {
    let manifest = match blobs::get(conn, &Digest::named(root)) {
        Err(StoreError::Corrupt(_)) => None,
        found => found?,
    };
    // A snapshot that is missing or can't be read keeps no files; `fsck` tells of it.
    if let Some(Ok(files)) = manifest.map(|bytes| snapshots::files(&bytes)) {
        for file in files {
            old.remove(file.as_str());
        }
    }
    Ok(())
}
