//! What may take a plugin's place, and what happens when it should not have.

use std::sync::Arc;
use std::time::Duration;

use aiagent_host::plugin::{Failure, Overrides, Refused, Runtime, Status, What, allow, inspect};
use aiagent_host::store::MemoryStore;
use aiagent_host::task::{Budget, Digest, EventBody, Reason};

use crate::guest::{Folder, guest, module, source, variant};
use crate::outside::{Model, World};
use crate::shop::Shop;

/// A folder whose runtime remembers what it has served.
fn remembering() -> Folder {
    let mut folder = Folder::new();
    folder.settings.ledger_dir = Some(folder.dir.path().join("ledger"));
    folder.settings.try_out = true;
    folder
}

async fn reload(runtime: &Runtime) -> Vec<Refused> {
    runtime.reload().await.expect("the folder is there").refused.clone()
}

async fn built(runtime: &Runtime) -> Result<String, Failure> {
    runtime.build("step", World::new(Model::Says("asked")).call()).await.result
}

fn changes(runtime: &Runtime) -> Vec<What> {
    runtime.listing().history.iter().map(|change| change.what).collect()
}

#[tokio::test]
async fn who_asks_for_more_waits_for_the_operators_word_also_over_a_restart() {
    let folder = remembering().with("step", guest("builder", "noop"));
    let runtime = folder.start().await;
    folder.put("step", guest("builder", "ask"));
    let [held] = reload(&runtime).await.try_into().expect("one file");
    assert_eq!(
        (held.status, held.reason.as_str()),
        (Status::HeldBack, "asks for more than the step before it: model")
    );
    assert!(
        held.remedy.contains("plugins allow") && held.remedy.contains("[plugins.step] digest = "),
        "{}",
        held.remedy
    );
    assert_eq!(held.digest, Some(Digest::of(&guest("builder", "ask"))));
    assert_eq!(held.still_serving, Some(Digest::of(&guest("builder", "noop"))));
    assert_eq!(built(&runtime).await, Ok("done".to_owned()));

    let seen = inspect(&folder.file("step"), &folder.settings).expect("it can be read");
    assert_eq!(seen.missing.len(), 1);
    assert_eq!(seen.missing[0].what, held.reason);

    let runtime = folder.start().await;
    assert_eq!(runtime.catalog().refused, [held]);
    assert_eq!(built(&runtime).await, Ok("done".to_owned()));

    allow(&folder.file("step"), &folder.settings).expect("nothing else is wrong with it");
    assert_eq!(reload(&runtime).await, []);
    assert_eq!(built(&runtime).await, Ok("asked".to_owned()));
    assert_eq!(changes(&runtime), [What::Added, What::HeldBack, What::Replaced]);
}

#[tokio::test]
async fn hosts_on_one_state_folder_keep_what_each_of_them_wrote() {
    let one = remembering().with("step", guest("builder", "noop"));
    let mut other = remembering().with("other", guest("builder", "noop"));
    other.settings.ledger_dir.clone_from(&one.settings.ledger_dir);
    let second = other.start().await;
    drop(one.start().await);
    other.put("more", guest("builder", "noop"));
    assert_eq!(reload(&second).await, []);

    one.put("step", guest("builder", "ask"));
    let first = one.start().await;
    assert_eq!(first.catalog().refused[0].status, Status::HeldBack, "it served one that may do less");
    assert_eq!(changes(&first), [What::Added, What::Added, What::Added, What::HeldBack]);
}

#[tokio::test]
async fn the_operators_word_may_be_a_line_that_names_the_digest() {
    let vouched = Overrides { digest: Some(Digest::of(&guest("builder", "ask"))), ..Overrides::default() };
    let folder = remembering().with("step", guest("builder", "noop")).set("step", vouched);
    let runtime = folder.start().await;
    folder.put("step", guest("builder", "ask"));
    assert_eq!(reload(&runtime).await, []);
    assert_eq!(built(&runtime).await, Ok("asked".to_owned()));
}

#[tokio::test]
async fn a_plugin_of_another_kind_or_one_put_back_later_does_not_slip_in() {
    let folder = remembering().with("step", guest("builder", "noop"));
    let runtime = folder.start().await;
    folder.put("step", guest("fixer", "rebuild"));
    let refused = reload(&runtime).await;
    assert_eq!(
        refused[0].reason,
        "asks for more than the step before it: to be a fixer where there is a builder"
    );

    std::fs::remove_file(folder.file("step")).expect("it was there");
    assert_eq!(reload(&runtime).await, []);
    assert_eq!(built(&runtime).await, Err(Failure::Missing("step".into())));
    folder.put("step", guest("builder", "ask"));
    let refused = reload(&runtime).await;
    assert_eq!((refused[0].status, &refused[0].still_serving), (Status::HeldBack, &None));
    folder.put("step", variant(&guest("builder", "noop"), 1));
    assert_eq!(reload(&runtime).await, []);
    assert_eq!(built(&runtime).await, Ok("done".to_owned()));
}

#[tokio::test]
async fn a_namesake_from_another_folder_gets_no_more_than_the_one_whose_place_it_takes() {
    let second = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(second.path().join("step.wasm"), guest("builder", "ask")).expect("it is written");
    let mut folder = remembering().with("step", guest("builder", "noop"));
    folder.settings.dirs.push(second.path().to_owned());
    let runtime = folder.start().await;
    assert_eq!(built(&runtime).await, Ok("done".to_owned()));
    std::fs::remove_file(folder.file("step")).expect("it was there");
    let refused = reload(&runtime).await;
    assert_eq!(refused[0].reason, "asks for more than the step before it: model");
    assert!(matches!(built(&runtime).await, Err(Failure::Missing(_))));
}

#[tokio::test]
async fn grants_and_larger_limits_may_be_bound_to_a_digest() {
    let shell = guest("builder", "exec");
    let bound = Overrides {
        exec: true,
        digest: Some(Digest::of(&shell)),
        compute_ms: Some(5),
        memory_mib: Some(512),
        ..Overrides::default()
    };
    let folder = remembering().with("step", &shell).set("step", bound);
    let runtime = folder.start().await;
    let trusted = runtime.catalog().find("step").cloned().expect("it is loaded");
    assert_eq!((trusted.grants, trusted.limits.memory_bytes), (vec!["exec".to_owned()], 512 << 20));

    folder.put("step", variant(&shell, 1));
    let refused = reload(&runtime).await;
    let short = trusted.digest.short();
    assert_eq!(refused[0].status, Status::HeldBack);
    assert_eq!(
        refused[0].reason,
        format!("imports aiagent:step/exec@0.1.0, which is granted to {short} only")
    );

    folder.put("step", guest("builder", "noop"));
    assert_eq!(reload(&runtime).await, []);
    let other = runtime.catalog().find("step").cloned().expect("it is loaded");
    assert_eq!(
        (other.limits.compute_ms, other.limits.memory_bytes),
        (5, 128 << 20),
        "only tighter limits stay"
    );
    assert_ne!(other.policy, trusted.policy);
}

#[tokio::test]
async fn a_plugin_that_does_not_start_is_not_served() {
    let folder = remembering().with("step", guest("builder", "noop"));
    let runtime = folder.start().await;
    folder.put("step", guest("builder", "spin_in_start"));
    let refused = reload(&runtime).await;
    assert!(
        refused[0].reason.starts_with("does not start: used up its compute budget"),
        "{}",
        refused[0].reason
    );
    assert_eq!(built(&runtime).await, Ok("done".to_owned()));
}

#[tokio::test]
async fn the_same_content_is_no_change() {
    let folder = remembering().with("step", guest("builder", "noop"));
    let runtime = folder.start().await;
    folder.put("step", guest("builder", "noop"));
    reload(&runtime).await;
    assert_eq!((runtime.catalog().generation, changes(&runtime)), (1, vec![What::Added]));
    let runtime = folder.start().await;
    assert_eq!((runtime.catalog().generation, changes(&runtime)), (1, vec![What::Added]));
    folder.put("step", variant(&guest("builder", "noop"), 1));
    let runtime = folder.start().await;
    assert_eq!((runtime.catalog().generation, changes(&runtime)), (2, vec![What::Added, What::Replaced]));
}

#[tokio::test]
async fn three_traps_in_a_row_bring_the_one_before_back() {
    let folder = remembering().with("step", guest("builder", "noop"));
    let runtime = folder.start().await;
    folder.put("step", guest("builder", "unreachable"));
    assert_eq!(reload(&runtime).await, []);
    let on = runtime.now();
    for trap in 1..=4 {
        let call = || World::new(Model::Never).call();
        let ended = on.build("step", call()).await;
        assert!(matches!(ended.result, Err(Failure::Trap(_))), "{:?}", ended.result);
        let before = ended.fallback.expect("it is on trial").generation;
        assert_eq!(before.build("step", call()).await.result, Ok("done".to_owned()));
        assert_eq!(before.take_withdrawn().len(), usize::from(trap == 3));
    }
    assert_eq!(built(&runtime).await, Ok("done".to_owned()));
    for runtime in [runtime, folder.start().await] {
        let [withdrawn] = reload(&runtime).await.try_into().expect("one file");
        assert_eq!(withdrawn.status, Status::Withdrawn);
        assert!(
            withdrawn.reason.starts_with("withdrawn after 3 traps in a row, the last: trapped: "),
            "{}",
            withdrawn.reason
        );
        assert_eq!(built(&runtime).await, Ok("done".to_owned()));
        assert_eq!(changes(&runtime), [What::Added, What::Replaced, What::Withdrawn]);
    }
    let runtime = folder.start().await;
    folder.put("step", variant(&guest("builder", "noop"), 1));
    assert_eq!(reload(&runtime).await, []);
    assert_eq!(built(&runtime).await, Ok("done".to_owned()));
}

/// However many tasks bring it: whoever submits them decides nothing about a plugin.
#[tokio::test]
async fn an_input_that_the_one_before_traps_on_as_well_withdraws_nothing() {
    let folder = remembering().with("step", guest("builder", "unreachable"));
    let runtime = folder.start().await;
    let new = variant(&guest("builder", "unreachable"), 1);
    folder.put("step", &new);
    assert_eq!(reload(&runtime).await, []);
    for _ in 0..5 {
        let call = || World::new(Model::Never).call();
        let before = runtime.build("step", call()).await.fallback.expect("it is on trial").generation;
        let ended = before.build("step", call()).await;
        assert!(matches!(ended.result, Err(Failure::Trap(_))) && ended.fallback.is_none());
        assert_eq!(before.take_withdrawn(), []);
    }
    assert_eq!(runtime.catalog().find("step").map(|step| &step.digest), Some(&Digest::of(&new)));
}

#[tokio::test]
async fn the_first_plugin_of_a_name_has_nothing_to_go_back_to() {
    let folder = remembering().with("step", guest("builder", "unreachable"));
    let runtime = folder.start().await;
    for _ in 0..4 {
        let ended = runtime.build("step", World::new(Model::Never).call()).await;
        assert!(ended.fallback.is_none());
    }
    let listing = runtime.listing();
    let uses = &listing.loaded[0].uses;
    assert_eq!((uses.calls, uses.passed, uses.pass_rate, uses.traps_in_a_row), (4, 0, Some(0.0), 4));
    assert!(uses.last_trap.is_some());
}

/// One claim after the other, each on the new builder: no task is charged with its traps.
#[tokio::test]
async fn a_task_does_not_pay_for_a_new_plugins_traps() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    shop.put("noop", guest("builder", "unreachable"));
    shop.runtime.reload().await.expect("the folder is there");
    let worker = shop.worker("one", Duration::from_secs(60));
    let mut withdrawn = 0;
    for number in 1..=4 {
        let id = shop.submit("noop", "pass", Budget::default()).await;
        let (task, events) = shop.ended(&id).await;
        assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Green));
        assert_eq!(task.rounds.len(), 1);
        assert_eq!(task.rounds[0].steps[0].basis.digest, Digest::of(&guest("builder", "noop")));
        let count = |wanted: fn(&EventBody) -> bool| events.iter().filter(|body| wanted(body)).count();
        withdrawn += count(|body| matches!(body, EventBody::PluginWithdrawn { .. }));
        assert_eq!(withdrawn, usize::from(number >= 3));
        assert_eq!(count(|body| matches!(body, EventBody::StepRestarted { .. })), usize::from(number <= 3));
    }
    worker.stop().await;
}

/// The adapter's decoder traps: the model's answer is asked for again through the one before.
#[tokio::test]
async fn a_task_does_not_pay_for_a_new_adapters_traps() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    // The builder's question, which is its answer here: "hell…" in place of "trap…".
    let traps = source("adapter").replace("0x70617274", "0x6c6c6568");
    shop.put("echo", module("adapter", &traps));
    shop.runtime.reload().await.expect("the folder is there");
    let worker = shop.worker("one", Duration::from_secs(60));
    for number in 1..=4 {
        shop.vendor.answers(2);
        let id = shop.submit("ask", "pass", Budget::default()).await;
        let (task, events) = shop.ended(&id).await;
        assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Green));
        let withdrawn = events.iter().any(|body| matches!(body, EventBody::PluginWithdrawn { .. }));
        assert_eq!(withdrawn, number == 3);
    }
    worker.stop().await;
}
