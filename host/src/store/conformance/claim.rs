//! The queue, claims and their fences.

use super::sample::{ended, id, request};
use super::{START, Subject};
use crate::store::LEASE;
use crate::task::{EventBody, State};

pub(super) async fn an_empty_queue_gives_nothing(on: &Subject) {
    assert!(on.claim("w", 1).await.is_none());
}

pub(super) async fn the_longest_waiting_comes_first(on: &Subject) {
    // Not the order of their ids.
    for number in [2, 3, 1] {
        on.submit(number).await;
    }
    for (nonce, number) in [(1, 2), (2, 3), (3, 1)] {
        assert_eq!(on.claim("w", nonce).await.expect("a task waits").task.id, id(number));
    }
}

pub(super) async fn a_claim_fills_the_record(on: &Subject) {
    on.submit(1).await;
    on.wait(5);
    let claim = on.claim("w", 1).await.expect("a task waits");
    let expected = [State::Running];
    assert_eq!([claim.task.state], expected);
    assert_eq!(claim.task.worker.as_deref(), Some("w"));
    assert_eq!(claim.task.started_at, Some(START + 5000));
    assert_eq!(claim.lease.task, id(1));
    assert_eq!(on.get(&id(1)).await, claim.task);
    let claimed = EventBody::Claimed { worker: "w".to_owned(), again: false };
    assert_eq!(on.bodies(&id(1)).await, [EventBody::Submitted, claimed]);
}

pub(super) async fn a_repeated_claim_gives_the_same_lease(on: &Subject) {
    let first = on.running(1).await;
    on.submit(2).await;
    let again = on.claim("w", 1).await.expect("the same again");
    assert_eq!((again.lease, again.task), (first.lease, first.task));
    assert_eq!(on.events(&id(1)).await.len(), 2);
}

pub(super) async fn a_repeated_claim_extends_the_lease(on: &Subject) {
    on.running(1).await;
    on.wait(LEASE.as_secs() - 1);
    on.claim("w", 1).await.expect("the same again");
    on.wait(LEASE.as_secs() - 1);
    assert_eq!(on.store.reap().await.expect("reaps"), []);
    on.wait(1);
    assert_eq!(on.store.reap().await.expect("reaps"), [id(1)]);
}

pub(super) async fn a_claim_repeated_after_its_lease_is_a_new_one(on: &Subject) {
    on.running(1).await;
    on.clock.advance(LEASE);
    assert!(on.claim("w", 1).await.is_none());
    on.submit(2).await;
    assert_eq!(on.claim("w", 1).await.expect("a task waits").task.id, id(2));
}

pub(super) async fn a_claim_that_lost_its_lease_has_no_right_to_the_next(on: &Subject) {
    on.running(1).await;
    on.clock.advance(LEASE);
    assert!(on.claim("w", 1).await.is_none());
    on.store.reap().await.expect("reaps");
    assert_eq!(on.claim("w", 2).await.expect("it waits again").task.id, id(1));
    assert!(on.claim("w", 1).await.is_none());
}

pub(super) async fn another_nonce_gets_another_task(on: &Subject) {
    on.running(1).await;
    assert!(on.claim("w", 2).await.is_none());
    on.submit(2).await;
    assert_eq!(on.claim("w", 2).await.expect("a task waits").task.id, id(2));
}

pub(super) async fn a_nonce_is_its_workers_own(on: &Subject) {
    on.running(1).await;
    assert!(on.claim("another", 1).await.is_none());
    // The whole range of nonces.
    on.submit(2).await;
    let first = on.claim("w", u64::MAX).await.expect("a task waits");
    assert_eq!(on.claim("w", u64::MAX).await.expect("the same again").lease, first.lease);
}

pub(super) async fn a_finished_claim_is_not_given_again(on: &Subject) {
    let claim = on.running(1).await;
    on.store.finish(&claim.lease, &ended(&claim.task), Vec::new()).await.expect("finishes");
    assert!(on.claim("w", 1).await.is_none());
}

pub(super) async fn fences_follow_the_clock_and_always_grow(on: &Subject) {
    let first = on.running(1).await;
    assert_eq!(first.lease.fence, START * 1000);
    on.store.release(&first.lease, "drain").await.expect("releases");
    // No time has gone by.
    let second = on.claim("w", 2).await.expect("a task waits");
    assert_eq!(second.lease.fence, START * 1000 + 1);
    on.store.release(&second.lease, "drain").await.expect("releases");
    on.wait(1);
    let third = on.store.claim(&request("w", 3)).await.expect("claims").expect("a task waits");
    assert_eq!(third.lease.fence, (START + 1000) * 1000);
}

pub(super) async fn a_second_claim_says_so(on: &Subject) {
    let first = on.running(1).await;
    on.store.release(&first.lease, "drain").await.expect("releases");
    on.wait(7);
    let second = on.claim("v", 2).await.expect("a task waits");
    assert_eq!(second.task.started_at, Some(START));
    assert_eq!(second.task.worker.as_deref(), Some("v"));
    let claimed = EventBody::Claimed { worker: "v".to_owned(), again: true };
    assert_eq!(on.bodies(&id(1)).await.last(), Some(&claimed));
}
