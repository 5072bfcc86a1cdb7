//! Each limit, met by a guest that goes over it. The host lives, and the failure has the right type.

use std::time::{Duration, Instant};

use aiagent_host::plugin::{Failure, Overrides};
use aiagent_host::task::{Level, Verdict};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::guest::{Folder, guest, module, serving, source};
use crate::outside::{Model, World};

const BUDGET: Duration = Duration::from_millis(100);

async fn failure(name: &str) -> Failure {
    let runtime = serving("builder", name).await;
    let mut call = World::new(Model::Never).call();
    call.compute_left = BUDGET.min(call.compute_left);
    let ended = runtime.build(name, call).await;
    ended.result.expect_err("the guest misbehaves")
}

#[tokio::test]
async fn endless_loops_end_with_the_compute_budget() {
    for name in ["spin", "spin_in_start"] {
        let begun = Instant::now();
        assert_eq!(failure(name).await, Failure::Compute(BUDGET), "{name}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}");
    }
}

#[tokio::test]
async fn a_plugin_s_own_budget_applies_too() {
    let overrides = Overrides { compute_ms: Some(30), ..Overrides::default() };
    let runtime = Folder::new().with("spin", guest("builder", "spin")).set("spin", overrides).start().await;
    let ended = runtime.build("spin", World::new(Model::Never).call()).await;
    assert_eq!(ended.result, Err(Failure::Compute(Duration::from_millis(30))));
    assert!(ended.usage.compute >= Duration::from_millis(30));
}

/// The model takes twice the budget; only what the guest computed is counted.
#[tokio::test]
async fn waiting_is_not_computing() {
    let runtime = serving("builder", "ask").await;
    let mut call = World::new(Model::Takes(2 * BUDGET)).call();
    call.compute_left = BUDGET;
    let ended = runtime.build("ask", call).await;
    assert_eq!(ended.result, Ok("slow".to_owned()));
    assert!(ended.usage.wall >= 2 * BUDGET && ended.usage.compute < BUDGET, "{:?}", ended.usage);
}

#[tokio::test]
async fn the_deadline_ends_a_wait() {
    let runtime = serving("builder", "ask").await;
    let mut call = World::new(Model::Never).call();
    call.wall_left = BUDGET;
    assert_eq!(runtime.build("ask", call).await.result, Err(Failure::Deadline(BUDGET)));
}

#[tokio::test]
async fn the_deadline_ends_a_computation() {
    let runtime = serving("builder", "spin").await;
    let mut call = World::new(Model::Never).call();
    call.wall_left = BUDGET;
    assert_eq!(runtime.build("spin", call).await.result, Err(Failure::Deadline(BUDGET)));
}

#[tokio::test]
async fn the_longest_deadline_does_not_wrap() {
    let runtime = serving("builder", "ask").await;
    let mut call = World::new(Model::Says("hi")).call();
    (call.wall_left, call.compute_left) = (Duration::MAX, Duration::MAX);
    assert_eq!(runtime.build("ask", call).await.result, Ok("hi".to_owned()));
}

#[tokio::test]
async fn cancel_ends_a_wait_and_a_computation() {
    let runtime = serving("builder", "ask").await;
    let world = World::new(Model::Never);
    let call = world.call();
    let cancel = call.cancel.clone();
    let (ended, ()) = tokio::join!(runtime.build("ask", call), async {
        world.asked.notified().await;
        cancel.cancel();
    });
    assert_eq!(ended.result, Err(Failure::Cancelled));

    let runtime = serving("builder", "spin").await;
    let call = world.call();
    let cancel = call.cancel.clone();
    // On this one thread the canceller runs only if the guest yields.
    let (ended, ()) = tokio::join!(runtime.build("spin", call), async { cancel.cancel() });
    assert_eq!(ended.result, Err(Failure::Cancelled));
}

#[tokio::test]
async fn memory_is_limited_over_memories_and_tables_together() {
    let limit = Failure::Memory(128 << 20);
    assert_eq!(failure("grow").await, limit);
    // 80 MiB in each of two memories.
    let two = "(memory $second 0)
        (func $step (result i32)
          (drop (memory.grow 1 (i32.const 1280)))
          (if (i32.eq (i32.const -1) (memory.grow $second (i32.const 1280))) (then unreachable))
          (i32.const 0))";
    let runtime = Folder::new().with("two", module("builder", two)).start().await;
    let ended = runtime.build("two", World::new(Model::Never).call()).await;
    assert_eq!(ended.result, Err(limit));
    assert!(ended.usage.peak_memory_bytes <= 128 << 20);
    // The frame's two pages, 13 more, and a table for what is left of 1 MiB.
    let overrides = Overrides { memory_mib: Some(1), ..Overrides::default() };
    let folder =
        Folder::new().with("grow_table", guest("builder", "grow_table")).set("grow_table", overrides);
    let ended = folder.start().await.build("grow_table", World::new(Model::Never).call()).await;
    assert_eq!(ended.result, Err(Failure::Memory(1 << 20)));
}

#[tokio::test]
async fn what_a_call_returns_is_limited() {
    for name in ["big_answer", "huge_answer"] {
        assert_eq!(failure(name).await, Failure::Output(1 << 20), "{name}");
    }
}

#[tokio::test]
async fn traps_name_their_function() {
    let Failure::Trap(text) = failure("unreachable").await else { panic!("not a trap") };
    assert_eq!(text, "wasm `unreachable` instruction executed; in inner < step < build");
    let Failure::Trap(text) = failure("recurse").await else { panic!("not a trap") };
    assert!(text.starts_with("call stack exhausted (endless recursion?); in deeper < deeper"), "{text}");
    let Failure::Trap(text) = failure("bad_pointer").await else { panic!("not a trap") };
    assert!(text.contains("out of bounds"), "{text}");
}

#[tokio::test]
async fn a_flood_of_log_lines_is_dropped_and_counted() {
    let runtime = serving("builder", "log_flood").await;
    let world = World::new(Model::Never);
    let ended = runtime.build("log_flood", world.call()).await;
    assert_eq!(ended.result, Ok("xxxx".to_owned()));
    let lines = world.lines.lock().expect("nobody panicked");
    let kept = (256 << 10) / 101;
    assert_eq!(lines.len(), kept + 1);
    let note = format!("{} more log lines were dropped (raise plugins.NAME.log_kib)", 20_000 - kept);
    assert_eq!(lines.last(), Some(&(Level::Warn, note)));
}

#[tokio::test]
async fn a_flood_of_empty_lines_ends_too() {
    let empty = source("log_flood").replace("i32.const 100)", "i32.const 0)");
    let runtime = Folder::new().with("empty", module("builder", &empty)).start().await;
    let world = World::new(Model::Never);
    assert_eq!(runtime.build("empty", world.call()).await.result, Ok("\0\0\0\0".to_owned()));
    let lines = world.lines.lock().expect("nobody panicked");
    assert_eq!(lines.len(), 10_001);
    assert!(lines[10_000].1.starts_with("10000 more log lines were dropped"), "{:?}", lines[10_000]);
}

/// A guest that computes without end leaves room for its neighbours on the same thread.
#[tokio::test]
async fn a_spinner_does_not_stop_its_neighbours() {
    let folder = Folder::new().with("spin", guest("builder", "spin")).with("ask", guest("builder", "ask"));
    let runtime = folder.start().await;
    let spinner = World::new(Model::Never).call();
    let cancel = spinner.cancel.clone();
    let (spun, asked) = tokio::join!(runtime.build("spin", spinner), async {
        let ended = runtime.build("ask", World::new(Model::Takes(Duration::from_millis(20))).call()).await;
        cancel.cancel();
        ended
    });
    assert_eq!((spun.result, asked.result), (Err(Failure::Cancelled), Ok("slow".to_owned())));
}

/// One more than there are turns; the check that comes after them does not wait for their ends.
#[tokio::test]
async fn endless_checks_hold_up_nobody() {
    let quick = "(func $step (result i32)
        (call $report (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))";
    let plugins =
        Folder::new().with("spin", guest("checker", "spin")).with("quick", module("checker", quick));
    let (runtime, world) = (plugins.start().await, World::new(Model::Never));
    let turns = std::thread::available_parallelism().map_or(1, usize::from);
    let calls: Vec<_> = (0..=turns).map(|_| world.call()).collect();
    let stops: Vec<_> = calls.iter().map(|call| call.cancel.clone()).collect();
    let (endless, quick) =
        tokio::join!(join_all(calls.into_iter().map(|call| runtime.check("spin", call))), async {
            let ended = runtime.check("quick", world.call()).await;
            stops.iter().for_each(CancellationToken::cancel);
            ended.result
        });
    assert_eq!(quick.map(|report| report.verdict), Ok(Verdict::Passed));
    assert!(endless.iter().all(|ended| ended.result == Err(Failure::Cancelled)));
}
