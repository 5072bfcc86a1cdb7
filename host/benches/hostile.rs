//! What hostile guests cost their host: for every case of the corpus how it ends, how soon, what stays in
//! memory, and how a healthy neighbour fares meanwhile.
//!
//! `cargo bench --bench hostile` prints a table, and then the same for four endless loops at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use aiagent_host::plugin::{Failure, Runtime};
use corpus::{BUDGET, Case};
use outside::{Model, World};

#[path = "../tests/support/hostile.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod corpus;
#[path = "../tests/support/guest.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod guest;
#[path = "../tests/support/outside.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod outside;

/// The neighbour has a step to do this often, by the clock.
const PACE: Duration = Duration::from_millis(1);
/// A case is repeated for as long as this, so that the neighbour's 99th percentile means something.
const AT_LEAST: Duration = Duration::from_millis(500);
/// The same for what is shown with more care.
const LONG: Duration = Duration::from_secs(5);
const SPINNERS: usize = 4;

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn main() {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let cases = corpus::cases();
    tokio.block_on(async {
        let runtime = corpus::folder(&cases).start().await;
        idle(&runtime, AT_LEAST).await;
        let alone = p99(idle(&runtime, LONG).await);
        println!("a healthy step alone, timer included: p99 {:.0} µs\n", micros(alone));
        println!(
            "{:<32} {:<58} {:>8} {:>8} {:>7} {:>6}",
            "case", "outcome", "ended ms", "over ms", "MiB", "p99 ×"
        );
        let mut worst: (Duration, f64) = (Duration::ZERO, 0.0);
        for case in &cases {
            let row = measure(&runtime, case).await;
            let over =
                row.over.map_or_else(|| "-".to_owned(), |over| format!("{:.1}", over.as_secs_f64() * 1e3));
            let ratio = row.neighbour.as_secs_f64() / alone.as_secs_f64();
            println!(
                "{:<32} {:<58} {:>8.1} {over:>8} {:>7.1} {ratio:>6.2}",
                case.name,
                row.outcome.chars().take(58).collect::<String>(),
                row.ended.as_secs_f64() * 1e3,
                row.grown_mib,
            );
            worst = (worst.0.max(row.over.unwrap_or_default()), worst.1.max(ratio));
        }
        println!(
            "\n{} cases; at most {:.1} ms over a budget; p99 at most {:.2} ×",
            cases.len(),
            worst.0.as_secs_f64() * 1e3,
            worst.1
        );
        crowd(&runtime, &cases).await;
    });
}

/// Four endless loops for as long as the neighbour is looked at, then the same without them.
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn crowd(runtime: &Runtime, cases: &[Case]) {
    let spin = cases.iter().find(|case| case.name == "builder-call-spin").expect("it is in the table");
    let over = Arc::new(AtomicBool::new(false));
    let looked = watch(runtime, &over);
    let begun = Instant::now();
    let mut late = Duration::ZERO;
    while begun.elapsed() < LONG {
        let spinners = (0..SPINNERS).map(|_| spin.run(runtime));
        for ended in futures_util::future::join_all(spinners).await {
            late = late.max(ended.usage.map_or(Duration::ZERO, |usage| usage.compute).saturating_sub(BUDGET));
        }
    }
    over.store(true, SeqCst);
    let beside = p99(looked.await.expect("the neighbour does not panic"));
    let alone = p99(idle(runtime, LONG).await);
    println!(
        "{SPINNERS} endless loops on {} processors: each stopped within {:.1} ms of its budget; the neighbour's p99 is {:.0} µs, alone {:.0} µs: {:.2} ×",
        std::thread::available_parallelism().map_or(1, usize::from),
        late.as_secs_f64() * 1e3,
        micros(beside),
        micros(alone),
        beside.as_secs_f64() / alone.as_secs_f64(),
    );
}

struct Row {
    outcome: String,
    /// From the call to its end, in the median.
    ended: Duration,
    /// Computed beyond the budget, at most; `None` where it was not the budget that ended it.
    over: Option<Duration>,
    grown_mib: f64,
    neighbour: Duration,
}

async fn measure(runtime: &Runtime, case: &Case) -> Row {
    let before = resident_mib();
    let over = Arc::new(AtomicBool::new(false));
    let looked = watch(runtime, &over);
    let begun = Instant::now();
    let (mut times, mut late, mut outcome) = (Vec::new(), None, String::new());
    while begun.elapsed() < AT_LEAST {
        let called = Instant::now();
        let ended = case.run(runtime).await;
        times.push(called.elapsed());
        assert!(case.outcome.is_that_of(&ended.result), "{}: {:?}", case.name, ended.result);
        if let (Err(Failure::Compute(budget)), Some(usage)) = (&ended.result, ended.usage) {
            late = late.max(Some(usage.compute.saturating_sub(*budget)));
        }
        outcome = ended.result.map_or_else(|failure| failure.to_string(), |()| "done".to_owned());
    }
    over.store(true, SeqCst);
    let neighbour = p99(looked.await.expect("the neighbour does not panic"));
    times.sort();
    Row { outcome, ended: times[times.len() / 2], over: late, grown_mib: resident_mib() - before, neighbour }
}

/// A healthy step every millisecond, on a task of its own: each with how long after its time it was done.
fn watch(runtime: &Runtime, over: &Arc<AtomicBool>) -> tokio::task::JoinHandle<Vec<Duration>> {
    let (runtime, over) = (runtime.clone(), Arc::clone(over));
    tokio::spawn(async move {
        let world = World::new(Model::Never);
        let mut times = Vec::new();
        while !over.load(SeqCst) {
            let due = Instant::now() + PACE;
            tokio::time::sleep_until(due.into()).await;
            let ended = runtime.build("healthy", world.call()).await;
            assert_eq!(ended.result, Ok("done".to_owned()));
            times.push(due.elapsed());
        }
        times
    })
}

async fn idle(runtime: &Runtime, long: Duration) -> Vec<Duration> {
    let over = Arc::new(AtomicBool::new(false));
    let looked = watch(runtime, &over);
    tokio::time::sleep(long).await;
    over.store(true, SeqCst);
    looked.await.expect("the neighbour does not panic")
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn resident_mib() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: f64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096.0 / f64::from(1 << 20)
}
