//! Asking for the end of a task.

use super::sample::{advanced, ended, id, report};
use super::{START, Subject};
use crate::store::{Beat, Cancelled, StoreError};
use crate::task::{Digest, EventBody, Outcome, Reason, Spend, State};

pub(super) async fn a_queued_task_ends_here_and_now(on: &Subject) {
    on.submit(1).await;
    on.submit(2).await;
    on.wait(3);
    assert_eq!(on.store.cancel(&id(1)).await.expect("cancels"), Cancelled::Ended);
    let task = on.get(&id(1)).await;
    let outcome = Outcome { reason: Reason::Cancelled, tree: task.spec.tree.clone(), report: None };
    assert_eq!((task.state, task.cancel, task.ended_at), (State::Ended, true, Some(START + 3000)));
    assert_eq!(task.outcome.as_ref(), Some(&outcome));
    let ended = EventBody::Ended { outcome, spend: Spend::default() };
    assert_eq!(on.bodies(&id(1)).await, [EventBody::Submitted, EventBody::CancelRequested, ended]);
    assert_eq!(on.claim("w", 1).await.expect("the other waits").task.id, id(2));
}

pub(super) async fn a_running_task_is_told_by_its_heartbeat(on: &Subject) {
    let lease = on.running(1).await.lease;
    assert_eq!(on.store.heartbeat(&lease).await.expect("held"), Beat { cancel: false });
    assert_eq!(on.store.cancel(&id(1)).await.expect("cancels"), Cancelled::Requested);
    assert_eq!(on.store.heartbeat(&lease).await.expect("held"), Beat { cancel: true });
    let task = on.get(&id(1)).await;
    assert_eq!((task.state, task.cancel, task.worker.as_deref()), (State::Running, true, Some("w")));
    assert_eq!(on.bodies(&id(1)).await.last(), Some(&EventBody::CancelRequested));
    // A repeated claim tells of it as well.
    assert!(on.claim("w", 1).await.expect("the same again").task.cancel);
}

pub(super) async fn asking_twice_is_harmless(on: &Subject) {
    on.running(1).await;
    on.submit(2).await;
    for _ in 0..2 {
        assert_eq!(on.store.cancel(&id(1)).await.expect("cancels"), Cancelled::Requested);
    }
    assert_eq!(on.events(&id(1)).await.len(), 3);
    assert_eq!(on.store.cancel(&id(2)).await.expect("cancels"), Cancelled::Ended);
    assert_eq!(on.store.cancel(&id(2)).await.expect("cancels"), Cancelled::AlreadyEnded);
    assert_eq!(on.events(&id(2)).await.len(), 3);
}

pub(super) async fn an_ended_task_stays_as_it_is(on: &Subject) {
    on.finished(1).await;
    let before = (on.get(&id(1)).await, on.events(&id(1)).await);
    assert_eq!(on.store.cancel(&id(1)).await.expect("cancels"), Cancelled::AlreadyEnded);
    assert_eq!((on.get(&id(1)).await, on.events(&id(1)).await), before);
}

pub(super) async fn an_unknown_task_is_not_found(on: &Subject) {
    assert!(matches!(on.store.cancel(&id(9)).await, Err(StoreError::NotFound(task)) if task == id(9)));
}

pub(super) async fn a_green_end_outruns_a_cancel(on: &Subject) {
    let claim = on.running(1).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    on.store.finish(&claim.lease, &ended(&claim.task), Vec::new()).await.expect("finishes");
    let task = on.get(&id(1)).await;
    assert!(task.cancel);
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Green));
}

pub(super) async fn a_requeued_task_ends_with_its_best_tree(on: &Subject) {
    let claim = on.running(1).await;
    let task = advanced(&claim.task, &Digest::of(b"best"));
    on.store.commit(&claim.lease, &task, Vec::new()).await.expect("commits");
    on.store.release(&claim.lease, "drain").await.expect("releases");
    assert_eq!(on.store.cancel(&id(1)).await.expect("cancels"), Cancelled::Ended);
    let outcome = Outcome { reason: Reason::Cancelled, tree: Digest::of(b"best"), report: Some(report()) };
    let task = on.get(&id(1)).await;
    assert_eq!(task.outcome, Some(outcome));
    assert_eq!(task.rounds.len(), 1);
}
