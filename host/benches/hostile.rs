//! What hostile guests cost their host: for every case of the corpus how it ends, how soon, what stays in
//! memory, and how a healthy neighbour fares meanwhile.
//!
//! `cargo bench --bench hostile [-- PART-OF-A-NAME]` prints a table, and then its line for four endless loops at once.
//! Where the neighbour is disturbed, its row also says how much it is at that moment by a thread of the kernel's lowest
//! class that has nothing to do with any guest: no sandbox can be better than that.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use aiagent_host::plugin::{Call, Failure, Runtime};
use aiagent_host::workspace::Tree;
use corpus::{BUDGET, Case, Ended};
use outside::{Model, World};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

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
/// A case is repeated for as long as this in each round, so that the neighbour's 99th percentile means
/// something.
const AT_LEAST: Duration = Duration::from_millis(500);
/// What the goals of all prepared calls may hold.
const MOST_GOALS_BYTES: usize = 512 << 20;
/// The same for what is shown with more care.
const LONG: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;
const SPINNERS: usize = 4;
/// A neighbour whose p99 is longer than so many times that of its being alone. A single p99 varies as much by
/// itself, so what is above is looked at once more, for three times as long.
const DISTURBED: f64 = 1.2;

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn main() {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let cases = corpus::cases();
    tokio.block_on(async {
        let runtime = corpus::folder(&cases).start().await;
        let cases: Vec<_> = cases.into_iter().map(Arc::new).collect();
        println!(
            "{:<32} {:<58} {:>8} {:>8} {:>7} {:>6} {:>6}",
            "case", "outcome", "ended ms", "over ms", "MiB", "p99 ×", "bare ×"
        );
        let mut rows = Vec::new();
        for case in cases.iter().filter(|case| case.name.contains(&filter)) {
            let mut row = measure(&runtime, case, ROUNDS).await;
            if row.neighbour > DISTURBED {
                row = measure(&runtime, case, ROUNDS * 3).await;
            }
            if row.neighbour > DISTURBED {
                row.bare = Some(bare(&runtime).await);
            }
            let over = row.over.map_or_else(|| "-".to_owned(), |over| format!("{:.1}", millis(over)));
            let bare = row.bare.map_or_else(|| "-".to_owned(), |bare| format!("{bare:.2}"));
            println!(
                "{:<32} {:<58} {:>8.1} {over:>8} {:>7.1} {:>6.2} {bare:>6}",
                case.name,
                row.outcome.chars().take(58).collect::<String>(),
                millis(row.ended),
                row.grown_mib,
                row.neighbour,
            );
            rows.push(row);
        }
        let over = rows.iter().filter_map(|row| row.over).max().unwrap_or_default();
        let mut ratios: Vec<f64> = rows.iter().map(|row| row.neighbour).collect();
        let disturbed = rows.iter().filter(|row| row.neighbour > DISTURBED);
        let beyond = disturbed.clone().filter(|row| row.bare.is_some_and(|bare| row.neighbour > bare * DISTURBED));
        println!(
            "\n{} cases; at most {:.1} ms over a budget; the neighbour's p99 is {:.2} × in the median, above {DISTURBED} × \
             in {}, and above {DISTURBED} × what a bare thread does to it in {}",
            rows.len(),
            millis(over),
            median(&mut ratios),
            disturbed.count(),
            beyond.count(),
        );
        crowd(&runtime, &cases).await;
    });
}

/// What the neighbour feels of a thread that computes and asks for memory, outside of all sandboxes.
async fn bare(runtime: &Runtime) -> f64 {
    let (mut beside, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS * 3 {
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
            set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle)
                .expect("may be lower");
            while !until.load(SeqCst) {
                black_box((0..100_000_u64).fold(1, |sum, n| black_box(sum ^ n)));
                drop(black_box(vec![1_u8; 4 << 20]));
            }
        });
        let looked = idle(runtime, AT_LEAST).await;
        over.store(true, SeqCst);
        thread.join().expect("it does not panic");
        beside.push(micros(p99(looked)));
        alone.push(micros(p99(idle(runtime, AT_LEAST).await)));
    }
    median(&mut beside) / median(&mut alone)
}

/// Endless loops for as long as the neighbour is looked at, then the same without them; several times, as
/// the machine's speed drifts.
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn crowd(runtime: &Runtime, cases: &[Arc<Case>]) {
    let spin = cases.iter().find(|case| case.name == "builder-call-spin").expect("it is in the table");
    let (mut late, mut beside, mut alone) = (Duration::ZERO, Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(micros(p99(idle(runtime, LONG).await)));
        let over = Arc::new(AtomicBool::new(false));
        let looked = watch(runtime, &over);
        let begun = Instant::now();
        while begun.elapsed() < LONG {
            let spinners = (0..SPINNERS).map(|_| spin.run(runtime));
            for ended in futures_util::future::join_all(spinners).await {
                let computed = ended.usage.map_or(Duration::ZERO, |usage| usage.compute);
                late = late.max(computed.saturating_sub(BUDGET));
            }
        }
        over.store(true, SeqCst);
        beside.push(micros(p99(looked.await.expect("the neighbour does not panic"))));
    }
    let (beside, alone) = (median(&mut beside), median(&mut alone));
    println!(
        "{SPINNERS} endless loops on {} processors: each stopped within {:.1} ms of its budget; a healthy step's \
         p99, timer included: {beside:.0} µs, alone {alone:.0} µs: {:.2} ×",
        std::thread::available_parallelism().map_or(1, usize::from),
        millis(late),
        beside / alone,
    );
}

struct Row {
    outcome: String,
    /// From the call to its end, in the median; what its plugin must rest before it is not counted.
    ended: Duration,
    /// Computed beyond the budget, at most; `None` where it was not the budget that ended it.
    over: Option<Duration>,
    grown_mib: f64,
    /// Its p99 over that without the case, each the median of the rounds.
    neighbour: f64,
    /// The same beside a bare thread; looked at where the neighbour was disturbed.
    bare: Option<f64>,
}

/// A case over and over for a while, then the neighbour alone for as long; several times, as the machine's
/// speed drifts.
async fn measure(runtime: &Runtime, case: &Arc<Case>, rounds: usize) -> Row {
    let before = resident_mib();
    let (mut beside, mut alone) = (Vec::new(), Vec::new());
    let (mut times, mut late, mut outcome) = (Vec::new(), None, String::new());
    let count = calls(runtime, case).await;
    for _ in 0..rounds {
        let over = Arc::new(AtomicBool::new(false));
        let calls = (0..count).map(|_| case.call()).collect();
        let looked = watch(runtime, &over);
        let hammered = hammer(runtime, case, calls).await;
        over.store(true, SeqCst);
        beside.push(micros(p99(looked.await.expect("the neighbour does not panic"))));
        for (ended, _) in hammered.done {
            times.extend(ended.usage.map(|usage| usage.wall));
            if let (Err(Failure::Compute(budget)), Some(usage)) = (&ended.result, ended.usage) {
                late = late.max(Some(usage.compute.saturating_sub(*budget)));
            }
            outcome = ended.result.map_or_else(|failure| failure.to_string(), |()| "done".to_owned());
        }
        alone.push(micros(p99(idle(runtime, AT_LEAST).await)));
    }
    times.sort();
    let recorded = || {
        let listing = runtime.listing();
        let plugin = listing.loaded.iter().find(|loaded| loaded.plugin.name == case.name);
        Duration::from_micros(plugin.and_then(|loaded| loaded.uses.median_us).unwrap_or_default())
    };
    Row {
        outcome,
        ended: times.get(times.len() / 2).copied().unwrap_or_else(recorded),
        over: late,
        grown_mib: resident_mib() - before,
        neighbour: median(&mut beside) / median(&mut alone),
        bare: None,
    }
}

/// One call after the other, for a while or until there are none left. What is no part of a call, taking apart
/// what is left of it, is for whoever called this.
async fn hammer(runtime: &Runtime, case: &Arc<Case>, calls: Vec<Call>) -> Hammered {
    let (runtime, case) = (runtime.clone(), Arc::clone(case));
    let called = tokio::spawn(async move {
        let mut done = Vec::with_capacity(calls.len());
        let (mut calls, begun) = (calls.into_iter(), Instant::now());
        while begun.elapsed() < AT_LEAST
            && let Some(call) = calls.next()
        {
            let (ended, tree) = case.run_with(call, &runtime).await;
            assert!(case.outcome.is_that_of(&ended.result), "{}: {:?}", case.name, ended.result);
            done.push((ended, tree));
        }
        Hammered { done, _rest: calls }
    });
    called.await.expect("it does not panic")
}

struct Hammered {
    done: Vec<(Ended, Tree)>,
    _rest: std::vec::IntoIter<Call>,
}

/// More than are done in a round. They are made before it begins, as that is no part of a call.
async fn calls(runtime: &Runtime, case: &Arc<Case>) -> usize {
    let (mut count, mut bytes, begun) = (0, 0, Instant::now());
    while begun.elapsed() < AT_LEAST {
        let call = case.call();
        bytes = call.goal.len();
        hammer(runtime, case, vec![call]).await;
        count += 2;
    }
    count.min(MOST_GOALS_BYTES / bytes.max(1))
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

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn resident_mib() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: f64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096.0 / f64::from(1 << 20)
}
