//! Reaping and collecting. Several hosts may do so at once.

use std::collections::HashSet;
use std::time::Duration;

use redis::Value;

use super::Inner;
use super::error::odd;
use super::reads::{ids, list};
use super::record::Record;
use super::script;
use super::verbs::end;
use crate::store::clock::as_micros;
use crate::store::control::{self, BLOB_GRACE_MILLIS};
use crate::store::{Collected, EXPIRED_TOGETHER, StoreError, snapshots};
use crate::task::{Digest, TaskId};

/// Tasks deleted in one script: some milliseconds of the server's time.
const TASKS: u64 = 100;

/// Records read, or blobs deleted, together.
pub(super) const SLICE: usize = 500;

impl Inner {
    pub(super) async fn reap(&self) -> Result<Vec<TaskId>, StoreError> {
        let overdue = ids(self.link.call(&self.on(&script::OVERDUE)).await?)?;
        let mut reaped = Vec::new();
        // The longest overdue goes to the front last, and so comes first.
        for id in overdue.into_iter().rev() {
            let mut record = match self.record(&id).await {
                Ok(Some(record)) => record,
                Ok(None) => continue,
                Err(StoreError::Corrupt(what)) => {
                    self.set_aside(&id, "", &what).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let last = self.last_events(&id, control::LAST_WORDS_WITHIN).await?;
            let parted = control::lost(&mut record.control, &record.task, last.iter());
            if self.part(&record, parted, None, true).await? {
                reaped.push(id);
            }
        }
        reaped.reverse();
        Ok(reaped)
    }

    /// Those that run, and those that can't be read and are set aside by whoever claims them, may fill whole pages of
    /// the list; the others stand behind them.
    pub(super) async fn expire(&self) -> Result<Vec<TaskId>, StoreError> {
        let mut skip = 0;
        loop {
            let call = self.on(&script::LATE).arg(EXPIRED_TOGETHER).arg(skip);
            let (late, stay, more): (Value, u64, bool) =
                redis::from_redis_value(self.link.call(&call).await?).map_err(redis::RedisError::from)?;
            let expired = self.end_late(ids(late)?).await?;
            if !expired.is_empty() || !more {
                return Ok(expired);
            }
            skip += stay;
        }
    }

    async fn end_late(&self, late: Vec<TaskId>) -> Result<Vec<TaskId>, StoreError> {
        let replies = self.fields(&late, &Record::FIELDS).await?;
        let mut expired = Vec::new();
        for (id, reply) in late.into_iter().zip(replies) {
            let record = match Record::read(&id, reply) {
                Ok(Some(record)) => record,
                Ok(None) | Err(StoreError::Corrupt(_)) => continue,
                Err(error) => return Err(error),
            };
            let (event, progress, roots, past) = end(&record.task, control::expired(&record.task))?;
            let call = self
                .on(&script::EXPIRE)
                .arg(id.as_str())
                .arg(&record.rev)
                .arg(event)
                .arg(progress)
                .arg(roots)
                .arg(past);
            let reply = self.change(call).await?;
            match reply.word.as_str() {
                "ok" => expired.push(id),
                "changed" => {}
                _ => return Err(reply.unknown()),
            }
        }
        Ok(expired)
    }

    pub(super) async fn gc(&self, keep: Duration) -> Result<Collected, StoreError> {
        let mut collected = Collected::default();
        loop {
            let call = self.on(&script::COLLECT).arg(as_micros(keep) / 1000).arg(TASKS);
            let deleted: u64 =
                redis::from_redis_value(self.link.call(&call).await?).map_err(redis::RedisError::from)?;
            collected.tasks += deleted;
            if deleted < TASKS {
                break;
            }
        }
        let (cutoff, old) = self.old_blobs().await?;
        let unneeded: Vec<String> = self.without_needed(old).await?.into_iter().collect();
        for slice in unneeded.chunks(SLICE) {
            collected.blobs += self.drop_blobs(cutoff, slice).await?;
        }
        Ok(collected)
    }

    /// The blobs that may go if nobody needs them, and what was stored since when may not.
    async fn old_blobs(&self) -> Result<(u64, HashSet<String>), StoreError> {
        let call = self.on(&script::BLOB_OLD).arg(BLOB_GRACE_MILLIS);
        let mut found = list(self.link.call(&call).await?)?.into_iter();
        let cutoff = found.next().ok_or_else(|| odd("no cutoff"))?;
        let cutoff = redis::from_redis_value(cutoff).map_err(redis::RedisError::from)?;
        let text = |value| redis::from_redis_value::<String>(value).map_err(redis::RedisError::from);
        Ok((cutoff, found.map(text).collect::<Result<_, _>>()?))
    }

    async fn without_needed(&self, mut old: HashSet<String>) -> Result<HashSet<String>, StoreError> {
        let mut seen: HashSet<String> = HashSet::new();
        let mut above = None;
        while !old.is_empty() {
            let ids = self.ids_above(above.as_ref(), SLICE).await?;
            let Some(last) = ids.last() else { break };
            above = Some(last.clone());
            let mut reads = redis::pipe();
            for id in &ids {
                reads.cmd("HMGET").arg(self.task_key(id)).arg("tree").arg("roots");
            }
            for reply in self.link.all(&reads).await? {
                let fields: Vec<Option<String>> =
                    redis::from_redis_value(reply).map_err(redis::RedisError::from)?;
                let roots = fields.iter().flatten().flat_map(|field| field.split(' '));
                for root in roots.filter(|root| !root.is_empty()) {
                    old.remove(root);
                    if seen.insert(root.to_owned()) {
                        self.keep_files(root, &mut old).await?;
                    }
                }
            }
        }
        Ok(old)
    }

    async fn keep_files(&self, root: &str, old: &mut HashSet<String>) -> Result<(), StoreError> {
        let Ok(root) = serde_json::from_value::<Digest>(root.into()) else { return Ok(()) };
        // A snapshot that is missing or can't be read keeps no files; `fsck` tells of it.
        if let Some(manifest) = self.get_blob(&root).await?
            && let Ok(files) = snapshots::files(&manifest)
        {
            for file in files {
                old.remove(file.as_str());
            }
        }
        Ok(())
    }

    async fn drop_blobs(&self, cutoff: u64, digests: &[String]) -> Result<u64, StoreError> {
        let mut dropped = 0;
        for digest in digests {
            let call = script::BLOB_DROP.on(&self.blob_named(digest), &self.now()).arg(cutoff);
            dropped += u64::from(self.link.call(&call).await? == Value::Int(1));
        }
        self.link.call(&self.on(&script::BLOB_FORGET).arg(cutoff).arg(digests)).await?;
        Ok(dropped)
    }
}
