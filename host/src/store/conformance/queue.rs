//! Whose turn it is, and who has to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::sample::{ended, id, new_task, request};
use super::{START, Subject};
use crate::store::{
    ClaimRequest, Filter, Limits, MAX_CRASHES, NewTask, QueueLimits, QueueStats, Requeued, StoreError,
    WorkerInfo,
};
use crate::task::{EventBody, Place, State, Task, TaskId};

fn at(number: u64, queue: &str, tenant: &str, priority: u8) -> NewTask {
    let (queue, tenant) = (queue.to_owned(), tenant.to_owned());
    NewTask { place: Place { queue, tenant, priority, not_before: None }, ..new_task(number) }
}

async fn submit(on: &Subject, all: impl IntoIterator<Item = NewTask>) {
    for new in all {
        on.store.submit(new).await.expect("submits");
    }
}

/// Claims until nothing is given.
async fn order(on: &Subject) -> Vec<TaskId> {
    static NONCES: AtomicU64 = AtomicU64::new(1000);
    let mut order = Vec::new();
    loop {
        let Some(claim) = on.claim("w", NONCES.fetch_add(1, Ordering::Relaxed)).await else { break };
        order.push(claim.lease.task);
    }
    order
}

fn ids<const N: usize>(numbers: [u64; N]) -> Vec<TaskId> {
    numbers.map(id).to_vec()
}

fn stats(name: &str, waiting: u64, delayed: u64, running: u64) -> QueueStats {
    QueueStats { name: name.to_owned(), paused: false, waiting, delayed, running }
}

pub(super) async fn a_higher_priority_comes_first(on: &Subject) {
    submit(on, [at(1, "q", "t", 5), at(2, "q", "t", 9), at(3, "q", "t", 0), at(4, "q", "t", 9)]).await;
    assert_eq!(on.get(&id(2)).await.place.priority, 9);
    assert_eq!(order(on).await, ids([2, 4, 1, 3]));
}

pub(super) async fn tenants_take_turns(on: &Subject) {
    // One has many tasks, and another comes late with a few.
    submit(on, (1..=20).map(|number| at(number, "q", "many", 5))).await;
    submit(on, [at(21, "q", "few", 5), at(22, "q", "few", 5), at(23, "other", "few", 5)]).await;
    let order = order(on).await;
    assert_eq!(order[..7], ids([1, 21, 23, 2, 22, 3, 4]));
    assert_eq!(order.len(), 23);
}

pub(super) async fn a_released_task_is_its_tenants_next(on: &Subject) {
    submit(on, [at(1, "q", "a", 5), at(2, "q", "a", 5), at(3, "q", "b", 5)]).await;
    let first = on.claim("w", 1).await.expect("a task waits");
    on.store.release(&first.lease, "drain").await.expect("releases");
    assert_eq!(order(on).await, ids([3, 1, 2]));
}

pub(super) async fn a_task_waits_for_its_time(on: &Subject) {
    let mut later = at(1, "q", "t", 9);
    later.place.not_before = Some(START + 10_000);
    submit(on, [later, at(2, "q", "t", 5)]).await;
    assert_eq!(on.store.queues().await.expect("counts"), [stats("q", 1, 1, 0)]);
    assert_eq!(order(on).await, ids([2]));
    on.clock.advance(std::time::Duration::from_millis(9_999));
    assert_eq!(order(on).await, ids([]));
    on.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(on.store.queues().await.expect("counts"), [stats("q", 1, 0, 1)]);
    assert_eq!(on.store.stats().await.expect("counts").oldest_queued_at, Some(START + 10_000));
    assert_eq!(order(on).await, ids([1]));
    assert_eq!(on.get(&id(1)).await.place.not_before, Some(START + 10_000));
}

pub(super) async fn a_delayed_task_can_be_cancelled(on: &Subject) {
    let mut later = at(1, "q", "t", 5);
    later.place.not_before = Some(START + 10_000);
    submit(on, [later]).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    on.wait(20);
    assert_eq!(order(on).await, ids([]));
    assert_eq!(on.store.queues().await.expect("counts"), []);
}

pub(super) async fn a_paused_queue_is_left_alone(on: &Subject) {
    submit(on, [at(1, "q", "t", 9), at(2, "other", "t", 5)]).await;
    for _ in 0..2 {
        on.store.pause("q", true).await.expect("pauses");
    }
    assert_eq!(order(on).await, ids([2]));
    let paused = QueueStats { paused: true, ..stats("q", 1, 0, 0) };
    assert_eq!(on.store.queues().await.expect("counts"), [stats("other", 0, 0, 1), paused]);
    // It takes new tasks meanwhile.
    submit(on, [at(3, "q", "t", 5)]).await;
    on.store.pause("q", false).await.expect("resumes");
    assert_eq!(order(on).await, ids([1, 3]));
}

pub(super) async fn limits_hold_tasks_back(on: &Subject) {
    submit(on, [at(1, "q", "a", 5), at(2, "q", "a", 5), at(3, "q", "b", 5), at(4, "q", "c", 5)]).await;
    submit(on, [at(5, "other", "a", 0), at(6, "other", "a", 0)]).await;
    let limits = QueueLimits { running: Some(2), running_per_tenant: Some(1) };
    let limits =
        Arc::new(Limits { default: QueueLimits::default(), queues: [("q".to_owned(), limits)].into() });
    let claim = async |nonce| {
        let request = ClaimRequest { limits: limits.clone(), ..request("w", nonce) };
        on.store.claim(&request).await.expect("claims")
    };
    let mut claimed = Vec::new();
    for nonce in 1..=4 {
        claimed.push(claim(nonce).await.expect("a task may run"));
    }
    let order: Vec<TaskId> = claimed.iter().map(|claim| claim.lease.task.clone()).collect();
    assert_eq!(order, ids([1, 3, 5, 6]));
    assert!(claim(5).await.is_none());
    // The end of a task makes room.
    on.store.finish(&claimed[1].lease, &ended(&claimed[1].task), Vec::new()).await.expect("finishes");
    assert_eq!(claim(6).await.expect("there is room").lease.task, id(4));
    on.store.release(&claimed[0].lease, "drain").await.expect("releases");
    assert_eq!(claim(7).await.expect("there is room").lease.task, id(1));
    assert!(claim(8).await.is_none());
}

pub(super) async fn a_full_queue_refuses(on: &Subject) {
    let limited = |number, queue: &str| NewTask { max_waiting: Some(2), ..at(number, queue, "t", 5) };
    submit(on, [limited(1, "q"), limited(2, "q"), limited(3, "other")]).await;
    let reply = on.store.submit(limited(4, "q")).await;
    assert!(matches!(reply, Err(StoreError::Full { queue, limit: 2 }) if queue == "q"));
    assert_eq!(on.store.get(&id(4)).await.expect("reads"), None);
    // A repetition is no further task.
    assert!(!on.store.submit(limited(2, "q")).await.expect("is known").created);
    on.claim("w", 1).await.expect("a task waits");
    assert!(on.store.submit(limited(4, "q")).await.expect("there is room").created);
}

pub(super) async fn a_dead_task_is_listed_and_requeued(on: &Subject) {
    on.finished(1).await;
    submit(on, [at(2, "q", "t", 7)]).await;
    for crash in 1..=MAX_CRASHES {
        on.claim("w", 100 + u64::from(crash)).await.expect("it waits again");
        on.lose().await;
    }
    let dead = Filter { dead: true, ..Filter::default() };
    let listed = on.store.list(&dead).await.expect("lists");
    assert_eq!(listed.tasks.iter().map(|task| task.id.clone()).collect::<Vec<_>>(), ids([2]));
    assert_eq!(on.store.requeue(&id(2), "asked").await.expect("requeues"), Requeued::Queued);
    assert_eq!(on.store.requeue(&id(2), "asked").await.expect("looks"), Requeued::NotEnded);
    assert_eq!(on.store.list(&dead).await.expect("lists").tasks, []);
    let task = on.get(&id(2)).await;
    assert_eq!((task.state, task.crashes, task.outcome, task.ended_at), (State::Queued, 0, None, None));
    assert_eq!(on.bodies(&id(2)).await.last(), Some(&EventBody::requeued("asked".to_owned())));
    let claim = on.claim("w", 200).await.expect("it waits again");
    assert_eq!(claim.task.place.priority, 7);
    on.store.finish(&claim.lease, &ended(&claim.task), Vec::new()).await.expect("finishes");
    let stats = on.store.stats().await.expect("counts");
    assert_eq!((stats.queued, stats.running, stats.ended), (0, 0, 2));
}

pub(super) async fn a_cancelled_task_can_be_requeued(on: &Subject) {
    on.submit(1).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    assert_eq!(on.store.requeue(&id(1), "asked").await.expect("requeues"), Requeued::Queued);
    let claim = on.claim("w", 1).await.expect("it waits again");
    assert_eq!(claim.task, Task { cancel: false, outcome: None, ended_at: None, ..on.get(&id(1)).await });
}

pub(super) async fn only_what_has_ended_and_is_not_green_is_requeued(on: &Subject) {
    on.finished(1).await;
    on.submit(2).await;
    assert_eq!(on.store.requeue(&id(1), "asked").await.expect("looks"), Requeued::Green);
    assert_eq!(on.store.requeue(&id(2), "asked").await.expect("looks"), Requeued::NotEnded);
    assert!(matches!(on.store.requeue(&id(9), "asked").await, Err(StoreError::NotFound(_))));
    assert_eq!(on.events(&id(1)).await.len(), 3);
}

pub(super) async fn a_requeued_task_refuses_its_old_fence(on: &Subject) {
    let claim = on.running(1).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    on.store.release(&claim.lease, "drain").await.expect("ends");
    on.store.requeue(&id(1), "asked").await.expect("requeues");
    let reply = on.store.finish(&claim.lease, &ended(&claim.task), Vec::new()).await;
    assert!(matches!(reply, Err(StoreError::StaleFence { .. })));
    assert!(matches!(on.store.release(&claim.lease, "drain").await, Err(StoreError::StaleFence { .. })));
}

pub(super) async fn cancels_are_told_while_the_task_runs(on: &Subject) {
    let claims = [on.running(2).await, on.running(1).await];
    on.submit(3).await;
    assert_eq!(on.store.cancels().await.expect("reads"), []);
    for number in 1..=3 {
        on.store.cancel(&id(number)).await.expect("cancels");
    }
    assert_eq!(on.store.cancels().await.expect("reads"), ids([1, 2]));
    on.store.release(&claims[0].lease, "drain").await.expect("ends");
    assert_eq!(on.store.cancels().await.expect("reads"), ids([1]));
    on.lose().await;
    assert_eq!(on.store.cancels().await.expect("reads"), []);
}

pub(super) async fn workers_come_and_go(on: &Subject) {
    let worker = |name: &str, running| WorkerInfo {
        name: name.to_owned(),
        host: "machine".to_owned(),
        pid: 7,
        version: "1".to_owned(),
        running,
        capacity: 8,
        draining: false,
        started_at: 5,
        seen_at: 0,
    };
    on.store.check_in(&worker("b", 1)).await.expect("checks in");
    on.wait(30);
    on.store.check_in(&worker("a", 0)).await.expect("checks in");
    on.store.check_in(&worker("a", 2)).await.expect("checks in");
    let seen = |worker, seen_at| WorkerInfo { seen_at, ..worker };
    let expected = [seen(worker("a", 2), START + 30_000), seen(worker("b", 1), START)];
    assert_eq!(on.store.workers().await.expect("lists"), expected);
    on.wait(30);
    assert_eq!(on.store.workers().await.expect("lists"), expected[..1]);
    on.store.check_out("a").await.expect("checks out");
    assert_eq!(on.store.workers().await.expect("lists"), []);
}
