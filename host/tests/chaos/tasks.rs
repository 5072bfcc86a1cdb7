//! The tasks, and what must be true of each of them afterwards.

use aiagent_host::store::Store;
use aiagent_host::task::{Event, EventBody, Limit, Reason, State, Task, TaskId};

use crate::{CALLS, Oracle, STEPS};

pub(crate) async fn check(store: &dyn Store, oracle: &Oracle) {
    for finding in store.fsck().await.expect("checks") {
        oracle.violated(format!("fsck: {finding}"));
    }
    let submitted = oracle.submitted.lock().expect("no panic holds it").clone();
    for id in &submitted {
        match store.get(id).await.expect("reads") {
            Some(task) => check_task(store, oracle, id, &task).await,
            None => oracle.violated(format!("task {id} was acknowledged and is gone")),
        }
    }
    let stats = store.stats().await.expect("counts");
    if stats.ended != submitted.len() as u64 {
        oracle.violated(format!("{} tasks were acknowledged, {stats:?}", submitted.len()));
    }
}

async fn check_task(store: &dyn Store, oracle: &Oracle, id: &TaskId, task: &Task) {
    let events = store.events(id, 0, usize::MAX).await.expect("reads");
    let is_end = |event: &&Event| matches!(event.body, EventBody::Ended { .. });
    let ends = events.iter().filter(is_end).count();
    let last_is_end = events.last().as_ref().is_some_and(is_end);
    if task.state != State::Ended || ends != 1 || !last_is_end {
        oracle.violated(format!("task {id} is {:?} with {ends} ends", task.state));
    }
    let finished = oracle.finished.lock().expect("no panic holds it").contains(id);
    let green = task.outcome.as_ref().is_some_and(|outcome| outcome.is_green());
    if finished && !green {
        oracle.violated(format!("task {id} was finished and is not green"));
    }
    check_reason(oracle, id, task);
    // Once another claim holds the task, nothing that was written under an earlier one may follow.
    let mut newest = 0;
    for event in &events {
        if let EventBody::Log { message, .. } = &event.body
            && let Some(fence) = message.strip_prefix("written under ")
        {
            let fence: u64 = fence.parse().expect("a fence");
            if fence < newest {
                oracle
                    .violated(format!("task {id}: a line under fence {fence} came after one under {newest}"));
            }
            newest = fence;
        }
    }
    if green && task.spend.model_calls != CALLS * STEPS {
        oracle.violated(format!(
            "task {id} has {} answers and has paid for {}",
            CALLS * STEPS,
            task.spend.model_calls
        ));
    }
    for step in 0..STEPS {
        let journal = store.journal(id, step).await.expect("reads");
        if (0..).zip(&journal).any(|(index, entry): (u32, _)| entry.index != index) {
            oracle.violated(format!("task {id}, step {step}: the journal has a gap"));
        }
        let answered = (0..CALLS).filter(|index| oracle.is_answered(&(id.clone(), step, *index))).count();
        if journal.len() < answered {
            oracle.violated(format!(
                "task {id}, step {step}: {answered} answers were kept, the journal has {}",
                journal.len()
            ));
        }
        if green && journal.len() != CALLS as usize {
            oracle.violated(format!("task {id}, step {step}: green with {} answers", journal.len()));
        }
    }
}

/// A task is finished, has lost three workers, or its deadline has passed while it waited.
fn check_reason(oracle: &Oracle, id: &TaskId, task: &Task) {
    let reason = task.outcome.as_ref().map(|outcome| &outcome.reason);
    let is_late = matches!(reason, Some(Reason::Budget { limit: Limit::Deadline }));
    let deadline = task.spec.budget.deadline.unwrap_or(u64::MAX);
    if is_late {
        *oracle.late.lock().expect("no panic holds it") += 1;
        if task.ended_at < Some(deadline) {
            oracle.violated(format!("task {id} ended at {:?}, its deadline is {deadline}", task.ended_at));
        }
    } else if !matches!(reason, Some(Reason::Green | Reason::Crashed { .. })) {
        oracle.violated(format!("task {id} ended as {reason:?}"));
    } else if task.place.not_before > Some(deadline) {
        oracle.violated(format!("task {id} could not begin by its deadline and ended as {reason:?}"));
    }
}
