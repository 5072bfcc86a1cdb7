//! What the verbs cost as the store grows: with 1,000, 10,000, … tasks stored, of which a tenth waits, beside a
//! store that stays at 1,000. The two are asked in turn. SQLite and Redis, whose rewriting of its file is waited
//! for. Up to 100,000 tasks, or as many as AIAGENT_BENCH_TASKS says.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
/// Few enough that the small store stays one.
const WRITES: usize = 300;
/// A look takes as long as it takes to wake a thread, which varies.
const LOOKS: usize = 2_000;
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

/// A store that is asked, and how often it was.
struct Asked {
    store: Arc<dyn Store>,
    calls: AtomicU64,
}

impl Asked {
    fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), calls: AtomicU64::new(0) }
    }

    async fn fill(&self, from: usize, to: usize) {
        for first in (from..to).step_by(AT_A_TIME) {
            join_all((first..to.min(first + AT_A_TIME)).map(|number| store_one(&*self.store, number))).await;
        }
    }

    async fn call(&self, verb: usize) {
        let store = &*self.store;
        let list = async |filter: Filter| drop(store.list(&filter).await.expect("lists"));
        match verb {
            0 => drop(store.submit(new_task()).await.expect("submits")),
            1 => work(store, self.calls.fetch_add(1, Ordering::Relaxed)).await,
            2 => list(Filter { limit: 50, ..Filter::default() }).await,
            3 => list(Filter { state: Some(State::Ended), limit: 50, ..Filter::default() }).await,
            4 => {
                let filter = Filter { pipeline: Some("default".to_owned()), ..Filter::default() };
                store.count(&filter).await.map(drop).expect("counts");
            }
            _ => drop(store.stats().await.expect("counts")),
        }
    }
}

/// The medians of a verb on both, in µs.
async fn medians(verb: usize, both: [&Asked; 2]) -> [f64; 2] {
    let mut took = [Vec::new(), Vec::new()];
    let calls = if verb < 2 { WRITES } else { LOOKS };
    for turn in 0..calls {
        // Each is first as often as the other: the second finds other threads awake.
        for at in [turn % 2, 1 - turn % 2] {
            let began = Instant::now();
            both[at].call(verb).await;
            took[at].push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    took.map(|mut took| {
        took.sort_unstable_by(f64::total_cmp);
        took[took.len() / 2]
    })
}

/// `settled` waits until a store does nothing but answer.
async fn grow(name: &str, small: Asked, grown: Asked, most: usize, settled: impl Fn()) -> anyhow::Result<()> {
    small.fill(0, FIRST).await;
    let (mut stored, mut level) = (0, FIRST);
    while level <= most {
        grown.fill(stored, level).await;
        stored = level;
        settled();
        writeln!(std::io::stdout(), "{name}, {stored} tasks stored, beside {FIRST}:")?;
        for (verb, verb_name) in VERBS.iter().enumerate() {
            let [small, grown] = medians(verb, [&small, &grown]).await;
            let ratio = grown / small;
            writeln!(
                std::io::stdout(),
                "  {verb_name:<17} {grown:>7.0} µs  {small:>7.0} µs  {ratio:>5.2} ×"
            )?;
        }
        level *= 10;
    }
    Ok(())
}

fn rests(server: &RedisServer) {
    let writes = || {
        let info = server.ask("INFO persistence");
        ["aof_rewrite_in_progress:1", "aof_rewrite_scheduled:1"].iter().any(|line| info.contains(line))
    };
    while writes() {
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let most = Environment::of_process().get("AIAGENT_BENCH_TASKS").map(str::parse).transpose()?;
    let most = most.unwrap_or(100_000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let open = |name| anyhow::Ok(Asked::new(SqliteStore::open(&folder.path().join(name))?));
    grow("sqlite", open("small.db")?, open("grown.db")?, most, || ()).await?;
    let servers = [(); 2].map(|()| RedisServer::start("appendonly yes\nappendfsync everysec"));
    let open = async |server: &RedisServer| {
        anyhow::Ok(Asked::new(RedisStore::open(RedisConfig::new(server.url())).await?))
    };
    let [small, grown] = &servers;
    grow("redis", open(small).await?, open(grown).await?, most, || rests(grown)).await
}
