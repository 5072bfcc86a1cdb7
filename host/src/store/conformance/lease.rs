//! Who may change a task, and who no longer may.

use super::Subject;
use super::sample::{advanced, ended, entry, id, is_stale, log};
use crate::store::{Claim, LEASE, Lease};
use crate::task::Digest;

/// Tries every verb that needs the lease: each is refused and nothing changes.
async fn refuses_everything(on: &Subject, old: &Claim) {
    let lease = &old.lease;
    let before = (on.store.get(&lease.task).await.expect("reads"), on.events(&lease.task).await);
    let task = advanced(&old.task, &Digest::of(b"late"));
    assert!(is_stale(&on.store.heartbeat(lease).await, lease), "heartbeat");
    assert!(is_stale(&on.store.append(lease, 7, entry(0, "late")).await, lease), "append");
    assert!(is_stale(&on.store.emit(lease, vec![log("late")]).await, lease), "emit");
    assert!(is_stale(&on.store.emit(lease, Vec::new()).await, lease), "emit of nothing");
    assert!(is_stale(&on.store.commit(lease, &task, vec![log("late")]).await, lease), "commit");
    let after = (on.store.get(&lease.task).await.expect("reads"), on.events(&lease.task).await);
    assert_eq!(after, before);
    assert_eq!(on.store.journal(&lease.task, 7).await.expect("reads"), []);
}

async fn refuses_finish_and_release(on: &Subject, old: &Claim) {
    let lease = &old.lease;
    let before = (on.store.get(&lease.task).await.expect("reads"), on.events(&lease.task).await);
    assert!(is_stale(&on.store.finish(lease, &ended(&old.task), vec![log("late")]).await, lease), "finish");
    assert!(is_stale(&on.store.release(lease, "late").await, lease), "release");
    let after = (on.store.get(&lease.task).await.expect("reads"), on.events(&lease.task).await);
    assert_eq!(after, before);
}

pub(super) async fn a_heartbeat_gives_a_full_term_from_now(on: &Subject) {
    let claim = on.running(1).await;
    for _ in 0..4 {
        on.wait(LEASE.as_secs() - 1);
        on.store.heartbeat(&claim.lease).await.expect("still held");
        assert_eq!(on.store.reap().await.expect("reaps"), []);
    }
    assert_eq!(on.lose().await, [id(1)]);
}

pub(super) async fn an_overdue_lease_holds_until_it_is_reaped(on: &Subject) {
    let claim = on.running(1).await;
    on.clock.advance(2 * LEASE);
    on.store.emit(&claim.lease, vec![log("slow")]).await.expect("nobody else has it");
    on.store.heartbeat(&claim.lease).await.expect("nobody else has it");
    assert_eq!(on.store.reap().await.expect("reaps"), []);
}

pub(super) async fn a_reclaimed_task_refuses_the_old_fence(on: &Subject) {
    let old = on.running(1).await;
    on.lose().await;
    let new = on.claim("v", 2).await.expect("it waits again");
    assert!(new.lease.fence > old.lease.fence);
    refuses_everything(on, &old).await;
    refuses_finish_and_release(on, &old).await;
    on.store.heartbeat(&new.lease).await.expect("the new one holds");
}

pub(super) async fn a_reaped_task_refuses_the_old_fence(on: &Subject) {
    let old = on.running(1).await;
    on.lose().await;
    refuses_everything(on, &old).await;
    refuses_finish_and_release(on, &old).await;
}

pub(super) async fn a_released_task_refuses_the_old_fence(on: &Subject) {
    let old = on.running(1).await;
    on.store.release(&old.lease, "drain").await.expect("releases");
    refuses_everything(on, &old).await;
    let finish = on.store.finish(&old.lease, &ended(&old.task), Vec::new()).await;
    assert!(is_stale(&finish, &old.lease));
}

pub(super) async fn a_finished_task_refuses_its_fence(on: &Subject) {
    let old = on.finished(1).await;
    refuses_everything(on, &old).await;
    assert!(is_stale(&on.store.release(&old.lease, "late").await, &old.lease));
}

pub(super) async fn a_cancelled_task_refuses_a_released_fence(on: &Subject) {
    let old = on.running(1).await;
    on.store.release(&old.lease, "drain").await.expect("releases");
    on.store.cancel(&id(1)).await.expect("cancels");
    refuses_everything(on, &old).await;
    let finish = on.store.finish(&old.lease, &ended(&old.task), Vec::new()).await;
    assert!(is_stale(&finish, &old.lease));
}

pub(super) async fn a_fence_that_was_never_given_is_refused(on: &Subject) {
    let claim = on.running(1).await;
    let lease = Lease { fence: claim.lease.fence + 1, ..claim.lease };
    let forged = Claim { lease, task: claim.task };
    refuses_everything(on, &forged).await;
    refuses_finish_and_release(on, &forged).await;
    on.submit(2).await;
    let waiting = Claim { lease: Lease { task: id(2), fence: 0 }, task: on.get(&id(2)).await };
    refuses_everything(on, &waiting).await;
    refuses_finish_and_release(on, &waiting).await;
}

pub(super) async fn an_unknown_task_is_a_lost_lease(on: &Subject) {
    let mut claim = on.running(1).await;
    claim.lease.task = id(9);
    claim.task.id = id(9);
    refuses_everything(on, &claim).await;
    refuses_finish_and_release(on, &claim).await;
}
