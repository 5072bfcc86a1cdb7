//! What only this back end can get wrong: records that others wrote, lists that do not fit them.

use super::{RedisConfig, RedisStore};
use crate::store::conformance::{redis_server::RedisServer, spec};
use crate::store::{ClaimRequest, Clock, Filter, LEASE, NewTask, Store as _, StoreError};
use crate::task::TaskId;

/// As after an odd crash, or a downgrade: one bad record costs one task.
#[tokio::test]
async fn a_record_that_cannot_be_read_stands_in_nobodys_way() {
    let server = RedisServer::start("");
    for (number, field) in (0..).zip(["spec", "progress"]) {
        for running in [false, true] {
            let clock = Clock::manual(1_780_000_000_000);
            let prefix = format!("bad{number}{running}");
            let config = RedisConfig { prefix: prefix.clone(), ..RedisConfig::new(server.url()) };
            let store = RedisStore::open_with(config, clock.clone()).await.expect("a new store");
            let ids = [TaskId::fresh(), TaskId::fresh()];
            for id in &ids {
                store.submit(NewTask::new(id.clone(), spec("goal"))).await.expect("submits");
            }
            let request = |nonce| ClaimRequest::new("w", nonce, LEASE);
            if running {
                for (nonce, id) in (1..).zip(&ids) {
                    let claim = store.claim(&request(nonce)).await.expect("claims").expect("a task");
                    assert_eq!(claim.lease.task, *id);
                }
                clock.advance(LEASE * 2);
            }
            let damage = format!("HSET {{{prefix}}}:task:{} {field} 7", ids[0]);
            assert_eq!(server.ask(&damage).trim(), ":0");
            if running {
                store.reap().await.expect("one bad record does not keep the others from their rescue");
            }
            let claim = store.claim(&request(9)).await.expect("claims").expect("the good one is there");
            assert_eq!(claim.lease.task, ids[1], "{damage}");
            assert!(store.claim(&request(10)).await.expect("claims").is_none());
            let listed = store.list(&Filter::default()).await.expect("lists").tasks;
            assert_eq!(listed.iter().map(|task| &task.id).collect::<Vec<_>>(), [&ids[1]]);
            assert!(matches!(store.get(&ids[0]).await, Err(StoreError::Corrupt(_))));
            let found = store.fsck().await.expect("checks");
            assert!(found.iter().any(|line| line.contains("can't be read")), "{found:?}");
            let stats = store.stats().await.expect("counts");
            assert_eq!((stats.queued, stats.running, stats.ended), (0, 1, 1));
        }
    }
}

#[tokio::test]
async fn an_entry_without_its_task_holds_up_no_other() {
    let server = RedisServer::start("");
    let config = RedisConfig { prefix: "lost".to_owned(), ..RedisConfig::new(server.url()) };
    let store = RedisStore::open(config).await.expect("a new store");
    let ids = [TaskId::fresh(), TaskId::fresh()];
    for id in &ids {
        store.submit(NewTask::new(id.clone(), spec("goal"))).await.expect("submits");
    }
    assert_eq!(server.ask(&format!("DEL {{lost}}:task:{}", ids[0])).trim(), ":1");
    let claim = store.claim(&ClaimRequest::new("w", 1, LEASE)).await.expect("claims").expect("the other");
    assert_eq!(claim.lease.task, ids[1]);
    assert!(store.claim(&ClaimRequest::new("w", 2, LEASE)).await.expect("claims").is_none());
    assert_eq!(store.queues().await.expect("counts").iter().map(|queue| queue.waiting).sum::<u64>(), 0);
}
