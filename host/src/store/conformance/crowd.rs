//! Many callers at once.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::Subject;
use super::sample::{ended, id, is_stale, keyed, log, new_task, request};

use crate::task::TaskId;

pub(super) async fn no_task_is_claimed_twice(on: &Subject) {
    const TASKS: u64 = 1000;
    let submitted = join_all((0..TASKS).map(|number| on.store.submit(new_task(number)))).await;
    assert!(submitted.iter().all(|reply| matches!(reply, Ok(reply) if reply.created)));
    let worker = |name: usize| {
        let store = on.store.clone();
        tokio::spawn(async move {
            let mut mine: Vec<TaskId> = Vec::new();
            for nonce in 0.. {
                let request = request(&format!("w{name}"), nonce);
                let Some(claim) = store.claim(&request).await.expect("claims") else { break };
                store.finish(&claim.lease, &ended(&claim.task), Vec::new()).await.expect("still mine");
                mine.push(claim.task.id);
            }
            mine
        })
    };
    let workers = join_all((0..8).map(worker)).await;
    let claimed: Vec<TaskId> = workers.into_iter().flat_map(|mine| mine.expect("no panic")).collect();
    assert_eq!(claimed.len() as u64, TASKS);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len() as u64, TASKS);
    assert_eq!(on.store.stats().await.expect("counts").ended, TASKS);
}

pub(super) async fn one_nonce_gets_one_task(on: &Subject) {
    for number in 0..20 {
        on.submit(number).await;
    }
    let claims = join_all((0..50).map(|_| on.claim("w", 1))).await;
    let leases: HashSet<(TaskId, u64)> = claims
        .into_iter()
        .map(|claim| claim.expect("one waits").lease)
        .map(|lease| (lease.task, lease.fence))
        .collect();
    assert_eq!(leases.len(), 1);
    assert_eq!(on.store.stats().await.expect("counts").running, 1);
}

pub(super) async fn one_key_makes_one_task(on: &Subject) {
    let replies = join_all((0..50).map(|number| on.store.submit(keyed(number, "k", b"body")))).await;
    let replies: Vec<_> = replies.into_iter().map(|reply| reply.expect("submits")).collect();
    assert_eq!(replies.iter().filter(|reply| reply.created).count(), 1);
    assert_eq!(replies.iter().map(|reply| &reply.id).collect::<HashSet<_>>().len(), 1);
    assert_eq!(on.store.stats().await.expect("counts").queued, 1);
}

pub(super) async fn events_of_many_writers_have_no_gaps(on: &Subject) {
    let lease = on.running(1).await.lease;
    let lines = |writer: usize| vec![log(&format!("{writer}a")), log(&format!("{writer}b"))];
    let last = join_all((0..100).map(|writer| on.store.emit(&lease, lines(writer)))).await;
    let mut last: Vec<u64> = last.into_iter().map(|id| id.expect("emits")).collect();
    last.sort_unstable();
    assert_eq!(last, (2..=101).map(|pair| pair * 2).collect::<Vec<u64>>());
    let ids: Vec<u64> = on.events(&id(1)).await.iter().map(|event| event.id).collect();
    assert_eq!(ids, (1..=202).collect::<Vec<u64>>());
}

pub(super) async fn only_one_finish_counts(on: &Subject) {
    let old = on.running(1).await;
    on.lose().await;
    let new = on.claim("v", 2).await.expect("it waits again");
    let finish = async |claim: &crate::store::Claim| {
        on.store.finish(&claim.lease, &ended(&claim.task), vec![log("last")]).await
    };
    let (late, good, again) = tokio::join!(finish(&old), finish(&new), finish(&new));
    assert!(is_stale(&late, &old.lease));
    assert!(good.is_ok() && again.is_ok());
    // submitted, claimed, requeued, claimed, and the words of one finish.
    assert_eq!(on.events(&id(1)).await.len(), 6);
}
