//! What a step can do, and what it is told.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use aiagent_host::plugin::{Decision, Failure, StepError};
use aiagent_host::task::{Level, Verdict};
use aiagent_host::workspace::{Blob, Globs, Tree, TreePath};
use tokio::sync::Barrier;

use crate::guest::{Folder, guest, module, serving, source, wasi};
use crate::outside::{Model, World};

fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, content) in files {
        let path = TreePath::parse(path).expect("a path");
        tree.put(path, Blob::new(content.as_bytes().to_vec()), None).expect("it fits");
    }
    tree
}

#[tokio::test]
async fn a_builder_returns_its_summary() {
    let runtime = serving("builder", "noop").await;
    let ended = runtime.build("noop", World::new(Model::Never).call()).await;
    assert_eq!(ended.result, Ok("done".to_owned()));
    assert_eq!(Some(&ended.digest), runtime.catalog().find("noop").map(|noop| &noop.digest));
    assert!(ended.usage.peak_memory_bytes >= 2 * 65536);
}

#[tokio::test]
async fn a_fixer_decides() {
    let runtime = serving("fixer", "rebuild").await;
    let ended = runtime.fix("rebuild", World::new(Model::Never).call()).await;
    assert_eq!(ended.result, Ok(Decision::Rebuild("again".into())));
}

#[tokio::test]
async fn a_builder_asks_the_model() {
    let runtime = serving("builder", "ask").await;
    let ended = runtime.build("ask", World::new(Model::Says("an answer")).call()).await;
    assert_eq!(ended.result, Ok("an answer".to_owned()));
}

#[tokio::test]
async fn a_builder_changes_the_tree_but_not_protected_files() {
    let source = source("write") + &source("write_builder");
    let runtime = Folder::new().with("write", module("builder", &source)).start().await;
    let world = World::new(Model::Never);

    let ended = runtime.build("write", world.call()).await;
    assert_eq!((ended.result, ended.tree), (Ok("new".to_owned()), tree(&[("a.txt", "new")])));

    let mut call = world.call();
    call.tree = tree(&[("a.txt", "old")]);
    call.protected = Globs::new(["*.txt"]).expect("a glob");
    let ended = runtime.build("write", call).await;
    let denied = StepError::Denied("a.txt is protected (by the glob \"*.txt\")".into());
    assert_eq!((ended.result, ended.tree), (Err(Failure::Step(denied)), tree(&[("a.txt", "old")])));
}

#[tokio::test]
async fn a_checker_changes_nothing() {
    let source = source("write") + &source("write_checker");
    let runtime = Folder::new().with("write", module("checker", &source)).start().await;
    let ended = runtime.check("write", World::new(Model::Never).call()).await;
    let denied = StepError::Denied("a checker can't change files".into());
    assert_eq!((ended.result, ended.tree), (Err(Failure::Step(denied)), Tree::default()));
}

#[tokio::test]
async fn reports_are_cut_to_the_sizes_of_the_contract() {
    let runtime = serving("checker", "long_report").await;
    let report =
        runtime.check("long_report", World::new(Model::Never).call()).await.result.expect("a report");
    assert_eq!((report.verdict, report.problems.len()), (Verdict::Failed, 200));
    assert!(report.output.len() <= 64 << 10, "{}", report.output.len());
    assert!(report.output.starts_with("[300 problems were found; the first 200 are kept]\n"));
    assert!(report.output.contains("bytes left out …]"));
}

#[tokio::test]
async fn the_checker_runs_32_times_per_step() {
    let runtime = serving("builder", "check_often").await;
    let world = World::new(Model::Never);
    let ended = runtime.build("check_often", world.call()).await;
    let denied = "check.run was called 32 times in this step, which is the limit".to_owned();
    assert_eq!(ended.result, Err(Failure::Step(StepError::Denied(denied))));
    assert_eq!(world.checks.load(SeqCst), 32);
}

#[tokio::test]
async fn the_outside_can_end_a_call_without_telling_the_guest() {
    let runtime = serving("builder", "ask").await;
    let ended = runtime.build("ask", World::new(Model::Ends(Failure::LeaseLost)).call()).await;
    assert_eq!(ended.result, Err(Failure::LeaseLost));
}

#[tokio::test]
async fn a_panic_of_the_host_ends_one_call() {
    let runtime = serving("builder", "ask").await;
    let ended = runtime.build("ask", World::new(Model::Panics).call()).await;
    let panicked = "a host call panicked: the model door is broken".to_owned();
    assert_eq!(ended.result, Err(Failure::Host(panicked)));
    let ended = runtime.build("ask", World::new(Model::Says("still here")).call()).await;
    assert_eq!(ended.result, Ok("still here".to_owned()));
}

#[tokio::test]
async fn plugins_are_found_by_name_and_kind() {
    let runtime = Folder::new().with("noop", guest("builder", "noop")).with("broken", "text").start().await;
    let world = World::new(Model::Never);
    let missing = |name: &str| Failure::Missing(name.to_owned());
    assert_eq!(runtime.build("nothing", world.call()).await.result, Err(missing("nothing")));
    let other_kind = missing("noop is a builder, not a checker");
    assert_eq!(runtime.check("noop", world.call()).await.result, Err(other_kind));
    let Err(Failure::Missing(refused)) = runtime.build("broken", world.call()).await.result else {
        panic!("a refused plugin can't be called");
    };
    assert!(refused.starts_with("broken was refused: not WebAssembly"), "{refused}");
}

/// Waiting guests hold no thread: with two threads, 200 of them meet at one barrier.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_guests_wait_on_two_threads() {
    let runtime = serving("builder", "ask").await;
    let world = World::new(Model::Together(Barrier::new(200)));
    let calls = (0..200).map(|_| {
        let (runtime, call) = (runtime.clone(), world.call());
        tokio::spawn(async move { runtime.build("ask", call).await.result })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.expect("the call's task ends"), Ok("together".to_owned()));
    }
}

/// Printing, time and chance are the host's: the log, a clock that counts, the step's seed.
#[tokio::test]
async fn wasi_is_inert_and_repeatable() {
    let runtime = Folder::new().with("wasi", wasi()).start().await;
    let world = World::new(Model::Never);
    let first = runtime.build("wasi", world.call()).await;
    let summary = first.result.expect("it prints, sleeps and draws");
    // One hour has passed for the guest.
    assert_eq!(&summary.as_bytes()[..8], b"!       ");
    assert!(first.usage.wall < Duration::from_secs(60), "{:?}", first.usage);
    let printed = ["first", "second, without an end"].map(|line| (Level::Info, line.to_owned()));
    assert_eq!(*world.lines.lock().expect("nobody panicked"), printed);

    assert_eq!(runtime.build("wasi", world.call()).await.result, Ok(summary.clone()));
    let mut other = world.call();
    other.seed += 1;
    assert_ne!(runtime.build("wasi", other).await.result, Ok(summary));
}
