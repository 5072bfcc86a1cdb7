//! One claimed task, step after step, to its end or until it is handed on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::task::AbortOnDropHandle;

use super::Shared;
use super::broken::Break;
use super::feed::Feed;
use super::halt::{Halt, Stop};
use super::step;
use crate::coordinator;
use crate::store::{Claim, Lease, StoreError};
use crate::task::{EventBody, Limit, Reason, Task, Trace};
use crate::telemetry::spans::{self, Noted as _};

/// How long a task is kept from the queue after its store failed.
const AFTER_AN_OUTAGE: Duration = Duration::from_secs(5);

/// What one claim of a task works with.
pub(super) struct Desk {
    pub shared: Arc<Shared>,
    pub lease: Lease,
    pub feed: Arc<Feed>,
    pub halt: Arc<Halt>,
    /// The span of this claim, or else of whoever submitted the task.
    pub trace: Option<Trace>,
    /// The task's deadline by this machine's clock, whatever the task has spent.
    until: Option<Instant>,
}

impl Desk {
    pub(super) fn time_left(&self) -> Duration {
        self.until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()))
    }

    pub(super) fn is_late(&self) -> bool {
        self.time_left().is_zero()
    }
}

/// Returns the task that this place goes on with.
pub(super) async fn drive(shared: Arc<Shared>, claim: Box<Claim>) -> Option<Box<Claim>> {
    let Claim { lease, task } = *claim;
    let task = Arc::new(task);
    let id = lease.task.clone();
    let halt = shared.halts.add(&lease);
    if task.cancel {
        halt.stop(Stop::Cancelled);
    }
    let held = shared.keeper.hold(lease.clone(), Arc::clone(&halt));
    let caller = task.spec.trace.clone();
    let mut span = spans::begin_trace("task", spans::Kind::Consumer, caller.as_ref());
    span.note("task.id", id.as_str());
    span.note("worker", shared.settings.name.as_str());
    span.note("queue", task.place.queue.as_str());
    let trace = span.as_ref().map(|span| span.context.clone()).or(caller);
    let store = Arc::clone(&shared.equipment.store);
    let feed = Feed::new(store, lease.clone(), Arc::clone(&halt), trace.clone());
    // Ended by its drop, also when this function panics.
    let _pump = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&feed).pump()));
    let until = until(&lease, &task);
    let desk = Arc::new(Desk { shared: Arc::clone(&shared), lease, feed, halt, trace, until });

    let mut next = None;
    let ended = to_its_end(&desk, task, &mut next).await;
    match &ended {
        Ok(reason) => span.note("task.outcome", reason.kind()),
        Err(broken) => span.failed(broken.to_string()),
    }
    match ended {
        Ok(reason) => tracing::info!(task = %id, %reason, "ended"),
        Err(Break::LeaseLost) => {
            tracing::warn!(task = %id, "the lease is lost: leaving it to its new worker")
        }
        Err(Break::Draining) => match desk.feed.release("the worker is shutting down").await {
            Ok(()) => tracing::info!(task = %id, "handed back"),
            Err(error) => tracing::warn!(task = %id, %error, "can't hand it back: its lease will run out"),
        },
        Err(Break::Postponed { why, wait, .. }) => {
            tracing::warn!(task = %id, wait_ms = wait.as_millis() as u64, why, "waits for its model");
        }
        Err(Break::Store(error @ StoreError::Corrupt(_))) => {
            // Handed back, it would be here again in no time. Lost, it is counted, and ends in the end.
            tracing::error!(task = %id, %error, "the store can't hold this task: leaving it to its lease");
        }
        Err(Break::Store(error)) => {
            tracing::error!(task = %id, %error, "the store failed: handing the task back");
            // Not at once: it goes to the front of the queue, and would be back here in no time.
            tokio::select! {
                () = desk.halt.token.cancelled() => {}
                () = tokio::time::sleep(AFTER_AN_OUTAGE) => {}
            }
            if let Err(error) = desk.feed.release("the store failed in the middle of a step").await {
                tracing::warn!(task = %id, %error, "can't hand it back: its lease will run out");
            }
        }
    }
    drop(held);
    shared.halts.remove(&desk.lease);
    next
}

/// The deadline is by the store's clock: a fence is the time of its claim, in µs.
fn until(lease: &Lease, task: &Task) -> Option<Instant> {
    let deadline = task.spec.budget.deadline?;
    let left = deadline.saturating_sub(lease.fence / 1000);
    // One beyond all clocks is none.
    Instant::now().checked_add(Duration::from_millis(left))
}

async fn to_its_end(
    desk: &Arc<Desk>,
    mut task: Arc<Task>,
    after: &mut Option<Box<Claim>>,
) -> Result<Reason, Break> {
    // Set for the step that is done again on what served before.
    let mut on = None;
    loop {
        let next = Arc::new(match stopped(desk, &task)? {
            Some(ended) => ended,
            None => match step::run(desk, &task, on.take()).await {
                Ok(step::Done::Step(done)) => {
                    let next = coordinator::advance(&task, *done);
                    announce(desk, &task, &next);
                    next
                }
                Ok(step::Done::Again(again, generation)) => {
                    on = generation;
                    *again
                }
                Ok(step::Done::Paused(paused)) => {
                    desk.feed.commit(&paused).await.map_err(Break::from)?;
                    return Err(Break::Draining);
                }
                // What can't be read now can't be read by the next worker either.
                Err(Break::Store(StoreError::Corrupt(message))) => {
                    tracing::error!(task = %task.id, %message, "the task can't go on");
                    let plugin = step::next_plugin(&task).0.name;
                    coordinator::abandon(&task, Reason::StepFailed { plugin, message })
                }
                Err(broken) => return Err(broken),
            },
        });
        if let Some(outcome) = &next.outcome {
            let finished;
            (finished, *after) = desk.feed.finish(&next, desk.shared.next_if_open()).await;
            finished.map_err(Break::from)?;
            return Ok(outcome.reason.clone());
        }
        desk.feed.commit(&next).await.map_err(Break::from)?;
        task = next;
    }
}

/// The ended task, if it must not go on with its next step. A worker that shuts down begins none.
fn stopped(desk: &Desk, task: &Task) -> Result<Option<Task>, Break> {
    match desk.halt.why() {
        None if desk.shared.closing.is_cancelled() => Err(Break::Draining),
        None if desk.is_late() => {
            Ok(Some(coordinator::abandon(task, Reason::Budget { limit: Limit::Deadline })))
        }
        None => Ok(coordinator::gate(task)),
        Some(Stop::Cancelled) => Ok(Some(coordinator::abandon(task, Reason::Cancelled))),
        Some(Stop::LeaseLost) => Err(Break::LeaseLost),
        Some(Stop::Draining) => Err(Break::Draining),
    }
}

/// The events that follow from what the step added to the record.
fn announce(desk: &Desk, before: &Task, next: &Task) {
    let Some(round) = next.rounds.last() else { return };
    // A step that only decided, or failed for good, added nothing.
    if before.rounds.last() == Some(round) {
        return;
    }
    match (&round.report, &round.tree) {
        (Some(report), _) => {
            desk.feed.push(EventBody::Checked { round: round.number, report: report.clone() })
        }
        (None, Some(tree)) => desk.feed.push(EventBody::Proposed {
            round: round.number,
            kind: round.kind,
            tree: tree.clone(),
            summary: round.summary.clone(),
        }),
        (None, None) => {}
    }
}
