//! Tasks per second through submit, claim, commit and finish: memory against SQLite, and SQLite with
//! many callers against SQLite with one, which shows what group commit gives.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aiagent_host::store::{ClaimRequest, Filter, LEASE, MemoryStore, NewTask, SqliteStore, Store};
use aiagent_host::task::{Digest, EventBody, Level, Outcome, Reason, State, Task, TaskId};
use futures_util::future::join_all;

#[path = "../tests/support/plain.rs"]
mod plain;

/// Long enough for a steady state on a slow disk.
const FOR: Duration = Duration::from_secs(3);
const CALLERS: usize = 64;

fn new_task() -> NewTask {
    NewTask::new(TaskId::fresh(), plain::spec("write a slugify function".repeat(10), Digest::of(b"tree")))
}

/// Four verbs.
async fn one_task(store: &Arc<dyn Store>, worker: &str, nonce: u64) {
    store.submit(new_task()).await.expect("submits");
    let request = ClaimRequest::new(worker, nonce, LEASE);
    let Some(claim) = store.claim(&request).await.expect("claims") else { return };
    let line =
        EventBody::Log { level: Level::Info, source: "bench".to_owned(), message: "a line".to_owned() };
    let task = Task { step: 1, ..claim.task };
    store.commit(&claim.lease, &task, vec![line]).await.expect("commits");
    let outcome = Outcome { reason: Reason::Green, tree: task.spec.tree.clone(), report: None };
    store.finish(&claim.lease, &Task { outcome: Some(outcome), ..task }, Vec::new()).await.expect("finishes");
}

async fn tasks_per_second(store: Arc<dyn Store>, callers: usize) -> f64 {
    let began = Instant::now();
    let caller = |name: usize| {
        let store = store.clone();
        tokio::spawn(async move {
            let worker = format!("{callers}w{name}");
            let mut done: u64 = 0;
            while began.elapsed() < FOR {
                one_task(&store, &worker, done).await;
                done += 1;
            }
            done
        })
    };
    let done: u64 =
        join_all((0..callers).map(caller)).await.into_iter().map(|done| done.expect("no panic")).sum();
    done as f64 / began.elapsed().as_secs_f64()
}

async fn micros<T>(call: impl AsyncFn() -> T) -> u128 {
    let mut took = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        call().await;
        took.push(began.elapsed().as_micros());
    }
    took.sort_unstable();
    took[took.len() / 2]
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(".")?;
    let memory = tasks_per_second(Arc::new(MemoryStore::default()), CALLERS).await;
    let sqlite: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.path().join("store.db"))?);
    let alone = tasks_per_second(sqlite.clone(), 1).await;
    let together = tasks_per_second(sqlite.clone(), CALLERS).await;
    let ended = sqlite.stats().await?.ended;
    let state = Some(State::Running);
    let list = micros(async || sqlite.list(&Filter { state, limit: 50, ..Filter::default() }).await).await;
    let newest = micros(async || sqlite.list(&Filter { limit: 50, ..Filter::default() }).await).await;
    let stats = micros(async || sqlite.stats().await).await;
    let mut out = std::io::stdout().lock();
    writeln!(out, "a task is four verbs: submit, claim, commit, finish")?;
    writeln!(out, "memory, {CALLERS} callers  {memory:>9.0} tasks/s")?;
    writeln!(out, "sqlite,  1 caller   {alone:>9.0} tasks/s  {:.3} of memory", alone / memory)?;
    writeln!(
        out,
        "sqlite, {CALLERS} callers  {together:>9.0} tasks/s  {:.3} of memory, {:.1} times one caller",
        together / memory,
        together / alone
    )?;
    writeln!(
        out,
        "with {ended} ended tasks: stats {stats} µs, 50 newest {newest} µs, none running {list} µs"
    )?;
    Ok(())
}
