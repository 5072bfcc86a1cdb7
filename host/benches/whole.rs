//! Whole tasks, through one worker: a build and a check, each in a sandbox of its own, with all their events
//! written. The guests do nothing, so that what is left is the host's. Redis and SQLite, with 1 and with 16
//! places, against starting a process for each of the two steps.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aiagent_host::store::{RedisConfig, RedisStore, SqliteStore, Store};
use aiagent_host::task::Budget;

#[path = "../tests/support/guest.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod guest;
#[allow(dead_code, reason = "each of the crates that include this uses a part of it")]
#[path = "../tests/support/redis_server.rs"]
mod redis_server;
#[path = "../tests/support/shop.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod shop;

use redis_server::RedisServer;
use shop::Shop;

const TASKS: u64 = 2_000;
const GRACE: Duration = Duration::from_secs(10);

/// Tasks a second.
async fn rate(store: Arc<dyn Store>, places: usize) -> f64 {
    let shop = Shop::open(Arc::clone(&store)).await;
    let before = store.stats().await.expect("counts").ended;
    for _ in 0..TASKS {
        shop.submit("noop", "pass", Budget::default()).await;
    }
    let began = Instant::now();
    let worker = shop.worker_with(places, "whole", GRACE);
    while store.stats().await.expect("counts").ended < before + TASKS {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = began.elapsed();
    worker.stop().await;
    TASKS as f64 / took.as_secs_f64()
}

/// Pairs of processes a second that do nothing.
fn processes() -> f64 {
    const PAIRS: u32 = 300;
    let began = Instant::now();
    for _ in 0..2 * PAIRS {
        let status = Command::new("/bin/true").status().expect("/bin/true runs");
        assert!(status.success());
    }
    f64::from(PAIRS) / began.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let server = RedisServer::start("appendonly yes\nappendfsync everysec");
    let redis: Arc<dyn Store> = Arc::new(RedisStore::open(RedisConfig::new(server.url())).await?);
    let sqlite: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.path().join("store.db"))?);
    for round in 1..=3 {
        let baseline = processes();
        writeln!(
            std::io::stdout().lock(),
            "round {round}: two processes that do nothing  {baseline:>6.0}/s"
        )?;
        for (name, store) in [("redis", &redis), ("sqlite", &sqlite)] {
            for places in [1, 16] {
                let rate = rate(Arc::clone(store), places).await;
                writeln!(
                    std::io::stdout().lock(),
                    "  {name:<6} {places:>2} places  {rate:>6.0} tasks/s  {:>5.2} × the processes",
                    rate / baseline
                )?;
            }
        }
    }
    Ok(())
}
