//! Deadlines of tasks that wait.

use super::sample::{ended, id, new_task};
use super::{START, Subject};
use crate::store::{EXPIRED_TOGETHER, LEASE, NewTask};
use crate::task::{EventBody, Limit, Reason, State, TaskId};

/// To have ended so many seconds after the start.
async fn submit(on: &Subject, number: u64, seconds: u64) -> TaskId {
    submit_with(on, number, seconds, |_| {}).await
}

async fn submit_with(on: &Subject, number: u64, seconds: u64, change: impl FnOnce(&mut NewTask)) -> TaskId {
    let mut new = new_task(number);
    new.spec.budget.deadline = Some(START + seconds * 1000);
    change(&mut new);
    on.store.submit(new).await.expect("submits").id
}

async fn expired(on: &Subject) -> Vec<TaskId> {
    on.store.expire().await.expect("looks")
}

async fn ended_late(on: &Subject, id: &TaskId) -> bool {
    let task = on.get(id).await;
    let late =
        task.outcome.is_some_and(|outcome| outcome.reason == Reason::Budget { limit: Limit::Deadline });
    late && task.state == State::Ended
}

pub(super) async fn what_waits_ends_at_its_deadline(on: &Subject) {
    let late = submit(on, 1, 10).await;
    on.submit(2).await;
    let never = submit_with(on, 3, 0, |new| new.spec.budget.deadline = Some(u64::MAX)).await;
    on.clock.advance(std::time::Duration::from_millis(9_999));
    assert_eq!(expired(on).await, []);
    on.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(expired(on).await, [id(1)]);
    assert_eq!(expired(on).await, []);
    assert!(ended_late(on, &late).await);
    assert!(matches!(on.bodies(&late).await[..], [EventBody::Submitted, EventBody::Ended { .. }]));
    assert_eq!(on.get(&late).await.ended_at, Some(START + 10_000));
    assert_eq!(on.claim("w", 1).await.expect("another waits").task.id, id(2));
    assert_eq!(on.claim("w", 2).await.expect("another waits").task.id, never);
    assert!(on.claim("w", 3).await.is_none());
    let stats = on.store.stats().await.expect("counts");
    assert_eq!((stats.queued, stats.running, stats.ended), (0, 2, 1));
}

pub(super) async fn what_runs_is_left_to_its_worker(on: &Subject) {
    let late = submit(on, 1, 10).await;
    let claim = on.claim("w", 1).await.expect("a task waits");
    on.wait(20);
    assert_eq!(expired(on).await, []);
    on.store.heartbeat(&claim.lease).await.expect("it is still held");
    // Given back, it waits.
    on.clock.advance(LEASE);
    assert_eq!(on.store.reap().await.expect("reaps"), [id(1)]);
    assert_eq!(expired(on).await, [id(1)]);
    assert!(ended_late(on, &late).await);
    assert!(on.claim("w", 2).await.is_none());
}

pub(super) async fn the_earliest_deadlines_go_first_and_many_in_slices(on: &Subject) {
    let most = EXPIRED_TOGETHER as u64;
    for number in 1..=most + 2 {
        submit(on, number, 200 - number).await;
    }
    on.wait(300);
    let first: Vec<TaskId> = (3..=most + 2).rev().map(id).collect();
    assert_eq!(expired(on).await, first);
    assert_eq!(expired(on).await, [id(2), id(1)]);
    assert_eq!(expired(on).await, []);
}

pub(super) async fn paused_and_delayed_tasks_end_too(on: &Subject) {
    on.store.pause("default", true).await.expect("pauses");
    let paused = submit(on, 1, 10).await;
    let delayed = submit_with(on, 2, 10, |new| new.place.not_before = Some(START + 60_000)).await;
    on.wait(10);
    assert_eq!(expired(on).await, [paused, delayed]);
    on.store.pause("default", false).await.expect("resumes");
    on.wait(60);
    assert!(on.claim("w", 1).await.is_none());
    assert_eq!(on.store.queues().await.expect("counts"), []);
}

pub(super) async fn a_requeued_task_ends_again(on: &Subject) {
    let late = submit(on, 1, 10).await;
    on.wait(10);
    for _ in 0..2 {
        assert_eq!(expired(on).await, [id(1)]);
        on.store.requeue(&late, "asked").await.expect("requeues");
    }
    assert_eq!(expired(on).await, [id(1)]);
    assert!(ended_late(on, &late).await);
}

pub(super) async fn what_has_ended_is_left_alone(on: &Subject) {
    submit(on, 1, 10).await;
    let claim = on.claim("w", 1).await.expect("a task waits");
    on.store.finish(&claim.lease, &ended(&claim.task), Vec::new()).await.expect("finishes");
    let cancelled = submit(on, 2, 10).await;
    on.store.cancel(&cancelled).await.expect("cancels");
    let deleted = submit(on, 3, 10).await;
    on.store.cancel(&deleted).await.expect("cancels");
    on.store.delete(&deleted).await.expect("deletes");
    on.wait(20);
    assert_eq!(expired(on).await, []);
    assert!(!ended_late(on, &cancelled).await);
}
