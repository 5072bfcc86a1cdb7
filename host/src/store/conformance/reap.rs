//! Tasks whose worker was lost.

use super::Subject;
use super::sample::{advanced, id, log, report};
use crate::store::{LEASE, MAX_CRASHES};
use crate::task::{Digest, EventBody, Outcome, Reason, State};

const LOST: &str = "worker w was lost: no heartbeat within its lease";

pub(super) async fn living_leases_are_left_alone(on: &Subject) {
    let claim = on.running(1).await;
    on.submit(2).await;
    on.finished(3).await;
    on.wait(LEASE.as_secs() - 1);
    assert_eq!(on.store.reap().await.expect("reaps"), []);
    on.store.heartbeat(&claim.lease).await.expect("held");
}

pub(super) async fn a_lost_task_goes_to_the_front(on: &Subject) {
    let claim = on.running(1).await;
    let committed = advanced(&claim.task, &Digest::of(b"tree"));
    on.store.commit(&claim.lease, &committed, Vec::new()).await.expect("commits");
    on.submit(2).await;
    assert_eq!(on.lose().await, [id(1)]);
    assert_eq!(on.store.reap().await.expect("reaps"), []);
    let task = on.get(&id(1)).await;
    assert_eq!((task.state, task.crashes, task.worker), (State::Queued, 1, None));
    assert_eq!(task.rounds, committed.rounds);
    assert_eq!(on.bodies(&id(1)).await.last(), Some(&EventBody::requeued(LOST.to_owned())));
    assert_eq!(on.claim("v", 2).await.expect("it waits again").task.id, id(1));
}

pub(super) async fn several_come_in_order(on: &Subject) {
    for number in 1..=3 {
        on.submit(number).await;
    }
    let first = on.claim("w", 1).await.expect("a task waits");
    for nonce in [2, 3] {
        on.claim("w", nonce).await.expect("a task waits");
    }
    on.submit(4).await;
    on.wait(1);
    on.store.heartbeat(&first.lease).await.expect("held");
    // Task 1 was heard of last; 2 and 3 have waited equally long.
    assert_eq!(on.lose().await, [id(2), id(3), id(1)]);
    for (nonce, number) in [(4, 2), (5, 3), (6, 1), (7, 4)] {
        assert_eq!(on.claim("v", nonce).await.expect("a task waits").task.id, id(number));
    }
}

pub(super) async fn the_third_crash_ends_the_task(on: &Subject) {
    on.submit(1).await;
    for crash in 1..=MAX_CRASHES {
        let claim = on.claim("w", crash.into()).await.expect("it waits again");
        assert_eq!(claim.task.crashes, crash - 1);
        if crash == MAX_CRASHES {
            let task = advanced(&claim.task, &Digest::of(b"best"));
            on.store.commit(&claim.lease, &task, Vec::new()).await.expect("commits");
            let lines = (1..=7).map(|line| log(&format!("line {line}"))).collect();
            on.store.emit(&claim.lease, lines).await.expect("emits");
        }
        assert_eq!(on.lose().await, [id(1)]);
    }
    let message = format!("{LOST}; its last log lines:\nline 3\nline 4\nline 5\nline 6\nline 7");
    let outcome =
        Outcome { reason: Reason::Crashed { message }, tree: Digest::of(b"best"), report: Some(report()) };
    let task = on.get(&id(1)).await;
    assert_eq!((task.state, task.crashes, task.outcome.as_ref()), (State::Ended, 3, Some(&outcome)));
    let ended = EventBody::Ended { outcome, spend: task.spend };
    assert_eq!(on.bodies(&id(1)).await.last(), Some(&ended));
    assert!(on.claim("w", 9).await.is_none());
}

pub(super) async fn without_log_lines_it_says_so(on: &Subject) {
    on.submit(1).await;
    for crash in 1..=MAX_CRASHES {
        on.claim("w", crash.into()).await.expect("it waits again");
        on.lose().await;
    }
    let message = format!("{LOST}; it logged nothing");
    let outcome = on.get(&id(1)).await.outcome.expect("it ended");
    assert_eq!(outcome.reason, Reason::Crashed { message });
}

pub(super) async fn a_release_does_not_count_as_a_crash(on: &Subject) {
    on.submit(1).await;
    for nonce in 0..5 {
        let claim = on.claim("w", nonce).await.expect("it waits again");
        assert_eq!(claim.task.crashes, 0);
        on.store.release(&claim.lease, "drain").await.expect("releases");
    }
}

pub(super) async fn a_cancelled_task_ends_instead(on: &Subject) {
    on.running(1).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    assert_eq!(on.lose().await, [id(1)]);
    let task = on.get(&id(1)).await;
    assert_eq!((task.state, task.crashes), (State::Ended, 1));
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Cancelled));
    assert!(on.claim("w", 2).await.is_none());
}
