//! The master dies, and the sentinel makes the replica the master.

use std::time::Duration;

use aiagent_host::store::{ClaimRequest, NewTask, RedisConfig, RedisStore, Store};
use aiagent_host::task::TaskId;
use bytes::Bytes;

use crate::redis_server::RedisSentinel;
use crate::{LEASE, insist, plain};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_loses_nothing_that_was_acknowledged() {
    let redis = RedisSentinel::start_with_replica();
    let open = async |wait_replicas: u32| {
        let timeout = Duration::from_secs(2);
        let config = RedisConfig { wait_replicas, timeout, ..RedisConfig::new(redis.url()) };
        RedisStore::open(config).await.expect("opens")
    };
    let careful = open(1).await;
    // Once the replica is the master, there is none to wait for.
    let later = open(0).await;
    let tree = careful.put_blob(Bytes::from_static(b"{\"files\":{}}")).await.expect("stores");
    let mut acknowledged = Vec::new();
    for _ in 0..30 {
        let new = NewTask::new(TaskId::fresh(), plain::spec("a goal", tree.clone()));
        acknowledged.push(careful.submit(new).await.expect("a replica has it").id);
    }
    let claim =
        careful.claim(&ClaimRequest::new("w", 1, 1000 * LEASE)).await.expect("claims").expect("one waits");

    redis.kill_master();
    insist(|| later.heartbeat(&claim.lease)).await.expect("the lease went with it");
    // The sentinel ends the new master's connections, and for a moment still names the old one.
    assert_eq!(insist(|| later.stats()).await.expect("counts").queued, 29);
    for id in &acknowledged {
        assert!(insist(|| later.get(id)).await.expect("reads").is_some(), "task {id} is lost");
    }
    assert_eq!(insist(|| later.fsck()).await.expect("checks"), Vec::<String>::new());
    let new = || NewTask::new(TaskId::fresh(), plain::spec("a goal", tree.clone()));
    insist(|| later.submit(new())).await.expect("the new master takes tasks");
    loop {
        let said = careful.submit(new()).await.expect_err("no replica has it").to_string();
        if said.contains("0 of 1 replicas have the change") {
            break;
        }
        assert!(said.contains("does not answer"), "{said}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
