//! A task that goes back to its queue, not to be taken up again at once.

use std::time::Duration;

use super::sample::{advanced, ended, entry, id, is_stale, log, waiting};
use super::{START, Subject};
use crate::store::{Cancelled, Claim, Deleted, LEASE, Requeued};
use crate::task::{Digest, EventBody, Postponed, Reason, State, Task};

const WAIT: Duration = Duration::from_secs(10);

async fn postpone(on: &Subject, claim: &Claim, times: u32) {
    let task = waiting(&advanced(&claim.task, &Digest::of(b"no such snapshot")), times);
    on.store.postpone(&claim.lease, &task, vec![log("away")], WAIT, "away").await.expect("postpones");
}

fn until(task: &Task) -> Option<u64> {
    task.postponed.as_ref().map(|postponed| postponed.until)
}

pub(super) async fn it_waits_and_goes_on_from_its_journal(on: &Subject) {
    let claim = on.running(1).await;
    on.store.append(&claim.lease, 0, entry(0, "yes")).await.expect("appends");
    postpone(on, &claim, 1).await;
    let task = on.get(&id(1)).await;
    let postponed = Postponed { times: 1, why: "away".to_owned(), until: START + 10_000 };
    assert_eq!((task.state, task.worker, task.crashes), (State::Queued, None, 0));
    assert_eq!((task.postponed, task.step, task.rounds.len()), (Some(postponed), 1, 1));
    let requeued = EventBody::Requeued { why: "away".to_owned(), wait_ms: Some(10_000) };
    assert_eq!(on.bodies(&id(1)).await[2..], [log("away"), requeued]);
    let queues = on.store.queues().await.expect("counts");
    assert_eq!((queues[0].waiting, queues[0].delayed, queues[0].running), (0, 1, 0));
    on.clock.advance(WAIT - Duration::from_millis(1));
    assert!(on.claim("v", 2).await.is_none());
    on.clock.advance(Duration::from_millis(1));
    let again = on.claim("v", 3).await.expect("its time has come");
    assert_eq!((again.task.step, until(&again.task)), (1, Some(START + 10_000)));
    assert_eq!(on.store.journal(&id(1), 0).await.expect("reads"), [entry(0, "yes")]);
    on.store.finish(&again.lease, &ended(&again.task), Vec::new()).await.expect("finishes");
}

pub(super) async fn it_takes_its_turn_behind_the_others(on: &Subject) {
    let claim = on.running(1).await;
    on.submit(2).await;
    postpone(on, &claim, 1).await;
    on.submit(3).await;
    on.clock.advance(WAIT);
    for (nonce, number) in [(2, 2), (3, 3), (4, 1)] {
        assert_eq!(on.claim("w", 10 + nonce).await.expect("a task waits").task.id, id(number));
    }
}

pub(super) async fn repeating_it_is_harmless(on: &Subject) {
    let claim = on.running(1).await;
    postpone(on, &claim, 1).await;
    let before = (on.get(&id(1)).await, on.events(&id(1)).await);
    on.wait(3);
    postpone(on, &claim, 1).await;
    on.store.release(&claim.lease, "drain").await.expect("it is given back");
    assert_eq!((on.get(&id(1)).await, on.events(&id(1)).await), before);
    on.clock.advance(WAIT);
    on.claim("w", 2).await.expect("its time has come");
    let task = waiting(&claim.task, 2);
    assert!(is_stale(&on.store.postpone(&claim.lease, &task, Vec::new(), WAIT, "late").await, &claim.lease));
}

pub(super) async fn a_cancelled_one_ends(on: &Subject) {
    let claim = on.running(1).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    for _ in 0..2 {
        postpone(on, &claim, 1).await;
    }
    let task = on.get(&id(1)).await;
    assert_eq!((task.state, task.rounds.len()), (State::Ended, 1));
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Cancelled));
    let bodies = on.bodies(&id(1)).await;
    assert_eq!(bodies[2..4], [EventBody::CancelRequested, log("away")]);
    assert!(matches!(bodies[4..], [EventBody::Ended { .. }]), "{bodies:?}");
    assert_eq!(on.store.cancels().await.expect("reads"), []);
    on.clock.advance(WAIT);
    assert!(on.claim("w", 2).await.is_none());
}

pub(super) async fn one_that_waits_can_be_cancelled(on: &Subject) {
    let claim = on.running(1).await;
    postpone(on, &claim, 1).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    assert_eq!(on.get(&id(1)).await.state, State::Ended);
    on.clock.advance(WAIT);
    assert!(on.claim("w", 2).await.is_none());
    assert_eq!(on.store.fsck().await.expect("checks").len(), 1, "its tree, which was never stored");
}

pub(super) async fn it_waits_no_longer_than_a_week(on: &Subject) {
    const WEEK: u64 = 7 * 24 * 60 * 60;
    let claim = on.running(1).await;
    let task = waiting(&claim.task, 1);
    on.store.postpone(&claim.lease, &task, Vec::new(), Duration::MAX, "away").await.expect("postpones");
    assert_eq!(until(&on.get(&id(1)).await), Some(START + WEEK * 1000));
    on.wait(WEEK - 1);
    assert!(on.claim("w", 2).await.is_none());
    assert_eq!(on.store.cancel(&id(1)).await.expect("cancels"), Cancelled::Ended);
    assert_eq!(on.store.delete(&id(1)).await.expect("deletes"), Deleted::Gone);
    assert_eq!(on.store.queues().await.expect("counts"), []);
}

pub(super) async fn a_lost_lease_postpones_nothing(on: &Subject) {
    let claim = on.running(1).await;
    on.lose().await;
    let before = (on.get(&id(1)).await, on.events(&id(1)).await);
    let task = waiting(&claim.task, 1);
    let reply = on.store.postpone(&claim.lease, &task, vec![log("late")], WAIT, "late").await;
    assert!(is_stale(&reply, &claim.lease));
    assert_eq!((on.get(&id(1)).await, on.events(&id(1)).await), before);
}

pub(super) async fn a_crash_later_keeps_what_it_waited_for(on: &Subject) {
    let claim = on.running(1).await;
    postpone(on, &claim, 3).await;
    on.clock.advance(WAIT);
    on.claim("w", 2).await.expect("its time has come");
    on.clock.advance(LEASE);
    assert_eq!(on.store.reap().await.expect("reaps"), [id(1)]);
    let task = on.get(&id(1)).await;
    assert_eq!((task.crashes, task.postponed.as_ref().map(|postponed| postponed.times)), (1, Some(3)));
    assert!(on.claim("w", 3).await.is_some(), "it need not wait again");
}

pub(super) async fn a_requeued_task_has_not_waited(on: &Subject) {
    let claim = on.running(1).await;
    postpone(on, &claim, 3).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    assert_eq!(on.store.requeue(&id(1), "asked").await.expect("requeues"), Requeued::Queued);
    assert_eq!(on.get(&id(1)).await.postponed, None);
    assert!(on.claim("w", 2).await.is_some());
}
