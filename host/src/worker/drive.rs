//! One claimed task, step after step, to its end or until it is handed on.

use std::sync::Arc;

use super::Shared;
use super::feed::Feed;
use super::halt::{Halt, Stop};
use super::step::{self, Break};
use crate::coordinator;
use crate::store::{Claim, StoreError};
use crate::task::{EventBody, Reason, Task};

/// What one claim of a task works with.
pub(super) struct Desk {
    pub shared: Arc<Shared>,
    pub claim: Claim,
    pub feed: Arc<Feed>,
    pub halt: Arc<Halt>,
}

pub(super) async fn drive(shared: Arc<Shared>, claim: Claim) {
    let id = claim.lease.task.clone();
    let halt = shared.halts.add(&id);
    if claim.task.cancel {
        halt.stop(Stop::Cancelled);
    }
    let held = shared.keeper.hold(claim.lease.clone(), Arc::clone(&halt));
    let feed = Feed::new(Arc::clone(&shared.equipment.store), claim.lease.clone());
    let pump = tokio::spawn(Arc::clone(&feed).pump(Arc::clone(&halt)));
    let task = claim.task.clone();
    let desk = Arc::new(Desk { shared: Arc::clone(&shared), claim, feed, halt });

    match to_its_end(&desk, task).await {
        Ok(reason) => tracing::info!(task = %id, %reason, "ended"),
        Err(Break::LeaseLost) => {
            tracing::warn!(task = %id, "the lease is lost: leaving it to its new worker")
        }
        Err(Break::Draining) => match desk.feed.release("the worker is shutting down").await {
            Ok(()) => tracing::info!(task = %id, "handed back"),
            Err(error) => tracing::warn!(task = %id, %error, "can't hand it back: its lease will run out"),
        },
        Err(Break::Store(error)) => {
            tracing::error!(task = %id, %error, "the store failed: handing the task back");
            if let Err(error) = desk.feed.release("the store failed in the middle of a step").await {
                tracing::warn!(task = %id, %error, "can't hand it back: its lease will run out");
            }
        }
    }
    pump.abort();
    drop(held);
    shared.halts.remove(&id);
}

async fn to_its_end(desk: &Arc<Desk>, mut task: Task) -> Result<Reason, Break> {
    loop {
        let next = match stopped(desk, &task)? {
            Some(ended) => ended,
            None => match step::run(desk, &task).await? {
                step::Done::Step(done) => {
                    let next = coordinator::advance(&task, *done);
                    announce(desk, &next);
                    next
                }
                step::Done::Again(again) => *again,
            },
        };
        if let Some(outcome) = &next.outcome {
            desk.feed.finish(&next).await.map_err(Break::from)?;
            return Ok(outcome.reason.clone());
        }
        desk.feed.commit(&next).await.map_err(Break::from)?;
        task = next;
    }
}

/// The ended task, if it must not go on with its next step.
fn stopped(desk: &Desk, task: &Task) -> Result<Option<Task>, Break> {
    match desk.halt.why() {
        None => Ok(coordinator::gate(task)),
        Some(Stop::Cancelled) => Ok(Some(coordinator::abandon(task, Reason::Cancelled))),
        Some(Stop::LeaseLost) => Err(Break::LeaseLost),
        Some(Stop::Draining) => Err(Break::Draining),
    }
}

/// The events that follow from what the step added to the record.
fn announce(desk: &Desk, next: &Task) {
    let Some(round) = next.rounds.last() else { return };
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

impl From<StoreError> for Break {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::StaleFence { .. } => Self::LeaseLost,
            other => Self::Store(other),
        }
    }
}
