//! The whole store as lines of JSON, and back: what a backup holds of it.
//!
//! A task is read at one moment with its events, its journal and its place in line, and what the lists know of
//! it follows from its record. So no host waits for longer than one task takes, however large the store is. A
//! task that is submitted or deleted meanwhile is in it or not.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{BufRead, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use redis::Value;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::odd;
use super::record::Record;
use super::upkeep::SLICE;
use super::{Inner, RedisStore, record, script};
use crate::store::{StoreError, Stored, snapshots};
use crate::task::{Digest, Outcome, Spec, TaskId};

/// One thing of the store.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Task(Box<Copied>),
    /// Before the first task that needs it.
    Blob {
        digest: Digest,
        base64: String,
    },
    Paused {
        queue: String,
    },
    /// The idempotency key of a submission, until when it counts.
    Key {
        name: String,
        fields: BTreeMap<String, String>,
        until: u64,
    },
}

#[derive(Serialize, Deserialize)]
struct Copied {
    id: TaskId,
    record: BTreeMap<String, String>,
    journal: BTreeMap<String, String>,
    events: Vec<String>,
    /// In its lane; empty where it is in none.
    position: String,
    /// The end of its lease, in µs; empty where it has none.
    until: String,
}

/// What a snapshot has brought into a store, or may have where no answer came.
#[derive(Debug)]
pub struct Put {
    /// In whatever was put, so that a task which another has put is told from it.
    mark: String,
    tasks: Vec<TaskId>,
    /// Those that were not paused before.
    paused: Vec<String>,
    keys: Vec<String>,
}

impl Default for Put {
    fn default() -> Self {
        let mark = TaskId::fresh().to_string();
        Self { mark, tasks: Vec::new(), paused: Vec::new(), keys: Vec::new() }
    }
}

/// Tasks removed in one script: some milliseconds of the server's time.
const TAKEN_TOGETHER: usize = 100;

/// The field that holds the mark. No part of a snapshot.
const MARK: &str = "put";

/// What was written, by kind.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, (u64, Sha256)>);

impl Tally {
    fn add(&mut self, kind: &'static str, bytes: &[u8]) {
        let (rows, hasher) = self.0.entry(kind).or_default();
        *rows += 1;
        // The length goes first, so that no two contents give the same bytes.
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }

    fn stored(self) -> BTreeMap<String, Stored> {
        let stored = |(rows, hasher)| Stored { rows, digest: Digest::from(hasher) };
        self.0.into_iter().map(|(kind, of)| (kind.to_owned(), stored(of))).collect()
    }
}

impl RedisStore {
    /// Of the lines that [`Self::snapshot`] writes.
    pub const SCHEMA: usize = 2;

    /// Writes everything but what a host brings along when it starts. Says what of each kind: the same for
    /// stores that hold the same.
    pub async fn snapshot(
        &self,
        out: &mut (dyn Write + Send),
    ) -> Result<BTreeMap<String, Stored>, StoreError> {
        self.0.snapshot(out).await
    }

    /// Puts what a snapshot holds into a store, and notes in `put` what it has put there.
    pub async fn fill(&self, lines: &mut (dyn BufRead + Send), put: &mut Put) -> Result<(), StoreError> {
        self.0.fill(lines, put).await
    }

    /// Removes what was put there, also what a host has begun of it, and nothing else. Blobs then go as any
    /// others that no task needs.
    pub async fn take_back(&self, put: &Put) -> Result<(), StoreError> {
        self.0.take_back(put).await
    }
}

impl Inner {
    async fn snapshot(&self, out: &mut (dyn Write + Send)) -> Result<BTreeMap<String, Stored>, StoreError> {
        let (mut tally, mut blobs, mut above) = (Tally::default(), HashSet::new(), None);
        loop {
            let ids = self.ids_above(above.as_ref(), SLICE).await?;
            let Some(last) = ids.last() else { break };
            above = Some(last.clone());
            for id in &ids {
                let Some((copied, roots)) = self.copy_task(id).await? else { continue };
                for root in roots {
                    self.copy_tree(id, &root, &mut blobs, &mut tally, out).await?;
                }
                write(out, "tasks", Line::Task(Box::new(copied)), &mut tally)?;
            }
        }
        for queue in self.paused().await? {
            write(out, "paused", Line::Paused { queue }, &mut tally)?;
        }
        self.copy_keys(out).await?;
        Ok(tally.stored())
    }

    async fn paused(&self) -> Result<BTreeSet<String>, StoreError> {
        let paused = self.link.send(redis::cmd("SMEMBERS").arg(self.key("paused"))).await?;
        Ok(redis::from_redis_value(paused).map_err(redis::RedisError::from)?)
    }

    /// With the snapshots that it needs. `None`: it is gone by now.
    async fn copy_task(&self, id: &TaskId) -> Result<Option<(Copied, Vec<Digest>)>, StoreError> {
        let reply = self.link.call(&self.on(&script::COPY_TASK).arg(id.as_str())).await?;
        let Value::Array(mut parts) = reply else { return Err(odd("a copy of a task is no list")) };
        if parts.len() < 6 {
            return Ok(None);
        }
        let broken = redis::RedisError::from;
        let rest = Value::Array(parts.split_off(2));
        let fields = parts.pop().unwrap_or(Value::Nil);
        let mut record: BTreeMap<String, String> = redis::from_redis_value(fields).map_err(broken)?;
        record.remove(MARK);
        let roots = match Record::from_hash(id, &record) {
            Ok(Some(record)) => snapshots::of(&record.task).cloned().collect(),
            Ok(None) => return Ok(None),
            // Whoever restores it finds it as it was.
            Err(error) => {
                tracing::warn!(task = %id, "is copied as it is, and without its files: {error}");
                Vec::new()
            }
        };
        let (events, journal, position, until) = redis::from_redis_value(rest).map_err(broken)?;
        Ok(Some((Copied { id: id.clone(), record, journal, events, position, until }, roots)))
    }

    /// The manifest and the files it names. What is missing stays so: `fsck` tells of it here and there.
    async fn copy_tree(
        &self,
        task: &TaskId,
        root: &Digest,
        seen: &mut HashSet<Digest>,
        tally: &mut Tally,
        out: &mut (dyn Write + Send),
    ) -> Result<(), StoreError> {
        if seen.contains(root) {
            return Ok(());
        }
        let mut todo = vec![root.clone()];
        while let Some(digest) = todo.pop() {
            if !seen.insert(digest.clone()) {
                continue;
            }
            let Some(bytes) = self.get_blob(&digest).await? else {
                tracing::warn!(task = %task, blob = %digest, "is missing, and so is not copied");
                continue;
            };
            if digest == *root {
                todo.extend(snapshots::files(&bytes).unwrap_or_else(|error| {
                    tracing::warn!("{}", snapshots::unreadable(task, root, &error));
                    Vec::new()
                }));
            }
            let base64 = BASE64_STANDARD.encode(&bytes);
            write(out, "blobs", Line::Blob { digest, base64 }, tally)?;
        }
        Ok(())
    }

    /// They run out one after the other, and so are no part of what is compared.
    async fn copy_keys(&self, out: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        let prefix = self.key("key:");
        let special = |c: char| matches!(c, '\\' | '*' | '?' | '[' | ']');
        let literal: String =
            prefix.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect();
        let mut cursor = 0;
        loop {
            let (next, names) = self.link.scan(cursor, &format!("{literal}*"), &self.base).await?;
            for name in names {
                let mut reads = redis::pipe();
                reads.cmd("HGETALL").arg(&name).cmd("PEXPIRETIME").arg(&name);
                let replies = Value::Array(self.link.all(&reads).await?);
                let (mut fields, until): (BTreeMap<String, String>, i64) =
                    redis::from_redis_value(replies).map_err(redis::RedisError::from)?;
                fields.remove(MARK);
                let Ok(until) = u64::try_from(until) else { continue };
                let name = name.strip_prefix(&prefix).unwrap_or(&name).to_owned();
                write(out, "keys", Line::Key { name, fields, until }, &mut Tally::default())?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    async fn fill(&self, lines: &mut (dyn BufRead + Send), put: &mut Put) -> Result<(), StoreError> {
        let paused = self.paused().await?;
        let mut text = String::new();
        loop {
            text.clear();
            let read = lines.read_line(&mut text);
            if read.map_err(|error| odd(&format!("the snapshot can't be read: {error}")))? == 0 {
                return Ok(());
            }
            let line = serde_json::from_str(&text);
            match line.map_err(|error| odd(&format!("the snapshot can't be read: {error}")))? {
                Line::Task(copied) => {
                    // Noted first: an answer that is lost says nothing of what was done.
                    put.tasks.push(copied.id.clone());
                    self.put_task(&copied, &put.mark).await?;
                }
                Line::Blob { digest, base64 } => {
                    let bytes = BASE64_STANDARD.decode(base64).unwrap_or_default();
                    if self.put_blob(bytes.into()).await? != digest {
                        return Err(odd(&format!("the snapshot's blob {digest} holds other bytes")));
                    }
                }
                Line::Paused { queue } if paused.contains(&queue) => {}
                Line::Paused { queue } => {
                    put.paused.push(queue.clone());
                    self.pause(&queue, true).await?;
                }
                Line::Key { name, fields, until } => {
                    put.keys.push(name.clone());
                    let mut call = self.on(&script::PUT_KEY).arg(&put.mark).arg(name).arg(until);
                    for (field, value) in fields {
                        call = call.arg(field).arg(value);
                    }
                    self.link.call(&call).await?;
                }
            }
        }
    }

    async fn put_task(&self, copied: &Copied, mark: &str) -> Result<(), StoreError> {
        let id = &copied.id;
        let outcome = copied.record.get("progress").map(|progress| {
            #[derive(Deserialize)]
            struct Ended {
                outcome: Option<Outcome>,
            }
            record::from_json::<Ended>(id, progress)
        });
        let outcome = outcome.and_then(Result::ok).and_then(|ended| ended.outcome);
        let dead = outcome.as_ref().is_some_and(Outcome::is_dead);
        let spec = copied.record.get("spec").map(|spec| record::from_json::<Spec>(id, spec));
        let deadline = spec.and_then(Result::ok).map(|spec| record::deadline(&spec)).unwrap_or_default();
        let mut call = self.on(&script::PUT_TASK);
        call = call.arg(id.as_str()).arg(mark).arg(&copied.position).arg(&copied.until).arg(u8::from(dead));
        call = call.arg(deadline);
        for hash in [&copied.record, &copied.journal] {
            call = call.arg(hash.len() * 2);
            for (field, value) in hash {
                call = call.arg(field).arg(value);
            }
        }
        call = call.arg(copied.events.len()).arg(&copied.events);
        let (said,): (String,) =
            redis::from_redis_value(self.link.call(&call).await?).map_err(redis::RedisError::from)?;
        match said.as_str() {
            "ok" => self.replicated(&call).await,
            _ => Err(odd(&format!("task {id} is there already; a host has put it there meanwhile"))),
        }
    }

    async fn take_back(&self, put: &Put) -> Result<(), StoreError> {
        let tasks = put.tasks.iter().map(|id| format!("task:{id}"));
        let keys = put.keys.iter().map(|name| format!("key:{name}"));
        let names: Vec<String> = tasks.chain(keys).collect();
        for some in names.chunks(TAKEN_TOGETHER) {
            self.link.call(&self.on(&script::TAKE_BACK).arg(&put.mark).arg(some)).await?;
        }
        for queue in &put.paused {
            self.pause(queue, false).await?;
        }
        Ok(())
    }
}

fn write(
    out: &mut (dyn Write + Send),
    kind: &'static str,
    line: Line,
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let mut text = serde_json::to_vec(&line).map_err(|error| odd(&error.to_string()))?;
    tally.add(kind, &text);
    text.push(b'\n');
    out.write_all(&text)
        .map_err(|error| StoreError::Unavailable(format!("can't write the snapshot: {error}")))
}
