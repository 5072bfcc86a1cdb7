//! Workers that die and stall, a Redis that is killed, and a line that cuts, delays and swallows
//! replies, all at once and from one seed; then every task is looked at.
//!
//! `make chaos` runs it for minutes: AIAGENT_CHAOS_SECONDS and AIAGENT_CHAOS_SEED.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aiagent_host::config::Environment;
use aiagent_host::store::{
    Claim, ClaimRequest, Idempotency, JournalEntry, Lease, NewTask, RedisConfig, RedisStore, SqliteStore,
    Store, StoreError,
};
use aiagent_host::task::{Digest, EventBody, Level, Outcome, Place, Postponed, Reason, TaskId};
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[path = "chaos/cut.rs"]
mod cut;
#[path = "chaos/dice.rs"]
mod dice;
#[path = "chaos/failover.rs"]
mod failover;
#[path = "chaos/line.rs"]
mod line;
#[path = "support/plain.rs"]
mod plain;
#[allow(dead_code, reason = "each of the crates that include this uses a part of it")]
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "chaos/replies.rs"]
mod replies;
#[path = "chaos/tasks.rs"]
mod tasks;

use dice::Dice;
use line::BadLine;
use redis_server::RedisServer;

/// So short that a stalled worker loses it, and a retried command may.
const LEASE: Duration = Duration::from_millis(700);

const WORKERS: u64 = 6;

/// As many as are done in a few seconds once the trouble is over, however slow the machine is.
const MOST_WAITING: u64 = 200;

const STEPS: u32 = 3;
const CALLS: u32 = 2;

/// What was promised, and what must not happen.
#[derive(Default)]
struct Oracle {
    submitted: Mutex<Vec<TaskId>>,
    finished: Mutex<HashSet<TaskId>>,
    /// Answers whose entry in the journal was acknowledged.
    answered: Mutex<HashSet<(TaskId, u32, u32)>>,
    /// The newest claim of a task.
    leased: Mutex<HashMap<TaskId, Claimed>>,
    refused: Mutex<u64>,
    postponed: Mutex<u64>,
    /// Ended at their deadline, while they waited.
    late: Mutex<u64>,
    violations: Mutex<Vec<String>>,
}

struct Claimed {
    noted_at: Instant,
    /// It holds at least so long.
    until: Instant,
    fence: u64,
}

impl Oracle {
    fn violated(&self, what: String) {
        self.violations.lock().expect("no panic holds it").push(what);
    }

    /// Another claim while one holds, or one under a fence that is no newer, is none. Of two that overlapped
    /// nothing can be said: whose answer is noted last may have had it first.
    fn claimed(&self, lease: &Lease, asked_at: Instant) {
        let mut leased = self.leased.lock().expect("no panic holds it");
        let (fence, noted_at) = (lease.fence, Instant::now());
        if let Some(last) = leased.get(&lease.task) {
            let (task, before) = (&lease.task, last.fence);
            if asked_at < last.noted_at {
                if fence < before {
                    return;
                }
            } else {
                if noted_at < last.until {
                    self.violated(format!("task {task} was claimed twice, under {before} and {fence}"));
                }
                if fence <= before {
                    self.violated(format!("task {task} was claimed under {fence} after {before}"));
                }
            }
        }
        leased.insert(lease.task.clone(), Claimed { noted_at, until: asked_at + LEASE, fence });
    }

    /// Its worker parts with it.
    fn parted(&self, lease: &Lease) {
        let mut leased = self.leased.lock().expect("no panic holds it");
        if let Some(claimed) = leased.get_mut(&lease.task)
            && claimed.fence == lease.fence
        {
            claimed.until = Instant::now();
        }
    }

    fn is_answered(&self, call: &(TaskId, u32, u32)) -> bool {
        self.answered.lock().expect("no panic holds it").contains(call)
    }
}

fn settings() -> (Duration, u64) {
    let environment = Environment::of_process();
    let number = |name: &str| environment.get(name).map(|value| value.parse().expect("a number"));
    let seconds = number("AIAGENT_CHAOS_SECONDS").unwrap_or(6);
    (Duration::from_secs(seconds), number("AIAGENT_CHAOS_SEED").unwrap_or(20_261_125))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_keeps_its_promises() {
    let (time, seed) = settings();
    let server = RedisServer::start("appendonly yes\nappendfsync always\nauto-aof-rewrite-percentage 0");
    let line = BadLine::start(server.port, Dice::new(seed)).await;
    let config = |port: u16| {
        let timeout = Duration::from_secs(1);
        RedisConfig { timeout, ..RedisConfig::new(format!("redis://127.0.0.1:{port}")) }
    };
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..WORKERS + 2 {
        stores.push(Arc::new(RedisStore::open(config(line.port)).await.expect("the line is good yet")));
    }
    let straight = RedisStore::open(config(server.port)).await.expect("opens");
    let mut dice = Dice::new(seed + 1);
    let trouble = async |until: Instant| {
        let mut kills = 0;
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(dice.below(1500))).await;
            line.worse();
            if dice.one_in(3) {
                server.restart();
                kills += 1;
            } else if dice.one_in(4) {
                server.signal("STOP");
                tokio::time::sleep(LEASE * 2).await;
                server.signal("CONT");
            }
        }
        line.good();
        eprintln!("the server was killed {kills} times; the line: {}", line.said());
    };
    run(seed, time, stores, Arc::new(straight), trouble).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_its_promises() {
    let (time, seed) = settings();
    let folder = tempfile::tempdir().expect("a folder");
    let open =
        || -> Arc<dyn Store> { Arc::new(SqliteStore::open(&folder.path().join("store.db")).expect("opens")) };
    // Two processes' worth.
    let shared = [open(), open()];
    let stores = (0..WORKERS + 2).map(|n| shared[n as usize % 2].clone()).collect();
    let trouble = async |until: Instant| tokio::time::sleep_until(until.into()).await;
    run(seed, time, stores, open(), trouble).await;
}

async fn run(
    seed: u64,
    time: Duration,
    mut stores: Vec<Arc<dyn Store>>,
    straight: Arc<dyn Store>,
    mut trouble: impl AsyncFnMut(Instant),
) {
    eprintln!("seed {seed}, {time:?}");
    let oracle = Arc::new(Oracle::default());
    let tree = straight.put_blob(Bytes::from_static(b"{\"files\":{}}")).await.expect("stores");
    let (until, stop, running) = (Instant::now() + time, CancellationToken::new(), TaskTracker::new());
    let submitter = stores.pop().expect("there is one more");
    running.spawn(submit(submitter, tree, oracle.clone(), Dice::new(seed + 2), until));
    running.spawn(reap(stores.pop().expect("there is one more"), stop.clone()));
    for (number, store) in (0..).zip(stores) {
        running.spawn(work(
            store,
            number,
            oracle.clone(),
            Dice::new(seed + 10 + number),
            until,
            stop.clone(),
        ));
    }
    trouble(until).await;
    drained(straight.as_ref(), &oracle).await;
    stop.cancel();
    running.close();
    running.wait().await;
    tasks::check(straight.as_ref(), &oracle).await;

    let violations = oracle.violations.lock().expect("no panic holds it");
    let submitted = oracle.submitted.lock().expect("no panic holds it").len();
    let finished = oracle.finished.lock().expect("no panic holds it").len();
    let [refused, postponed, late] = [&oracle.refused, &oracle.postponed, &oracle.late]
        .map(|count| *count.lock().expect("no panic holds it"));
    eprintln!(
        "{submitted} tasks acknowledged, {finished} finished green, {late} ended at their deadline, the others lost \
         three workers; {postponed} times one was postponed, {refused} stale writes refused; {} violations",
        violations.len()
    );
    assert!(violations.is_empty(), "seed {seed}: {violations:#?}");
    assert!(submitted > 0 && finished > 0 && postponed > 0 && late > 0, "nothing was done");
}

/// Repeats what did not get through, as clients and workers do.
async fn insist<T, F: Future<Output = Result<T, StoreError>>>(ask: impl Fn() -> F) -> Result<T, StoreError> {
    loop {
        match ask().await {
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            reply => return reply,
        }
    }
}

async fn submit(store: Arc<dyn Store>, tree: Digest, oracle: Arc<Oracle>, mut dice: Dice, until: Instant) {
    let mut number = 0;
    while Instant::now() < until {
        number += 1;
        let key = Idempotency { key: format!("task {number}"), body: Digest::of(b"body") };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
        let deadline = (number % 5 == 0).then(|| now + dice.below(2000));
        // Nobody can have begun it by its deadline.
        let not_before = (number % 10 == 0).then_some(now + 3_600_000);
        // A client that hears nothing sends it again, under another id.
        let send = || {
            let place = Place { tenant: format!("t{}", number % 3), not_before, ..Default::default() };
            let mut new = NewTask::new(TaskId::fresh(), plain::spec("a goal", tree.clone()));
            new.spec.budget.deadline = deadline;
            let max_waiting = Some(MOST_WAITING);
            store.submit(NewTask { place, max_waiting, idempotency: Some(key.clone()), ..new })
        };
        match insist(send).await {
            // It comes back later, as a task of its own.
            Err(StoreError::Full { .. }) => {}
            Ok(submitted) => oracle.submitted.lock().expect("no panic holds it").push(submitted.id),
            Err(error) => oracle.violated(format!("a submission was refused: {error}")),
        }
        tokio::time::sleep(Duration::from_millis(dice.below(30))).await;
    }
}

async fn reap(store: Arc<dyn Store>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        // An outage passes.
        let _ = store.reap().await;
        let _ = store.expire().await;
        tokio::time::sleep(LEASE / 4).await;
    }
}

async fn work(
    store: Arc<dyn Store>,
    number: u64,
    oracle: Arc<Oracle>,
    mut dice: Dice,
    until: Instant,
    stop: CancellationToken,
) {
    let mut nonce = 0;
    while !stop.is_cancelled() {
        nonce += 1;
        let request = ClaimRequest::new(format!("w{number}"), nonce, LEASE);
        let asked_at = Instant::now();
        match insist(|| store.claim(&request)).await {
            Ok(Some(claim)) => {
                oracle.claimed(&claim.lease, asked_at);
                // Once the trouble is over, workers behave.
                let dice = (Instant::now() < until).then_some(&mut dice);
                match drive(store.as_ref(), claim, asked_at, &oracle, dice).await {
                    Ok(()) => {}
                    Err(StoreError::StaleFence { .. }) => {
                        *oracle.refused.lock().expect("no panic holds it") += 1;
                    }
                    Err(error) => oracle.violated(format!("a worker was told: {error}")),
                }
            }
            Ok(None) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(error) => oracle.violated(format!("a claim was refused: {error}")),
        }
    }
}

/// One task from where its record says, as a worker does it. Dies or stalls as the dice say; one that has
/// stalled goes on writing, though no longer asking, as a stopped process does before it looks at its clock.
async fn drive(
    store: &dyn Store,
    claim: Claim,
    asked_at: Instant,
    oracle: &Oracle,
    mut dice: Option<&mut Dice>,
) -> Result<(), StoreError> {
    let Claim { lease, mut task } = claim;
    let line = format!("written under {}", lease.fence);
    let log = EventBody::Log { level: Level::Info, source: "chaos".to_owned(), message: line };
    while task.step < STEPS {
        let step = task.step;
        let known = insist(|| store.journal(&task.id, step)).await?;
        for index in known.len() as u32..CALLS {
            let call = (task.id.clone(), step, index);
            // The lease began after it was asked for: until then nobody else can have had this answer.
            if oracle.is_answered(&call) && asked_at.elapsed() < LEASE {
                oracle.violated(format!(
                    "call {index} of step {step} of {} was answered and made again",
                    task.id
                ));
            }
            let entry = JournalEntry {
                index,
                kind: "model".to_owned(),
                asked: Digest::of(&index.to_le_bytes()),
                request: "{}".to_owned(),
                answer: format!("{} under {}", index, lease.fence),
            };
            insist(|| store.append(&lease, step, entry.clone())).await?;
            oracle.answered.lock().expect("no panic holds it").insert(call);
            if let Some(dice) = dice.as_deref_mut() {
                if dice.one_in(40) {
                    return Ok(());
                }
                if dice.one_in(30) {
                    tokio::time::sleep(LEASE * 2).await;
                }
                if dice.one_in(25) {
                    let times = task.postponed.as_ref().map_or(0, |postponed| postponed.times) + 1;
                    task.postponed = Some(Postponed { times, why: "away".to_owned(), until: 0 });
                    let wait = Duration::from_millis(dice.below(400));
                    oracle.parted(&lease);
                    insist(|| store.postpone(&lease, &task, vec![log.clone()], wait, "away")).await?;
                    *oracle.postponed.lock().expect("no panic holds it") += 1;
                    return Ok(());
                }
            }
        }
        match store.emit(&lease, vec![log.clone()]).await {
            Err(StoreError::Unavailable(_)) | Ok(_) => {}
            Err(error) => return Err(error),
        }
        // Each answer is paid for once, whoever has asked for it.
        task.spend.model_calls += CALLS;
        task.step += 1;
        if task.step == STEPS {
            let tree = task.spec.tree.clone();
            task.outcome = Some(Outcome { reason: Reason::Green, tree, report: None });
            oracle.parted(&lease);
            insist(|| store.finish(&lease, &task, vec![log.clone()])).await?;
            if !oracle.finished.lock().expect("no panic holds it").insert(task.id.clone()) {
                oracle.violated(format!("task {} was finished twice", task.id));
            }
            return Ok(());
        }
        insist(|| store.commit(&lease, &task, vec![log.clone()])).await?;
    }
    Ok(())
}

/// Waits until every task has ended: what was lost is found by the reaper.
async fn drained(store: &dyn Store, oracle: &Oracle) {
    let began = Instant::now();
    loop {
        let stats = insist(|| store.stats()).await.expect("counts");
        if stats.queued + stats.running == 0 {
            eprintln!("all had ended {:.1?} after the trouble", began.elapsed());
            return;
        }
        if began.elapsed() > Duration::from_secs(60) {
            return oracle.violated(format!("a minute after the trouble: {stats:?}"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
