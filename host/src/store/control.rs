//! The rules every back end that runs in this process shares: who holds a task, what a repetition is,
//! and how the store itself ends a task. Pure: no I/O, no clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::{Now, as_micros};
use super::{ClaimRequest, Lease, MAX_CRASHES, StoreError};
use crate::task::{
    Digest, EventBody, EventId, Limit, Millis, Next, Outcome, Place, Postponed, Reason, Round, Spec, Spend,
    State, Task, TaskId,
};

/// How long an idempotency key is kept.
pub(crate) const KEY_MILLIS: Millis = 24 * 60 * 60 * 1000;

/// How old a blob is before it may be collected: a submission stores its blobs before its task.
pub(super) const BLOB_GRACE_MILLIS: Millis = 60 * 60 * 1000;

/// Storing a blob again starts its hour anew, but only once this much of it has gone by: what is
/// stored again and again then costs no write.
pub(super) const BLOB_FRESH_MILLIS: Millis = 15 * 60 * 1000;

/// The longest that a task is postponed for, whatever a model's vendor asks for: far larger times would be beyond
/// the numbers of the back ends.
const LONGEST_WISH: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The largest page of [`super::Store::list`].
const MAX_PAGE: usize = 200;

/// Of a crashed task's log, as many lines as a person reads at a glance, looked for in its last events.
const LAST_WORDS: usize = 5;
pub(super) const LAST_WORDS_WITHIN: usize = 200;

/// The store's own part of a task: what no worker writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) state: State,
    pub(super) cancel: bool,
    pub(super) worker: Option<String>,
    /// Of the claim that holds or held the task.
    pub(super) nonce: u64,
    /// The last one given; 0 before the first claim.
    pub(super) fence: u64,
    pub(super) term_micros: u64,
    pub(super) lease_until_micros: u64,
    pub(super) gave_up: Option<GaveUp>,
    /// The fingerprint of the last commit under this fence.
    pub(super) last_commit: Option<String>,
    pub(super) last_event: EventId,
    pub(super) crashes: u32,
    pub(super) place: Place,
    /// Since when it could have begun.
    pub(super) ready_at: Millis,
    pub(super) submitted_at: Millis,
    pub(super) started_at: Option<Millis>,
    pub(super) ended_at: Option<Millis>,
}

/// How the holder of the last fence parted with the task, so that its repetition is known as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GaveUp {
    Released,
    Finished,
}

/// The worker's part of a task, as it is stored.
#[derive(Serialize)]
pub(super) struct ProgressRef<'a> {
    next: &'a Next,
    step: u32,
    rounds: &'a [Round],
    best: Option<usize>,
    spend: &'a Spend,
    outcome: Option<&'a Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postponed: Option<&'a Postponed>,
}

/// [`ProgressRef`], read back.
#[derive(Deserialize)]
pub(super) struct Progress {
    next: Next,
    step: u32,
    rounds: Vec<Round>,
    best: Option<usize>,
    spend: Spend,
    outcome: Option<Outcome>,
    #[serde(default)]
    postponed: Option<Postponed>,
}

impl<'a> ProgressRef<'a> {
    pub(super) fn of(task: &'a Task) -> Self {
        Self {
            next: &task.next,
            step: task.step,
            rounds: &task.rounds,
            best: task.best,
            spend: &task.spend,
            outcome: task.outcome.as_ref(),
            postponed: task.postponed.as_ref(),
        }
    }
}

impl Control {
    pub(super) fn submitted(now: Now, place: Place) -> Self {
        let ready_at = place.not_before.unwrap_or(0).max(now.millis());
        Self {
            place,
            ready_at,
            state: State::Queued,
            cancel: false,
            worker: None,
            nonce: 0,
            fence: 0,
            term_micros: 0,
            lease_until_micros: 0,
            gave_up: None,
            last_commit: None,
            last_event: 0,
            crashes: 0,
            submitted_at: now.millis(),
            started_at: None,
            ended_at: None,
        }
    }

    /// Whether this lease may still change the task.
    pub(super) fn check(&self, lease: &Lease) -> Result<(), StoreError> {
        if self.state == State::Running && self.fence == lease.fence { Ok(()) } else { Err(stale(lease)) }
    }

    /// Whether the holder of this lease has already done so, and repeats itself.
    pub(super) fn repeats(&self, lease: &Lease, how: GaveUp) -> bool {
        self.fence == lease.fence && self.gave_up == Some(how)
    }

    /// Whether this is the claim that holds the task now, repeated after a lost reply.
    pub(super) fn repeats_claim(&self, request: &ClaimRequest, now: Now) -> bool {
        self.state == State::Running
            && self.worker.as_deref() == Some(&request.worker)
            && self.nonce == request.nonce
            && !self.has_run_out(now)
    }

    pub(super) fn has_run_out(&self, now: Now) -> bool {
        self.lease_until_micros <= now.micros
    }

    pub(super) fn grant(&mut self, request: &ClaimRequest, now: Now) -> EventBody {
        let again = self.fence > 0;
        self.state = State::Running;
        self.worker = Some(request.worker.clone());
        self.nonce = request.nonce;
        self.fence = now.micros.max(self.fence + 1);
        self.term_micros = as_micros(request.lease);
        self.gave_up = None;
        self.last_commit = None;
        self.started_at = self.started_at.or(Some(now.millis()));
        self.renew(now);
        EventBody::Claimed { worker: request.worker.clone(), again }
    }

    pub(super) fn renew(&mut self, now: Now) {
        self.lease_until_micros = now.micros.saturating_add(self.term_micros);
    }

    pub(super) fn requeue(&mut self, gave_up: Option<GaveUp>) {
        self.state = State::Queued;
        self.worker = None;
        self.gave_up = gave_up;
    }

    /// Back in the queue, and held back for so long.
    pub(super) fn postpone(&mut self, wait: Duration, now: Now) {
        self.requeue(Some(GaveUp::Released));
        self.ready_at = now.millis().saturating_add(millis(wait));
    }

    /// Until when a queued task is held back.
    pub(super) fn due(&self, now: Now) -> Option<Millis> {
        (self.ready_at > now.millis()).then_some(self.ready_at)
    }

    /// Back from its end.
    pub(super) fn reopen(&mut self, now: Now) {
        self.requeue(None);
        self.cancel = false;
        self.crashes = 0;
        self.ended_at = None;
        self.ready_at = now.millis();
    }

    pub(super) fn end(&mut self, gave_up: Option<GaveUp>, now: Now) {
        self.state = State::Ended;
        self.worker = None;
        self.gave_up = gave_up.or(self.gave_up);
        self.ended_at = Some(now.millis());
    }

    /// The whole task, from the three parts that are kept.
    pub(super) fn assemble(&self, id: TaskId, spec: Spec, progress: Progress) -> Task {
        let Progress { next, step, rounds, best, spend, outcome, postponed } = progress;
        let bare = Task::new(id, spec, self.submitted_at);
        let mut task = Task { next, step, rounds, best, spend, outcome, postponed, ..bare };
        self.dress(&mut task);
        task
    }

    /// Writes the store's part into a task.
    pub(super) fn dress(&self, task: &mut Task) {
        task.state = self.state;
        task.cancel = self.cancel;
        task.worker.clone_from(&self.worker);
        task.crashes = self.crashes;
        task.place = self.place.clone();
        task.submitted_at = self.submitted_at;
        task.started_at = self.started_at;
        task.ended_at = self.ended_at;
        if let Some(postponed) = &mut task.postponed {
            postponed.until = self.ready_at;
        }
    }
}

/// What becomes of a task whose worker parts with it before its end.
pub(super) enum Parted {
    Requeue(EventBody),
    End(Outcome),
}

/// After a release.
pub(super) fn released(control: &Control, task: &Task, why: &str) -> Parted {
    if control.cancel {
        Parted::End(ended_by_store(task, Reason::Cancelled))
    } else {
        Parted::Requeue(EventBody::requeued(why.to_owned()))
    }
}

/// After a lease that ran out. Counts the crash. `newest_first`: the task's last events.
pub(super) fn lost<'a>(
    control: &mut Control,
    task: &Task,
    newest_first: impl Iterator<Item = &'a EventBody>,
) -> Parted {
    control.crashes += 1;
    let worker = control.worker.as_deref().unwrap_or("unknown");
    let why = format!("worker {worker} was lost: no heartbeat within its lease");
    if control.cancel {
        return Parted::End(ended_by_store(task, Reason::Cancelled));
    }
    if control.crashes < MAX_CRASHES {
        return Parted::Requeue(EventBody::requeued(why));
    }
    let mut lines: Vec<&str> = newest_first
        .take(LAST_WORDS_WITHIN)
        .filter_map(|body| match body {
            EventBody::Log { message, .. } => Some(message.as_str()),
            _ => None,
        })
        .take(LAST_WORDS)
        .collect();
    lines.reverse();
    let message = match lines.is_empty() {
        true => format!("{why}; it logged nothing"),
        false => format!("{why}; its last log lines:\n{}", lines.join("\n")),
    };
    Parted::End(ended_by_store(task, Reason::Crashed { message }))
}

/// An outcome that no worker has given: the best tree so far, with its report.
pub(super) fn ended_by_store(task: &Task, reason: Reason) -> Outcome {
    let report = task.best.and_then(|index| task.rounds.get(index)?.report.clone());
    Outcome { reason, tree: task.best_tree().clone(), report }
}

/// Of a task that has waited beyond its deadline.
pub(super) fn expired(task: &Task) -> Outcome {
    ended_by_store(task, Reason::Budget { limit: Limit::Deadline })
}

/// Of what a commit would write, so that its repetition is known as one.
pub(super) fn fingerprint(task: &Task, events: &[EventBody]) -> Result<String, StoreError> {
    let bytes = serde_json::to_vec(&(ProgressRef { outcome: None, ..ProgressRef::of(task) }, events))
        .map_err(|error| StoreError::Corrupt(format!("task {} can't be written: {error}", task.id)))?;
    Ok(Digest::of(&bytes).to_string())
}

/// For how long a task is postponed that shall wait for so long. Rounded up: it does not begin too early.
pub(super) fn millis(wait: Duration) -> Millis {
    wait.min(LONGEST_WISH).as_nanos().div_ceil(1_000_000) as u64
}

pub(super) fn postponed(why: &str, wait: Duration) -> EventBody {
    EventBody::Requeued { why: why.to_owned(), wait_ms: Some(millis(wait)) }
}

pub(super) fn same_task(lease: &Lease, task: &Task) -> Result<(), StoreError> {
    if task.id == lease.task {
        return Ok(());
    }
    Err(StoreError::Corrupt(format!("the record of task {} came with the lease on {}", task.id, lease.task)))
}

pub(super) fn outcome_of(task: &Task) -> Result<&Outcome, StoreError> {
    let missing = || StoreError::Corrupt(format!("task {} can't finish without an outcome", task.id));
    task.outcome.as_ref().ok_or_else(missing)
}

pub(super) fn key_lives(stored_at: Millis, now: Now) -> bool {
    now.millis() < stored_at + KEY_MILLIS
}

pub(super) fn is_fresh(stored_at: Millis, now: Now) -> bool {
    now.millis() < stored_at + BLOB_FRESH_MILLIS
}

pub(super) fn page_size(limit: usize) -> usize {
    if limit == 0 { MAX_PAGE } else { limit.min(MAX_PAGE) }
}

/// How texts are compared without regard to case.
pub(super) fn folded(text: &str) -> String {
    text.to_lowercase()
}

pub(super) fn stale(lease: &Lease) -> StoreError {
    StoreError::StaleFence { task: lease.task.clone(), fence: lease.fence }
}

pub(super) fn id_taken(id: &TaskId) -> StoreError {
    StoreError::Corrupt(format!("task id {id} is taken by another task"))
}

pub(super) fn journal_gap(id: &TaskId, step: u32, index: u32, have: u32) -> StoreError {
    StoreError::Corrupt(format!(
        "task {id}, step {step}: the journal has {have} entries, so {index} can't be the next one"
    ))
}

pub(super) fn journal_differs(id: &TaskId, step: u32, index: u32) -> StoreError {
    StoreError::Corrupt(format!("task {id}, step {step}: journal entry {index} is there with other content"))
}
