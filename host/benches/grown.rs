//! What the verbs cost as the store grows: with 1,000, 10,000, … tasks stored, of which a tenth waits. SQLite
//! and Redis. Up to 100,000 of them, or as many as AIAGENT_BENCH_TASKS says.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use aiagent_host::config::Environment;
use aiagent_host::store::{
    ClaimRequest, Filter, LEASE, NewTask, RedisConfig, RedisStore, SqliteStore, Store,
};
use aiagent_host::task::{Digest, Outcome, Reason, State, Task, TaskId};
use futures_util::future::join_all;

#[path = "../tests/support/plain.rs"]
mod plain;
#[allow(dead_code, reason = "each of the crates that include this uses a part of it")]
#[path = "../tests/support/redis_server.rs"]
mod redis_server;

use redis_server::RedisServer;

const FIRST: usize = 1_000;
const AT_A_TIME: usize = 64;
const LOOKS: u64 = 300;
const VERBS: [&str; 6] = ["submit", "claim and finish", "first page", "page of a state", "count", "stats"];

fn new_task() -> NewTask {
    NewTask::new(TaskId::fresh(), plain::spec("write a slugify function ".repeat(10), Digest::of(b"tree")))
}

async fn store_one(store: &dyn Store, number: usize) {
    let id = store.submit(new_task()).await.expect("submits").id;
    if !number.is_multiple_of(10) {
        store.cancel(&id).await.expect("cancels");
    }
}

async fn work(store: &dyn Store, nonce: u64) {
    let claim = store.claim(&ClaimRequest::new("grown", nonce, LEASE)).await.expect("claims");
    let claim = claim.expect("one waits");
    let outcome = Outcome { reason: Reason::Green, tree: claim.task.spec.tree.clone(), report: None };
    let task = Task { outcome: Some(outcome), ..claim.task };
    store.finish(&claim.lease, &task, Vec::new()).await.expect("finishes");
}

/// The median, in µs.
async fn median<T>(mut call: impl AsyncFnMut(u64) -> T) -> f64 {
    let mut took = Vec::new();
    for number in 0..LOOKS {
        let began = Instant::now();
        call(number).await;
        took.push(began.elapsed().as_secs_f64() * 1e6);
    }
    took.sort_unstable_by(f64::total_cmp);
    took[took.len() / 2]
}

/// Of each of the [`VERBS`].
async fn costs(store: &dyn Store, stored: usize) -> [f64; 6] {
    let page = async |filter: Filter| store.list(&filter).await.expect("lists");
    let ended = || Filter { state: Some(State::Ended), limit: 50, ..Filter::default() };
    let newest = || Filter { limit: 50, ..Filter::default() };
    let pipeline = || Filter { pipeline: Some("default".to_owned()), ..Filter::default() };
    [
        median(async |_| store.submit(new_task()).await.expect("submits")).await,
        median(async |number| work(store, stored as u64 + number).await).await,
        median(async |_| page(newest()).await).await,
        median(async |_| page(ended()).await).await,
        median(async |_| store.count(&pipeline()).await.expect("counts")).await,
        median(async |_| store.stats().await.expect("counts")).await,
    ]
}

async fn grow(name: &str, store: Arc<dyn Store>, most: usize) -> anyhow::Result<()> {
    let (mut stored, mut first) = (0, None);
    let mut level = FIRST;
    while level <= most {
        while stored < level {
            join_all((stored..level.min(stored + AT_A_TIME)).map(|number| store_one(&*store, number))).await;
            stored = level.min(stored + AT_A_TIME);
        }
        let costs = costs(&*store, stored).await;
        let first = *first.get_or_insert(costs);
        let mut out = std::io::stdout().lock();
        writeln!(out, "{name}, {stored} tasks stored:")?;
        for ((verb, cost), first) in VERBS.iter().zip(costs).zip(first) {
            writeln!(out, "  {verb:<17} {cost:>7.0} µs  {:>5.2} ×", cost / first)?;
        }
        level *= 10;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let most = Environment::of_process().get("AIAGENT_BENCH_TASKS").map(str::parse).transpose()?;
    let most = most.unwrap_or(100_000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    grow("sqlite", Arc::new(SqliteStore::open(&folder.path().join("store.db"))?), most).await?;
    let server = RedisServer::start("appendonly yes\nappendfsync everysec");
    grow("redis", Arc::new(RedisStore::open(RedisConfig::new(server.url())).await?), most).await
}
