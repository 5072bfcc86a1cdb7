//! A power cut takes the last bytes of Redis' append-only file, wherever a write was just then.

use std::time::Duration;

use aiagent_host::store::{ClaimRequest, NewTask, RedisConfig, RedisStore, Store};
use aiagent_host::task::{Outcome, Reason, State, Task, TaskId};
use bytes::Bytes;

use crate::dice::Dice;
use crate::redis_server::RedisServer;
use crate::{insist, plain, settings};

const CUTS: u64 = 12;

/// More than what a cut takes.
const LEASE: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_tail_takes_whole_changes_and_no_earlier_ones() {
    let (_, seed) = settings();
    let mut dice = Dice::new(seed + 3);
    let server = RedisServer::start("appendonly yes\nappendfsync always\nauto-aof-rewrite-percentage 0");
    let timeout = Duration::from_secs(2);
    let config = RedisConfig { timeout, ..RedisConfig::new(server.url()) };
    let store = RedisStore::open(config).await.expect("opens");
    let tree = store.put_blob(Bytes::from_static(b"{\"files\":{}}")).await.expect("stores");
    let submit = async || {
        let new = NewTask::new(TaskId::fresh(), plain::spec("a goal", tree.clone()));
        store.submit(new).await.expect("submits").id
    };
    let mut kept = Vec::new();
    for cut in 1..=CUTS {
        let work = async |nonce: u64, finish: bool| {
            let claim = store.claim(&ClaimRequest::new("w", nonce, LEASE)).await.expect("claims");
            let claim = claim.expect("one waits");
            if finish {
                let outcome = Outcome { reason: Reason::Green, tree: tree.clone(), report: None };
                let task = Task { outcome: Some(outcome), ..claim.task };
                store.finish(&claim.lease, &task, Vec::new()).await.expect("finishes");
            }
            claim.lease
        };
        for nonce in 0..3 {
            submit().await;
            kept.push(work(cut * 100 + nonce, true).await.task);
        }
        // What was written from here on is in reach.
        let safe = aof_size(&server);
        for nonce in 10..13 {
            submit().await;
            work(cut * 100 + nonce, dice.one_in(2)).await;
        }
        let written = aof_size(&server) - safe;
        server.cut(1 + dice.below(written));
        rewrite(&server).await;

        insist(|| store.stats()).await.expect("it comes back");
        let found = insist(|| store.fsck()).await.expect("checks");
        assert_eq!(found, Vec::<String>::new(), "seed {seed}, cut {cut}");
        for id in &kept {
            let task = insist(|| store.get(id)).await.expect("reads").expect("was written before");
            assert_eq!(task.state, State::Ended, "seed {seed}, cut {cut}, task {id}");
        }
        // Whoever waits is given out again; the others are held.
        while insist(|| store.stats()).await.expect("counts").queued > 0 {
            work(cut * 100 + 50 + dice.below(1 << 40), true).await;
        }
    }
}

/// As docs/DEPLOYMENT.md advises. Redis 7.0 leaves the beginning of the transaction that was cut in its file, and
/// would take it for whole at its second start.
async fn rewrite(server: &RedisServer) {
    let said = server.ask("BGREWRITEAOF");
    assert!(said.starts_with("+Background append only file rewriting"), "{said}");
    let busy = ["aof_rewrite_in_progress:1", "aof_rewrite_scheduled:1"];
    while let info = server.ask("INFO persistence")
        && busy.iter().any(|line| info.contains(line))
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn aof_size(server: &RedisServer) -> u64 {
    let info = server.ask("INFO persistence");
    let size = info.lines().find_map(|line| line.strip_prefix("aof_current_size:"));
    size.expect("it keeps one").trim().parse().expect("a number")
}
