//! Submission and idempotency keys.

use super::sample::{id, keyed, new_task, spec};
use super::{START, Subject};
use crate::store::{NewTask, StoreError, Submitted};
use crate::task::{EventBody, Task};

pub(super) async fn a_new_task_is_queued(on: &Subject) {
    let reply = on.store.submit(new_task(1)).await.expect("submits");
    assert_eq!(reply, Submitted { id: id(1), created: true });
    assert_eq!(on.get(&id(1)).await, Task::new(id(1), spec("goal 1"), START));
    assert_eq!(on.bodies(&id(1)).await, [EventBody::Submitted]);
    assert_eq!(on.store.get(&id(2)).await.expect("reads"), None);
}

pub(super) async fn a_key_makes_one_task(on: &Subject) {
    on.store.submit(keyed(1, "k", b"body")).await.expect("submits");
    let again = on.store.submit(keyed(2, "k", b"body")).await.expect("submits");
    assert_eq!(again, Submitted { id: id(1), created: false });
    assert_eq!(on.store.get(&id(2)).await.expect("reads"), None);
    let other = on.store.submit(keyed(3, "another", b"body")).await.expect("submits");
    assert!(other.created);
}

pub(super) async fn a_key_with_another_body_is_refused(on: &Subject) {
    on.store.submit(keyed(1, "k", b"body")).await.expect("submits");
    let reply = on.store.submit(keyed(2, "k", b"changed")).await;
    assert!(matches!(reply, Err(StoreError::KeyReused { first }) if first == id(1)));
    assert_eq!(on.store.get(&id(2)).await.expect("reads"), None);
}

pub(super) async fn a_key_is_forgotten_after_a_day(on: &Subject) {
    on.store.submit(keyed(1, "k", b"body")).await.expect("submits");
    on.wait(24 * 3600 - 1);
    assert!(!on.store.submit(keyed(2, "k", b"body")).await.expect("submits").created);
    on.wait(1);
    let reply = on.store.submit(keyed(3, "k", b"changed")).await.expect("submits");
    assert_eq!(reply, Submitted { id: id(3), created: true });
    assert!(!on.store.submit(keyed(4, "k", b"changed")).await.expect("submits").created);
}

pub(super) async fn the_same_id_again_is_a_repetition(on: &Subject) {
    on.submit(1).await;
    let again = on.store.submit(new_task(1)).await.expect("submits");
    assert_eq!(again, Submitted { id: id(1), created: false });
    assert_eq!(on.bodies(&id(1)).await, [EventBody::Submitted]);
    assert!(on.claim("w", 1).await.is_some());
    assert!(on.claim("w", 2).await.is_none());
}

pub(super) async fn another_task_under_the_same_id_is_refused(on: &Subject) {
    on.submit(1).await;
    let reply = on.store.submit(NewTask { spec: spec("something else"), ..new_task(1) }).await;
    assert!(matches!(reply, Err(StoreError::Corrupt(_))));
    assert_eq!(on.get(&id(1)).await.spec.goal, "goal 1");
}
