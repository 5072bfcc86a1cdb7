//! What only this back end can get wrong: records that others wrote, lists that do not fit them.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{Put, RedisConfig, RedisStore, script, wake};
use crate::store::conformance::{redis_server::RedisServer, spec};
use crate::store::{
    ClaimRequest, Clock, EXPIRED_TOGETHER, Filter, Idempotency, LEASE, NewTask, Store as _, StoreError,
};
use crate::task::{Digest, Place, Spec, TaskId};

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
            assert!(server.ask(&damage).starts_with(':'), "{damage}");
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

/// A page of the deadlines is a thousand.
#[tokio::test]
async fn deadlines_of_tasks_that_have_ended_hide_no_other() {
    let server = RedisServer::start("");
    let store = RedisStore::open(RedisConfig::new(server.url())).await.expect("a new store");
    let mut new = NewTask::new(TaskId::fresh(), spec("goal"));
    new.spec.budget.deadline = Some(9000);
    let id = store.submit(new).await.expect("submits").id;
    let many: String = (1..=2500).map(|number| format!(" {number} gone{number}")).collect();
    assert_eq!(server.ask(&format!("ZADD {{aiagent}}:deadlines{many}")).trim(), ":2500");
    assert_eq!(store.expire().await.expect("looks"), [id]);
    assert_eq!(store.expire().await.expect("looks"), []);
    assert_eq!(server.ask("ZCARD {aiagent}:deadlines").trim(), ":0");
}

#[tokio::test]
async fn what_can_not_expire_hides_nothing_that_can() {
    let server = RedisServer::start("");
    let store = RedisStore::open(RedisConfig::new(server.url())).await.expect("a new store");
    let late = async |deadline| {
        let mut new = NewTask::new(TaskId::fresh(), spec("goal"));
        new.spec.budget.deadline = Some(deadline);
        store.submit(new).await.expect("submits").id
    };
    let last = late(9000).await;
    for _ in 0..=EXPIRED_TOGETHER {
        let unreadable = late(100).await;
        server.ask(&format!("HSET {{aiagent}}:task:{unreadable} spec ["));
    }
    let running = "for n = 1, 2500 do redis.call('ZADD', KEYS[1], n, n) \
                   redis.call('HSET', '{aiagent}:task:' .. n, 'state', 'running', 'lane', 'l') end return 1";
    server.ask(&format!("EVAL \"{running}\" 1 {{aiagent}}:deadlines"));
    assert_eq!(store.expire().await.expect("looks"), [last]);
    assert_eq!(store.expire().await.expect("looks"), []);
}

/// One by one, they would take a minute.
#[tokio::test]
async fn many_tasks_wait_for_a_silent_server_no_longer_than_a_few() {
    let server = RedisServer::start("");
    let config = RedisConfig { timeout: Duration::from_millis(200), ..RedisConfig::new(server.url()) };
    let store = RedisStore::open(config).await.expect("a new store");
    server.signal("STOP");
    let all = (0..600).map(|_| NewTask::new(TaskId::fresh(), spec("goal"))).collect();
    let replies = timeout(Duration::from_secs(20), store.submit_many(all)).await;
    server.signal("CONT");
    let replies = replies.expect("gives up on all once it has on one");
    assert_eq!(replies.len(), 600);
    assert!(replies.iter().all(|reply| matches!(reply, Err(StoreError::Unavailable(_)))), "{replies:?}");
}

/// Whoever cancels has read the record; meanwhile another host may have deleted the task.
#[tokio::test]
async fn a_cancel_leaves_nothing_of_a_task_that_is_gone() {
    let server = RedisServer::start("");
    let store = RedisStore::open(RedisConfig::new(server.url())).await.expect("a new store");
    let id = TaskId::fresh();
    let call = store.0.on(&script::CANCEL).arg(id.as_str()).arg("0").arg(&["{}", "{}", "", "{}", "[]"]);
    assert_eq!(store.0.change(call).await.expect("answers").word, "changed");
    assert_eq!(server.ask(&format!("EXISTS {{aiagent}}:task:{id} {{aiagent}}:events:{id}")).trim(), ":0");
    assert_eq!(store.stats().await.expect("counts").ended, 0);
    assert!(matches!(store.cancel(&id).await, Err(StoreError::NotFound(_))));
}

/// A host takes tasks, and claims some, while a restore that will fail is at work.
#[tokio::test]
async fn a_fill_that_fails_takes_back_what_it_put_and_nothing_else() {
    let server = RedisServer::start("");
    let open = async |prefix: &str| {
        let config = RedisConfig { prefix: prefix.to_owned(), ..RedisConfig::new(server.url()) };
        RedisStore::open(config).await.expect("a new store")
    };
    let known = async |store: &RedisStore| store.snapshot(&mut std::io::sink()).await.expect("reads");
    let (from, to) = (open("from").await, open("to").await);
    let ids: Vec<TaskId> = (0..4).map(|_| TaskId::fresh()).collect();
    let empty_tree = Bytes::from_static(b"{\"files\":{}}");
    for store in [&from, &to] {
        store.put_blob(empty_tree.clone()).await.expect("stores");
    }
    let spec = || Spec { tree: Digest::of(&empty_tree), ..spec("goal") };
    let new = |id: &TaskId, queue: &str| {
        let place = Place { queue: queue.to_owned(), ..Place::default() };
        let idempotency = Some(Idempotency { key: format!("key of {id}"), body: Digest::of(b"body") });
        NewTask { place, idempotency, ..NewTask::new(id.clone(), spec()) }
    };
    for id in &ids {
        from.submit(new(id, "default")).await.expect("submits");
    }
    let later = from.submit(NewTask {
        place: Place { not_before: Some(4_000_000_000_000), ..Place::default() },
        ..NewTask::new(TaskId::fresh(), spec())
    });
    later.await.expect("submits");
    from.pause("theirs", true).await.expect("pauses");
    from.pause("both", true).await.expect("pauses");
    let mut lines = Vec::new();
    from.snapshot(&mut lines).await.expect("reads");

    // What the host has before, and what comes meanwhile.
    to.pause("both", true).await.expect("pauses");
    let mut own = [TaskId::fresh(), TaskId::fresh()];
    own.sort();
    to.submit(new(&own[0], "own")).await.expect("submits");
    let running = to.claim(&ClaimRequest::new("host", 1, LEASE)).await.expect("claims").expect("its own");
    assert_eq!(running.lease.task, own[0]);
    let cut = [&lines[..], b"{\"task\":"].concat();
    let mut put = Put::default();
    let said = to.fill(&mut &cut[..], &mut put).await.expect_err("the last line is cut");
    assert!(said.to_string().contains("the snapshot can't be read"), "{said}");
    to.submit(new(&own[1], "own")).await.expect("submits");
    let theirs =
        to.claim(&ClaimRequest::new("host", 2, LEASE)).await.expect("claims").expect("was put there");
    assert_eq!(theirs.lease.task, ids[0]);
    to.take_back(&put).await.expect("takes back");

    assert!(matches!(to.heartbeat(&theirs.lease).await, Err(StoreError::StaleFence { .. })));
    to.heartbeat(&running.lease).await.expect("goes on");
    let listed = to.list(&Filter::default()).await.expect("lists").tasks;
    assert_eq!(listed.iter().rev().map(|task| &task.id).collect::<Vec<_>>(), own.each_ref());
    let queues = to.queues().await.expect("counts").into_iter();
    let queues: Vec<_> = queues.map(|of| (of.name, of.paused, of.waiting, of.delayed, of.running)).collect();
    assert_eq!(queues, [("both".to_owned(), true, 0, 0, 0), ("own".to_owned(), false, 1, 0, 1)]);
    assert_eq!(to.fsck().await.expect("checks"), Vec::<String>::new());
    let again = to.submit(new(&ids[1], "default")).await.expect("its key is free");
    assert!(again.created);

    // One of another's is there under the same id.
    let before = known(&to).await;
    let mut put = Put::default();
    let said = to.fill(&mut &lines[..], &mut put).await.expect_err("one is there");
    assert!(said.to_string().contains("is there already"), "{said}");
    to.take_back(&put).await.expect("takes back");
    assert_eq!(known(&to).await, before);
    assert_eq!(to.fsck().await.expect("checks"), Vec::<String>::new());

    let empty = open("empty").await;
    let mut put = Put::default();
    empty.fill(&mut &lines[..], &mut put).await.expect("fills");
    assert_eq!(known(&empty).await, known(&from).await);
    empty.take_back(&put).await.expect("takes back");
    assert_eq!(known(&empty).await, BTreeMap::new());
}

/// One marker serves all hosts, whichever has made the change. One that missed it would only look again when
/// its wait on the server ends.
#[tokio::test]
async fn every_host_of_a_server_is_woken() {
    let server = RedisServer::start("");
    let open = async || RedisStore::open(RedisConfig::new(server.url())).await.expect("opens");
    let hosts = [open().await, open().await];
    let mut watches = [hosts[0].watch(), hosts[1].watch()];
    let mut woken = async || {
        for watch in &mut watches {
            let soon = timeout(wake::WAIT / 2, watch.changed(Duration::from_secs(60)));
            soon.await.expect("is woken");
        }
    };
    let change = async |host: &RedisStore| {
        host.submit(NewTask::new(TaskId::fresh(), spec("goal"))).await.expect("submits");
    };
    for round in 0..20 {
        change(&hosts[round % 2]).await;
        woken().await;
    }
    join_all((0..100).map(|number| change(&hosts[number % 2]))).await;
    woken().await;
    change(&hosts[0]).await;
    woken().await;
}

/// An overview of many tasks reads a brief of each, and the record of those that another version has ended.
#[tokio::test]
async fn what_has_ended_is_told_with_a_brief_and_without() {
    let server = RedisServer::start("");
    let store = RedisStore::open(RedisConfig::new(server.url())).await.expect("a new store");
    let ids = [TaskId::fresh(), TaskId::fresh(), TaskId::fresh()];
    for id in &ids {
        store.submit(NewTask::new(id.clone(), spec("goal"))).await.expect("submits");
        store.cancel(id).await.expect("cancels");
    }
    let told = async || store.past(0, 9).await.expect("tells").tasks;
    let all = told().await;
    assert_eq!(all.len(), 3);
    let at = |id: &TaskId| format!("{{aiagent}}:task:{id}");
    assert!(server.ask(&format!("HDEL {} past", at(&ids[0]))).starts_with(":1"));
    assert!(server.ask(&format!("HSET {} past 1", at(&ids[1]))).starts_with(":0"), "of an earlier end");
    assert!(server.ask(&format!("HSET {} spec 7", at(&ids[2]))).starts_with(":0"), "needs no record");
    assert_eq!(told().await, all);
    store.requeue(&ids[1], "asked").await.expect("requeues");
    assert_eq!(server.ask(&format!("HEXISTS {} past", at(&ids[1]))).trim(), ":0");
    assert_eq!(told().await.len(), 2);
}

#[tokio::test]
async fn fsck_finds_what_does_not_fit() {
    let server = RedisServer::start("");
    let damages = [
        ("SREM queues default", "task WAITS is queued and the queues that are looked through lack its own"),
        (
            "SREM tenants default|default",
            "task RUNS is running and the tenants that are looked through lack its own",
        ),
        ("DEL waiting:default", "task WAITS is queued and the list of what waits says otherwise"),
        ("DEL lanes", "task WAITS is queued and has 0 queue entries"),
        ("DEL leases:default|default", "task RUNS is running and the list of the leases says otherwise"),
        ("DEL task:WAITS", "task WAITS has no record"),
    ];
    for (number, (damage, finding)) in damages.into_iter().enumerate() {
        let prefix = format!("damaged{number}");
        let config = RedisConfig { prefix: prefix.clone(), ..RedisConfig::new(server.url()) };
        let store = RedisStore::open(config).await.expect("a new store");
        let mut tree = spec("goal");
        tree.tree = store.put_blob(Bytes::from_static(b"{\"files\":{}}")).await.expect("stores");
        let [runs, waits] = [TaskId::fresh(), TaskId::fresh()];
        store.submit(NewTask::new(runs.clone(), tree.clone())).await.expect("submits");
        store.claim(&ClaimRequest::new("w", 1, LEASE)).await.expect("claims").expect("a task");
        store.submit(NewTask::new(waits.clone(), tree)).await.expect("submits");
        assert_eq!(store.fsck().await.expect("checks"), Vec::<String>::new());
        let named = |text: &str| text.replace("RUNS", runs.as_str()).replace("WAITS", waits.as_str());
        let (verb, key) = damage.split_once(' ').expect("a verb and a key");
        let reply = server.ask(&named(&format!("{verb} {{{prefix}}}:{key}")));
        assert_eq!(reply.trim(), ":1", "{damage}");
        let found = store.fsck().await.expect("checks");
        assert!(found.contains(&named(finding)), "{damage}: {found:?}");
    }
}

#[tokio::test]
async fn a_store_of_another_layout_is_refused() {
    let server = RedisServer::start("");
    let open = async |prefix: &str| {
        RedisStore::open(RedisConfig { prefix: prefix.to_owned(), ..RedisConfig::new(server.url()) }).await
    };
    // As the hosts before this layout left it: with tasks, and without.
    server.ask("ZADD {old}:state:ended 0 01J9Z3NDEKTSV4RRFFQ69G5FAV");
    server.ask("SET {newer}:layout 3");
    server.ask("SET {drained}:turn 7");
    for (prefix, layout) in [("old", "layout 1;"), ("newer", "layout 3;")] {
        let said = open(prefix).await.err().expect("is refused").to_string();
        assert!(
            said.contains(layout) && said.contains("name another redis.prefix for this version"),
            "{said}"
        );
    }
    assert_eq!(server.ask("DBSIZE").trim(), ":3", "what is refused is left alone");
    for _ in 0..2 {
        open("drained").await.expect("holds nothing that could be misread");
    }
    assert_eq!(server.ask("GET {drained}:layout").trim(), "2");
}

/// Hosts that are up go on; those that start then join them.
#[tokio::test]
async fn a_server_that_came_back_empty_takes_new_hosts() {
    let server = RedisServer::start("");
    let open = async || RedisStore::open(RedisConfig::new(server.url())).await;
    let up = open().await.expect("a new store");
    server.ask("FLUSHALL");
    up.submit(NewTask::new(TaskId::fresh(), spec("goal"))).await.expect("goes on");
    let new = open().await.expect("is this version's");
    assert_eq!(new.stats().await.expect("counts").queued, 1);
    assert_eq!(server.ask("GET {aiagent}:layout").trim(), "2");
}
