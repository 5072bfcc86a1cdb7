//! Jobs that do nothing, through the queue: submitted one by one, 64 at a time and in batches of 1000, then claimed
//! and finished by 1 and by 32 at a time. Redis and SQLite, each with a sync every second and with one before
//! each answer; `cargo bench --bench queue [-- PART-OF-A-NAME]`.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use aiagent_host::store::{
    ClaimRequest, Clock, Fsync, LEASE, NewTask, RedisConfig, RedisStore, SqliteStore, Store,
};
use aiagent_host::task::{Digest, Outcome, Reason, Task, TaskId};
use futures_util::future::join_all;

#[path = "../tests/support/plain.rs"]
mod plain;
#[allow(dead_code, reason = "each of the crates that include this uses a part of it")]
#[path = "../tests/support/redis_server.rs"]
mod redis_server;

use redis_server::RedisServer;

const JOBS: usize = 3000;

fn new_task() -> NewTask {
    NewTask::new(TaskId::fresh(), plain::spec("x".repeat(100), Digest::of(b"tree")))
}

async fn submit(store: &Arc<dyn Store>, at_a_time: usize) {
    for begin in (0..JOBS).step_by(at_a_time) {
        let batch = (begin..JOBS.min(begin + at_a_time)).map(|_| store.submit(new_task()));
        for reply in join_all(batch).await {
            reply.expect("submits");
        }
    }
}

async fn submit_many(store: &Arc<dyn Store>, at_a_time: usize) {
    for begin in (0..JOBS).step_by(at_a_time) {
        let batch = (begin..JOBS.min(begin + at_a_time)).map(|_| new_task()).collect();
        for reply in store.submit_many(batch).await {
            reply.expect("submits");
        }
    }
}

async fn work(store: &Arc<dyn Store>, at_a_time: usize) {
    let worker = |name: usize| {
        let store = store.clone();
        tokio::spawn(async move {
            let request = |nonce| ClaimRequest::new(format!("{at_a_time}w{name}"), nonce, LEASE);
            let mut claimed = store.claim(&request(0)).await.expect("claims");
            for nonce in 1.. {
                let Some(claim) = claimed else { break };
                let outcome =
                    Outcome { reason: Reason::Green, tree: claim.task.spec.tree.clone(), report: None };
                let task = Task { outcome: Some(outcome), ..claim.task };
                // As a worker does.
                let (next, finish) = (request(nonce), store.finish(&claim.lease, &task, Vec::new()));
                let (finished, next) = tokio::join!(finish, store.claim(&next));
                finished.expect("finishes");
                claimed = next.expect("claims");
            }
        })
    };
    for done in join_all((0..at_a_time).map(worker)).await {
        done.expect("no panic");
    }
}

/// What this process has computed, in µs, in steps of a clock tick.
fn own_cpu() -> f64 {
    const TICK_MICROS: f64 = 10_000.0;
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("a line").split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) * TICK_MICROS
}

/// Whether this is asked for on the command line.
fn is_asked(name: &str) -> bool {
    std::env::args().skip(1).find(|arg| !arg.starts_with('-')).is_none_or(|part| name.contains(&part))
}

async fn measure(name: &str, store: Arc<dyn Store>, server: Option<&RedisServer>) -> anyhow::Result<()> {
    let theirs = || server.map_or(0.0, |server| server.cpu().as_secs_f64() * 1e6);
    if !is_asked(name) {
        return Ok(());
    }
    let steps =
        [("submit", 1), ("process", 1), ("submit", 64), ("process", 32), ("batch", 1000), ("process", 32)];
    for (step, at_a_time) in steps {
        let (began, own, other) = (Instant::now(), own_cpu(), theirs());
        match step {
            "submit" => submit(&store, at_a_time).await,
            "batch" => submit_many(&store, at_a_time).await,
            _ => work(&store, at_a_time).await,
        }
        let jobs = JOBS as f64;
        writeln!(
            std::io::stdout().lock(),
            "{name:<15} {step:<8} {at_a_time:>4} at a time  {:>7.0}/s   µs of CPU per job: {:>4.0} here, {:>4.0} Redis",
            jobs / began.elapsed().as_secs_f64(),
            (own_cpu() - own) / jobs,
            (theirs() - other) / jobs
        )?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let fsyncs = [("everysec", Fsync::Everysec), ("always", Fsync::Always)];
    let servers = fsyncs.map(|(name, _)| RedisServer::start(&format!("appendonly yes\nappendfsync {name}")));
    for round in 1..=3 {
        for ((name, fsync), server) in fsyncs.into_iter().zip(&servers) {
            let prefix = format!("round{round}");
            let config = RedisConfig { prefix, ..RedisConfig::new(server.url()) };
            let store = Arc::new(RedisStore::open(config).await?);
            measure(&format!("redis {name}"), store, Some(server)).await?;
            let folder = tempfile::tempdir_in(".")?;
            let store = SqliteStore::open_with(&folder.path().join("store.db"), fsync, Clock::system())?;
            measure(&format!("sqlite {name}"), Arc::new(store), None).await?;
        }
    }
    Ok(())
}
