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

pub(super) async fn many_are_queued_in_their_order(on: &Subject) {
    assert_eq!(on.store.submit_many(Vec::new()).await.len(), 0);
    let replies = on.store.submit_many([3, 1, 2].map(new_task).into()).await;
    let ids: Vec<_> = replies.into_iter().map(|reply| reply.expect("submits")).collect();
    assert_eq!(ids, [3, 1, 2].map(|number| Submitted { id: id(number), created: true }));
    for (nonce, number) in [(1, 3), (2, 1), (3, 2)] {
        assert_eq!(on.claim("w", nonce).await.expect("a task waits").task.id, id(number));
    }
}

pub(super) async fn each_of_many_is_taken_or_refused_on_its_own(on: &Subject) {
    on.store.submit(keyed(1, "used", b"body")).await.expect("submits");
    let limited = |number| NewTask { max_waiting: Some(3), ..new_task(number) };
    let other = NewTask { spec: spec("another goal"), ..new_task(1) };
    let all = vec![
        keyed(2, "used", b"body"),
        keyed(3, "used", b"another body"),
        other,
        limited(4),
        keyed(5, "new", b"body"),
        limited(6),
        keyed(7, "new", b"body"),
    ];
    let replies = on.store.submit_many(all).await;
    let same = |reply: &Result<Submitted, StoreError>, number, created| matches!(reply, Ok(submitted) if *submitted == Submitted { id: id(number), created });
    assert_eq!(replies.len(), 7);
    assert!(same(&replies[0], 1, false), "{replies:?}");
    assert!(matches!(&replies[1], Err(StoreError::KeyReused { first }) if *first == id(1)), "{replies:?}");
    assert!(matches!(&replies[2], Err(StoreError::Corrupt(_))), "{replies:?}");
    assert!(same(&replies[3], 4, true) && same(&replies[4], 5, true), "{replies:?}");
    assert!(matches!(&replies[5], Err(StoreError::Full { limit: 3, .. })), "{replies:?}");
    assert!(same(&replies[6], 5, false), "{replies:?}");
    assert_eq!(on.store.stats().await.expect("counts").queued, 3);
}

pub(super) async fn many_again_are_repetitions(on: &Subject) {
    for created in [true, false] {
        let replies = on.store.submit_many([1, 2].map(new_task).into()).await;
        let replies: Vec<_> = replies.into_iter().map(|reply| reply.expect("submits")).collect();
        assert_eq!(replies, [1, 2].map(|number| Submitted { id: id(number), created }));
    }
    assert_eq!(on.events(&id(1)).await.len(), 1);
}

pub(super) async fn more_than_one_go_takes(on: &Subject) {
    let all = (1..=600).map(new_task).collect();
    let replies = on.store.submit_many(all).await;
    assert_eq!(replies.len(), 600);
    for (number, reply) in (1..).zip(replies) {
        assert_eq!(reply.expect("submits"), Submitted { id: id(number), created: true });
    }
    assert_eq!(on.store.stats().await.expect("counts").queued, 600);
}
