//! The verbs that change a task: each is one script, or a decision and a script that checks whether
//! what it was decided on still holds.

use std::time::Duration;

use redis::Value;

use super::Inner;
use super::error::odd;
use super::find::brief;
use super::record::{self, Record, from_json, progress, roots, to_json};
use super::script::{self, Call};
use crate::store::clock::as_micros;
use crate::store::control::{self, GaveUp, Parted};
use crate::store::{
    Beat, Cancelled, Claim, ClaimRequest, JournalEntry, Lease, Limits, QueueLimits, StoreError,
};
use crate::task::{EventBody, EventId, Level, Outcome, Reason, State, Task, TaskId};

/// A script's reply: a word, and what belongs to it.
pub(super) struct Reply {
    pub(super) word: String,
    rest: std::vec::IntoIter<Value>,
}

impl Reply {
    pub(super) fn read(value: Value) -> Result<Self, StoreError> {
        let Value::Array(items) = value else { return Err(odd("a script's reply is no list")) };
        let mut rest = items.into_iter();
        let word = text(rest.next())?;
        Ok(Self { word, rest })
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        text(self.rest.next())
    }

    pub(super) fn unknown(&self) -> StoreError {
        odd(&format!("a script's reply is {:?}", self.word))
    }
}

fn text(value: Option<Value>) -> Result<String, StoreError> {
    let value = value.ok_or_else(|| odd("a script's reply is too short"))?;
    Ok(redis::from_redis_value(value).map_err(redis::RedisError::from)?)
}

fn claim_of(request: &ClaimRequest) -> String {
    format!("{}:{}", request.nonce, request.worker)
}

/// Nothing where there are none.
fn limits(limits: &Limits) -> Vec<String> {
    if limits.are_none() {
        return Vec::new();
    }
    let words = |of: &QueueLimits| {
        [of.running, of.running_per_tenant].map(|most| most.map(|most| most.to_string()).unwrap_or_default())
    };
    let named = limits.queues.iter().flat_map(|(name, of)| std::iter::once(name.clone()).chain(words(of)));
    words(&limits.default).into_iter().chain(named).collect()
}

fn bodies(task: &TaskId, events: &[EventBody]) -> Result<Vec<String>, StoreError> {
    events.iter().map(|event| to_json(task, event)).collect()
}

/// Of a script that has nothing to say but whether the lease still held.
fn held(reply: Reply, lease: &Lease) -> Result<(), StoreError> {
    match reply.word.as_str() {
        "ok" => Ok(()),
        "stale" => Err(control::stale(lease)),
        _ => Err(reply.unknown()),
    }
}

impl Inner {
    /// Runs a script that may be repeated, until as many replicas as configured have its changes.
    pub(super) async fn change(&self, call: Call) -> Result<Reply, StoreError> {
        let reply = Reply::read(self.link.call(&call).await?)?;
        self.replicated(&call).await?;
        Ok(reply)
    }

    fn leased(&self, script: &'static script::Script, lease: &Lease) -> Call {
        self.on(script).arg(lease.task.as_str()).arg(lease.fence)
    }

    pub(super) async fn claim(&self, request: &ClaimRequest) -> Result<Option<Claim>, StoreError> {
        loop {
            let Some((id, record)) = self.take_next(request).await? else { return Ok(None) };
            match Record::read(&id, record) {
                Ok(Some(Record { control, task, .. })) => {
                    return Ok(Some(Claim { lease: Lease { task: id, fence: control.fence }, task }));
                }
                Ok(None) => return Err(odd(&format!("task {id} was claimed and has no record"))),
                Err(StoreError::Corrupt(what)) => {
                    self.set_aside(&id, &claim_of(request), &what).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends a running task whose record can't be read, so that it stands in no other's way. The record
    /// stays as it is, and whoever asks for the task is told; `fsck` names it. `claim` is empty where its
    /// lease must have run out.
    pub(super) async fn set_aside(&self, id: &TaskId, claim: &str, what: &str) -> Result<(), StoreError> {
        tracing::error!(task = %id, "a task is set aside, since its record can't be read: {what}");
        let message = format!("set aside: {what}");
        let event = EventBody::Log { level: Level::Error, source: "store".to_owned(), message };
        let call = self.on(&script::SET_ASIDE).arg(id.as_str()).arg(claim).arg(to_json(id, &event)?);
        self.change(call).await.map(|_| ())
    }

    async fn take_next(&self, request: &ClaimRequest) -> Result<Option<(TaskId, Value)>, StoreError> {
        let claimed =
            |again| serde_json::to_string(&EventBody::Claimed { worker: request.worker.clone(), again });
        let unwritten = |error| odd(&format!("a claim can't be written: {error}"));
        let call = self
            .on(&script::CLAIM)
            .arg(claim_of(request))
            .arg(as_micros(request.lease))
            .arg(claimed(false).map_err(unwritten)?)
            .arg(claimed(true).map_err(unwritten)?)
            .arg(limits(&request.limits));
        let mut reply = self.change(call).await?;
        match reply.word.as_str() {
            "none" => Ok(None),
            "task" => {
                let id = record::id(&reply.text()?)?;
                let missing = || odd(&format!("task {id} was claimed without its record"));
                let record = reply.rest.next().ok_or_else(missing)?;
                Ok(Some((id, record)))
            }
            _ => Err(reply.unknown()),
        }
    }

    pub(super) async fn heartbeat(&self, lease: &Lease) -> Result<Beat, StoreError> {
        let mut reply = Reply::read(self.link.call(&self.leased(&script::HEARTBEAT, lease)).await?)?;
        match reply.word.as_str() {
            "ok" => Ok(Beat { cancel: reply.text()? == "1" }),
            "stale" => Err(control::stale(lease)),
            _ => Err(reply.unknown()),
        }
    }

    pub(super) async fn append(
        &self,
        lease: &Lease,
        step: u32,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let call =
            self.leased(&script::APPEND, lease).arg(step).arg(entry.index).arg(to_json(&lease.task, entry)?);
        let mut reply = self.change(call).await?;
        match reply.word.as_str() {
            "gap" => {
                let have = reply.text()?.parse().map_err(|_| odd("a journal's length is no number"))?;
                Err(control::journal_gap(&lease.task, step, entry.index, have))
            }
            "there" => match from_json::<JournalEntry>(&lease.task, &reply.text()?)? == *entry {
                true => Ok(()),
                false => Err(control::journal_differs(&lease.task, step, entry.index)),
            },
            _ => held(reply, lease),
        }
    }

    /// Sent once: a repetition would be there twice.
    pub(super) async fn emit(&self, lease: &Lease, events: &[EventBody]) -> Result<EventId, StoreError> {
        let call = self.leased(&script::EMIT, lease).arg(bodies(&lease.task, events)?);
        let mut reply = Reply::read(self.link.call_once(&call).await?)?;
        match reply.word.as_str() {
            "ok" => reply.text()?.parse().map_err(|_| odd("an event's id is no number")),
            "stale" => Err(control::stale(lease)),
            _ => Err(reply.unknown()),
        }
    }

    pub(super) async fn commit(
        &self,
        lease: &Lease,
        task: &Task,
        events: &[EventBody],
    ) -> Result<(), StoreError> {
        control::same_task(lease, task)?;
        let kept = Task { outcome: None, ..task.clone() };
        let call = self
            .leased(&script::COMMIT, lease)
            .arg(control::fingerprint(task, events)?)
            .arg(progress(&kept)?)
            .arg(roots(&kept))
            .arg(bodies(&lease.task, events)?);
        held(self.change(call).await?, lease)
    }

    pub(super) async fn finish(
        &self,
        lease: &Lease,
        task: &Task,
        events: &[EventBody],
    ) -> Result<(), StoreError> {
        control::same_task(lease, task)?;
        let outcome = control::outcome_of(task)?;
        let call = self
            .leased(&script::FINISH, lease)
            .arg(progress(task)?)
            .arg(roots(task))
            .arg(ended(task, outcome)?)
            .arg(u8::from(outcome.is_dead()))
            .arg(brief(task)?)
            .arg(bodies(&lease.task, events)?);
        held(self.change(call).await?, lease)
    }

    pub(super) async fn release(&self, lease: &Lease, why: &str) -> Result<(), StoreError> {
        let requeued = EventBody::requeued(why.to_owned());
        loop {
            let call = self.leased(&script::RELEASE, lease).arg(to_json(&lease.task, &requeued)?);
            let reply = self.change(call).await?;
            if reply.word != "cancelled" {
                return held(reply, lease);
            }
            let record = self.record(&lease.task).await?.ok_or_else(|| control::stale(lease))?;
            record.control.check(lease)?;
            let parted = control::released(&record.control, &record.task, why);
            if self.part(&record, parted, Some(GaveUp::Released), false).await? {
                return Ok(());
            }
        }
    }

    pub(super) async fn postpone(
        &self,
        lease: &Lease,
        task: &Task,
        events: &[EventBody],
        wait: Duration,
        why: &str,
    ) -> Result<(), StoreError> {
        control::same_task(lease, task)?;
        let kept = Task { outcome: None, ..task.clone() };
        let call = self
            .leased(&script::POSTPONE, lease)
            .arg(control::fingerprint(task, events)?)
            .arg(progress(&kept)?)
            .arg(roots(&kept))
            .arg(control::millis(wait))
            .arg(to_json(&lease.task, &control::postponed(why, wait))?)
            .arg(bodies(&lease.task, events)?);
        let reply = self.change(call).await?;
        match reply.word.as_str() {
            "cancelled" => self.release(lease, why).await,
            _ => held(reply, lease),
        }
    }

    /// Says whether the record was still as it was read.
    pub(super) async fn part(
        &self,
        record: &Record,
        parted: Parted,
        how: Option<GaveUp>,
        only_overdue: bool,
    ) -> Result<bool, StoreError> {
        let (task, control) = (&record.task, &record.control);
        let dead = matches!(&parted, Parted::End(outcome) if outcome.is_dead());
        let (event, progress, roots, past) = match parted {
            Parted::Requeue(event) => {
                (to_json(&task.id, &event)?, String::new(), String::new(), String::new())
            }
            Parted::End(outcome) => end(task, outcome)?,
        };
        let call = self
            .on(&script::PART)
            .arg(task.id.as_str())
            .arg(&record.rev)
            .arg(u8::from(only_overdue))
            .arg(record::gave_up_name(how))
            .arg(control.crashes)
            .arg(event)
            .arg(progress)
            .arg(roots)
            .arg(u8::from(dead))
            .arg(past);
        let reply = self.change(call).await?;
        match reply.word.as_str() {
            "ok" => Ok(true),
            "changed" => Ok(false),
            _ => Err(reply.unknown()),
        }
    }

    pub(super) async fn cancel(&self, id: &TaskId) -> Result<Cancelled, StoreError> {
        loop {
            let record = self.record(id).await?.ok_or_else(|| StoreError::NotFound(id.clone()))?;
            if record.control.state == State::Ended {
                return Ok(Cancelled::AlreadyEnded);
            }
            let outcome = control::ended_by_store(&record.task, Reason::Cancelled);
            let (ended, progress, roots, past) = end(&record.task, outcome)?;
            let call = self
                .on(&script::CANCEL)
                .arg(id.as_str())
                .arg(&record.rev)
                .arg(to_json(id, &EventBody::CancelRequested)?)
                .arg(progress)
                .arg(roots)
                .arg(ended)
                .arg(past);
            let reply = self.change(call).await?;
            match reply.word.as_str() {
                "ended" => return Ok(Cancelled::Ended),
                "requested" => return Ok(Cancelled::Requested),
                "already" => return Ok(Cancelled::AlreadyEnded),
                "changed" => {}
                _ => return Err(reply.unknown()),
            }
        }
    }
}

fn ended(task: &Task, outcome: &Outcome) -> Result<String, StoreError> {
    to_json(&task.id, &EventBody::Ended { outcome: outcome.clone(), spend: task.spend.clone() })
}

/// The `ended` event, the worker's part, the roots and the brief of a task that ends so.
pub(super) fn end(task: &Task, outcome: Outcome) -> Result<(String, String, String, String), StoreError> {
    let task = Task { outcome: Some(outcome), ..task.clone() };
    let event = ended(&task, control::outcome_of(&task)?)?;
    Ok((event, progress(&task)?, roots(&task), brief(&task)?))
}
