//! Commit, finish and release.

use super::sample::{advanced, ended, green, id, is_stale, log};
use super::{START, Subject};
use crate::store::StoreError;
use crate::task::{Digest, EventBody, Reason, State, Task};

pub(super) async fn a_commit_replaces_the_workers_part_only(on: &Subject) {
    let claim = on.running(1).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    let committed = advanced(&claim.task, &Digest::of(b"tree"));
    // What is the store's, a worker may get wrong.
    let mut sent = committed.clone();
    sent.spec.goal = "another goal".to_owned();
    (sent.state, sent.cancel, sent.crashes) = (State::Ended, false, 9);
    (sent.worker, sent.submitted_at, sent.started_at, sent.ended_at) = (None, 1, None, Some(2));
    on.store.commit(&claim.lease, &sent, vec![log("done")]).await.expect("commits");
    assert_eq!(on.get(&id(1)).await, Task { cancel: true, ..committed });
    assert_eq!(on.bodies(&id(1)).await.last(), Some(&log("done")));
}

pub(super) async fn a_repeated_commit_is_harmless(on: &Subject) {
    let claim = on.running(1).await;
    let task = advanced(&claim.task, &Digest::of(b"tree"));
    on.store.commit(&claim.lease, &task, vec![log("once")]).await.expect("commits");
    on.store.emit(&claim.lease, vec![log("between")]).await.expect("emits");
    on.store.commit(&claim.lease, &task, vec![log("once")]).await.expect("commits again");
    assert_eq!(on.bodies(&id(1)).await[2..], [log("once"), log("between")]);
    assert_eq!(on.get(&id(1)).await, task);
}

pub(super) async fn a_commit_after_another_is_not_a_repetition(on: &Subject) {
    let claim = on.running(1).await;
    let first = advanced(&claim.task, &Digest::of(b"tree"));
    let second = advanced(&first, &Digest::of(b"another"));
    for task in [&first, &second, &first] {
        on.store.commit(&claim.lease, task, vec![log("same words")]).await.expect("commits");
    }
    on.store.commit(&claim.lease, &first, vec![log("other words")]).await.expect("commits");
    let expected = [log("same words"), log("same words"), log("same words"), log("other words")];
    assert_eq!(on.bodies(&id(1)).await[2..], expected);
    assert_eq!(on.get(&id(1)).await, first);
}

pub(super) async fn a_commit_ignores_an_outcome(on: &Subject) {
    let claim = on.running(1).await;
    on.store.commit(&claim.lease, &ended(&claim.task), Vec::new()).await.expect("commits");
    assert_eq!(on.get(&id(1)).await, claim.task);
}

pub(super) async fn another_tasks_record_is_refused(on: &Subject) {
    let (first, second) = (on.running(1).await, on.running(2).await);
    let reply = on.store.commit(&first.lease, &second.task, Vec::new()).await;
    assert!(matches!(reply, Err(StoreError::Corrupt(_))));
    let reply = on.store.finish(&first.lease, &ended(&second.task), Vec::new()).await;
    assert!(matches!(reply, Err(StoreError::Corrupt(_))));
    assert_eq!(on.get(&id(1)).await, first.task);
}

pub(super) async fn finish_ends_the_task(on: &Subject) {
    let claim = on.running(1).await;
    on.wait(9);
    let task = advanced(&claim.task, &Digest::of(b"tree"));
    let outcome = green(&Digest::of(b"tree"));
    let sent = Task { outcome: Some(outcome.clone()), ..task.clone() };
    on.store.finish(&claim.lease, &sent, vec![log("last")]).await.expect("finishes");
    let (state, ended_at) = (State::Ended, Some(START + 9000));
    assert_eq!(on.get(&id(1)).await, Task { state, ended_at, worker: None, ..sent });
    let ended = EventBody::Ended { outcome, spend: task.spend };
    assert_eq!(on.bodies(&id(1)).await[2..], [log("last"), ended]);
    on.lose().await;
    assert!(on.claim("w", 2).await.is_none());
}

pub(super) async fn finish_needs_an_outcome(on: &Subject) {
    let claim = on.running(1).await;
    let reply = on.store.finish(&claim.lease, &claim.task, vec![log("last")]).await;
    assert!(matches!(reply, Err(StoreError::Corrupt(_))));
    assert_eq!(on.get(&id(1)).await, claim.task);
    assert_eq!(on.events(&id(1)).await.len(), 2);
}

pub(super) async fn a_repeated_finish_is_harmless(on: &Subject) {
    let claim = on.finished(1).await;
    let before = (on.get(&id(1)).await, on.events(&id(1)).await);
    on.wait(100);
    on.store.finish(&claim.lease, &ended(&claim.task), vec![log("again")]).await.expect("finishes again");
    assert_eq!((on.get(&id(1)).await, on.events(&id(1)).await), before);
}

pub(super) async fn a_finish_is_not_repeated_by_another_fence(on: &Subject) {
    let old = on.running(1).await;
    on.lose().await;
    let new = on.claim("v", 2).await.expect("it waits again");
    on.store.finish(&new.lease, &ended(&new.task), Vec::new()).await.expect("finishes");
    let late = on.store.finish(&old.lease, &ended(&old.task), Vec::new()).await;
    assert!(is_stale(&late, &old.lease));
}

pub(super) async fn a_release_goes_to_the_front(on: &Subject) {
    for number in 1..=3 {
        on.submit(number).await;
    }
    let first = on.claim("w", 1).await.expect("a task waits");
    let second = on.claim("w", 2).await.expect("a task waits");
    on.store.release(&first.lease, "drain").await.expect("releases");
    on.store.release(&second.lease, "drain").await.expect("releases");
    let task = on.get(&id(2)).await;
    assert_eq!((task.state, task.worker, task.crashes), (State::Queued, None, 0));
    assert_eq!(on.bodies(&id(2)).await.last(), Some(&EventBody::requeued("drain".to_owned())));
    for (nonce, number) in [(3, 2), (4, 1), (5, 3)] {
        assert_eq!(on.claim("w", nonce).await.expect("a task waits").task.id, id(number));
    }
}

pub(super) async fn a_repeated_release_is_harmless(on: &Subject) {
    let claim = on.running(1).await;
    for _ in 0..2 {
        on.store.release(&claim.lease, "drain").await.expect("releases");
    }
    assert_eq!(on.events(&id(1)).await.len(), 3);
    assert!(on.claim("w", 2).await.is_some());
    assert!(on.claim("w", 3).await.is_none());
    assert!(is_stale(&on.store.release(&claim.lease, "drain").await, &claim.lease));
}

pub(super) async fn a_release_after_a_cancel_ends_the_task(on: &Subject) {
    let claim = on.running(1).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    for _ in 0..2 {
        on.store.release(&claim.lease, "drain").await.expect("releases");
    }
    let task = on.get(&id(1)).await;
    assert_eq!(task.state, State::Ended);
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Cancelled));
    assert!(on.claim("w", 2).await.is_none());
    assert_eq!(on.events(&id(1)).await.len(), 4);
}
