//! The verbs that only look.

use redis::Value;

use super::Inner;
use super::error::odd;
use super::record::{self, Record, from_json};
use super::script;
use crate::store::queue::WORKER_MILLIS;
use crate::store::{JournalEntry, QueueStats, Stats, StoreError, WorkerInfo};
use crate::task::{Event, EventBody, EventId, State, TaskId};

/// Ids that are read and sorted for one page: some milliseconds.
const FEW: usize = 10_000;

impl Inner {
    pub(super) async fn record(&self, id: &TaskId) -> Result<Option<Record>, StoreError> {
        let mut read = redis::cmd("HMGET");
        read.arg(self.task_key(id)).arg(&Record::FIELDS);
        Record::read(id, self.link.send(&read).await?)
    }

    pub(super) async fn journal(&self, id: &TaskId, step: u32) -> Result<Vec<JournalEntry>, StoreError> {
        let key = self.key(&format!("journal:{id}"));
        let have = self.link.send(redis::cmd("HGET").arg(&key).arg(step)).await?;
        let have: Option<u32> = redis::from_redis_value(have).map_err(redis::RedisError::from)?;
        let Some(have) = have else { return Ok(Vec::new()) };
        let mut read = redis::cmd("HMGET");
        read.arg(&key);
        for index in 0..have {
            read.arg(format!("{step}:{index}"));
        }
        let entries: Vec<Option<String>> =
            redis::from_redis_value(self.link.send(&read).await?).map_err(redis::RedisError::from)?;
        let gap = || odd(&format!("task {id}, step {step}: the journal has a gap"));
        entries.iter().map(|entry| from_json(id, entry.as_deref().ok_or_else(gap)?)).collect()
    }

    pub(super) async fn events(
        &self,
        id: &TaskId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        // The list begins with the second one.
        let skip = usize::try_from(after).unwrap_or(usize::MAX).saturating_sub(1).min(i64::MAX as usize);
        let last = skip.saturating_add(limit - 1).min(i64::MAX as usize);
        let mut reads = redis::pipe();
        reads.cmd("HGET").arg(self.task_key(id)).arg("sub");
        reads.cmd("LRANGE").arg(self.key(&format!("events:{id}"))).arg(skip).arg(last);
        let replies = Value::Array(self.link.all(&reads).await?);
        let (submitted_at, listed): (Option<u64>, Vec<String>) =
            redis::from_redis_value(replies).map_err(redis::RedisError::from)?;
        let Some(at) = submitted_at else { return Ok(Vec::new()) };
        let first = Event { id: 1, task: id.clone(), at, body: EventBody::Submitted };
        let listed = (skip as u64 + 2..).zip(&listed).map(|(number, entry)| record::event(id, number, entry));
        (after == 0).then_some(Ok(first)).into_iter().chain(listed).take(limit).collect()
    }

    /// Newest first, without that it was submitted.
    pub(super) async fn last_events(&self, id: &TaskId, limit: usize) -> Result<Vec<EventBody>, StoreError> {
        let mut read = redis::cmd("LRANGE");
        read.arg(self.key(&format!("events:{id}"))).arg(format!("-{limit}")).arg(-1);
        let listed: Vec<String> =
            redis::from_redis_value(self.link.send(&read).await?).map_err(redis::RedisError::from)?;
        listed.iter().rev().map(|entry| Ok(record::event(id, 0, entry)?.body)).collect()
    }

    /// Those that wait or run, newest first. `None`: so many that most of the newest tasks are among them.
    pub(super) async fn living(&self, state: State) -> Result<Option<Vec<TaskId>>, StoreError> {
        let call = self.on(&script::LIVING).arg(record::state_name(state)).arg(FEW);
        let reply = self.link.call(&call).await?;
        if reply == Value::Nil {
            return Ok(None);
        }
        let mut living = ids(reply)?;
        living.sort_unstable_by(|a, b| b.cmp(a));
        Ok(Some(living))
    }

    /// All ids after this one, in order.
    pub(super) async fn ids_above(
        &self,
        above: Option<&TaskId>,
        count: usize,
    ) -> Result<Vec<TaskId>, StoreError> {
        let from = above.map_or_else(|| "-".to_owned(), |id| format!("({id}"));
        let mut read = redis::cmd("ZRANGE");
        read.arg(self.key("ids")).arg(from).arg("+").arg("BYLEX").arg("LIMIT").arg(0).arg(count);
        ids(self.link.send(&read).await?)
    }

    /// Some fields of each record.
    pub(super) async fn fields(&self, ids: &[TaskId], names: &[&str]) -> Result<Vec<Value>, StoreError> {
        if ids.is_empty() {
            // An empty pipeline is an error.
            return Ok(Vec::new());
        }
        let mut reads = redis::pipe();
        for id in ids {
            reads.cmd("HMGET").arg(self.task_key(id)).arg(names);
        }
        Ok(self.link.all(&reads).await?)
    }

    /// `None` for those that are gone by now, or can't be read.
    pub(super) async fn records(&self, ids: &[TaskId]) -> Result<Vec<Option<Record>>, StoreError> {
        let replies = self.fields(ids, &Record::FIELDS).await?;
        let read = |(id, reply)| match Record::read(id, reply) {
            // One that can't be read hides no other; `fsck` names it, and `get` says why.
            Err(StoreError::Corrupt(what)) => {
                tracing::error!(task = %id, "left out of a list: {what}");
                Ok(None)
            }
            read => read,
        };
        ids.iter().zip(replies).map(read).collect()
    }

    pub(super) async fn stats(&self) -> Result<Stats, StoreError> {
        let counts: Vec<u64> = redis::from_redis_value(self.link.call(&self.on(&script::STATS)).await?)
            .map_err(redis::RedisError::from)?;
        let [queued, running, ended, ref front @ ..] = counts[..] else {
            return Err(odd(&format!("{} counts in place of 3", counts.len())));
        };
        Ok(Stats { queued, running, ended, oldest_queued_at: front.first().copied() })
    }
}

impl Inner {
    pub(super) async fn queues(&self) -> Result<Vec<QueueStats>, StoreError> {
        let found = self.link.call(&self.on(&script::QUEUES)).await?;
        let found: Vec<(String, u8, u64, u64, u64)> =
            redis::from_redis_value(found).map_err(redis::RedisError::from)?;
        let stats = |(name, paused, queued, delayed, running): (String, u8, u64, u64, u64)| QueueStats {
            name,
            paused: paused == 1,
            waiting: queued.saturating_sub(delayed),
            delayed,
            running,
        };
        let mut queues: Vec<QueueStats> = found.into_iter().map(stats).collect();
        queues.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(queues)
    }

    pub(super) async fn cancels(&self) -> Result<Vec<TaskId>, StoreError> {
        let mut found = ids(self.link.send(redis::cmd("SMEMBERS").arg(self.key("cancels"))).await?)?;
        found.sort();
        Ok(found)
    }

    pub(super) async fn workers(&self) -> Result<Vec<WorkerInfo>, StoreError> {
        let found = self.link.call(&self.on(&script::WORKERS).arg(WORKER_MILLIS)).await?;
        let found: Vec<(u64, String)> = redis::from_redis_value(found).map_err(redis::RedisError::from)?;
        let read = |(seen_at, info): (u64, String)| {
            let info: WorkerInfo = serde_json::from_str(&info)
                .map_err(|error| odd(&format!("a worker can't be read: {error}")))?;
            Ok(WorkerInfo { seen_at, ..info })
        };
        let mut workers = found.into_iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        workers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(workers)
    }
}

pub(super) fn list(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(odd("an answer is no list")),
    }
}

pub(super) fn ids(value: Value) -> Result<Vec<TaskId>, StoreError> {
    let texts: Vec<String> = redis::from_redis_value(value).map_err(redis::RedisError::from)?;
    texts.iter().map(|text| record::id(text)).collect()
}
