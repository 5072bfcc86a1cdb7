//! The hostile corpus: the host lives, each call ends as its case says, and a neighbour works on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use aiagent_host::plugin::{Failure, Overrides, Runtime};
use aiagent_host::task::Verdict;

use crate::corpus::{self, Case};
use crate::guest::{Folder, guest, module, source};
use crate::outside::{Model, World};

/// With far fewer slots than cases: an instance that is not given back would soon be missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_ends_as_its_table_says_and_a_neighbour_works_on() {
    let cases = corpus::cases();
    let mut folder = corpus::folder(&cases);
    folder.settings.max_calls = Some(16);
    let runtime = folder.start().await;
    let refused = &runtime.catalog().refused;
    assert!(refused.is_empty(), "{refused:#?}");

    let over = AtomicBool::new(false);
    let neighbour = async {
        let mut calls = 0;
        while !over.load(SeqCst) {
            assert_eq!(healthy(&runtime).await, Ok("done".to_owned()));
            calls += 1;
            tokio::task::yield_now().await;
        }
        calls
    };
    let (wrong, calls) = tokio::join!(
        async {
            let mut wrong = Vec::new();
            for case in &cases {
                wrong.extend(misbehaved(case, &runtime).await);
            }
            over.store(true, SeqCst);
            wrong
        },
        neighbour
    );
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
    assert!(calls > cases.len(), "{calls}");
}

/// 10 ms, and after each further failure in a row twice as long.
#[tokio::test]
async fn a_plugin_that_keeps_failing_rests_before_its_next_call() {
    let runtime = Folder::new().with("trap", guest("builder", "unreachable")).start().await;
    let begun = Instant::now();
    for _ in 0..6 {
        let ended = runtime.build("trap", World::new(Model::Never).call()).await;
        assert!(matches!(ended.result, Err(Failure::Trap(_))), "{:?}", ended.result);
    }
    assert!(begun.elapsed() >= Duration::from_millis(10 + 20 + 40 + 80 + 160), "{:?}", begun.elapsed());
}

async fn healthy(runtime: &Runtime) -> Result<String, Failure> {
    runtime.build("healthy", World::new(Model::Never).call()).await.result
}

async fn misbehaved(case: &Case, runtime: &Runtime) -> Option<String> {
    let ended = case.run(runtime).await;
    let peak = ended.usage.map_or(0, |usage| usage.peak_memory_bytes);
    let right = case.outcome.is_that_of(&ended.result) && peak <= 128 << 20;
    let said = ended.result.as_ref().map_or_else(ToString::to_string, |()| "no error".to_owned());
    (!right).then(|| format!("{}: {said} ({peak} bytes), not {:?}", case.name, case.outcome))
}

#[test]
fn every_guest_of_the_corpus_is_run() {
    let folder = Path::new("tests/guests/hostile");
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("a file").path()).collect();
    let names: BTreeSet<_> = files.iter().filter_map(|file| file.file_stem()?.to_str()).collect();
    assert_eq!(names, corpus::used(&corpus::cases()));
}

#[tokio::test]
async fn a_report_that_names_a_problem_has_not_passed() {
    let plugin = guest("checker", "hostile/passed_with_problems");
    let runtime = Folder::new().with("both", plugin).start().await;
    let report = runtime.check("both", World::new(Model::Never).call()).await.result.expect("a report");
    assert_eq!((report.verdict, report.problems.len()), (Verdict::Failed, 1));
}

/// Of nested components, as many as are said; the innermost is empty.
fn nested(depth: usize) -> Vec<u8> {
    const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
    let mut bytes = HEADER.to_vec();
    for _ in 0..depth {
        let mut size = Vec::new();
        let mut left = bytes.len();
        while left >= 0x80 {
            size.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        size.push(left as u8);
        bytes = [HEADER, &[4], &size, &bytes].concat();
    }
    bytes
}

fn component(items: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {items} (instance $i) (export "aiagent:step/build-step@0.1.0" (instance $i)))"#
    );
    wat::parse_str(text).expect("it parses")
}

fn builder(items: &str) -> Vec<u8> {
    module("builder", &format!("{}\n{items}", source("noop")))
}

/// Takes a compiler far longer than a second: a function of 20,000 blocks, 400 deep, that all use 400 values.
fn slow() -> Vec<u8> {
    const LOCALS: u32 = 400;
    let block = |at: u32| {
        let (a, b, c) = (at % LOCALS, (at * 7 + 1) % LOCALS, (at * 13 + 5) % LOCALS);
        let deeper = if at.is_multiple_of(50) { "loop" } else { "" };
        format!(
            "{deeper} local.get {a} local.get {b} i32.lt_u if local.get {a} local.get {b} i32.add local.set {c} end\n"
        )
    };
    let body: String = (0..20_000).map(block).collect();
    let locals = "(local i32) ".repeat(LOCALS as usize);
    builder(&format!("(func $slow {locals} {body} {})", "end ".repeat(400)))
}

#[tokio::test]
async fn a_file_that_is_a_trap_for_the_loader_is_refused_and_the_rest_is_served() {
    let exports: String =
        (0..2_000).map(|n| format!(r#"(instance $i{n}) (export "a{n}" (instance $i{n}))"#)).collect();
    let types: String = (1..200).map(|n| format!("(type $t{n} (tuple $t{0} $t{0}))", n - 1)).collect();
    let lists: String = (1..50_000).map(|n| format!("(type $t{n} (list $t{}))", n - 1)).collect();
    let cases = [
        ("nested", nested(1_000), "not a valid component: components nested more than 100 deep"),
        ("exports", component(&exports), "not a valid component: more than 1000 imports and exports"),
        ("wide-types", component(&format!("(type $t0 u8){types}")), "can't be compiled: "),
        ("deep-types", component(&format!("(type $t0 u8){lists}")), "can't be compiled: "),
        (
            "twice",
            component(r#"(instance $j) (export "aiagent:step/build-step@0.1.0" (instance $j))"#),
            "exports several steps",
        ),
        (
            "locals",
            builder(&format!("(func {})", "(local i32) ".repeat(50_001))),
            "a core module that can't be made",
        ),
        ("memory", builder("(memory $big 5000)"), "can't be compiled: "),
        ("table", builder("(table $big 50000 funcref)"), "can't be compiled: "),
        ("memories", builder(&"(memory 1)".repeat(5)), "can't be compiled: "),
        ("slow", slow(), "compiling it takes more than 1 s of processor time"),
    ];
    let cache = tempfile::tempdir().expect("a folder");
    let mut folder = Folder::new().with("healthy", guest("builder", "hostile/builder"));
    folder.settings.cache_dir = Some(cache.path().to_owned());
    folder.settings.compiler = Some(PathBuf::from(env!("CARGO_BIN_EXE_aiagent-host")));
    for (name, bytes, _) in &cases {
        let overrides = Overrides { compile_ms: Some(1000), ..Overrides::default() };
        folder = folder.with(name, bytes).set(name, overrides);
    }
    let huge = std::fs::File::create(folder.file("huge")).expect("it is made");
    huge.set_len(500 << 20).expect("a file of holes");
    let runtime = folder.start().await;

    let catalog = runtime.catalog();
    let said = |name: &str| {
        let file = folder.file(name);
        catalog.refused.iter().find(|refused| refused.file == file).map(|refused| refused.reason.as_str())
    };
    let expected = cases.iter().map(|(name, _, reason)| (*name, *reason));
    let wrong: Vec<_> = expected
        .chain([("huge", "524288000 bytes are more than a plugin may have")])
        .map(|(name, reason)| (name, reason, said(name)))
        .filter(|(_, reason, said)| !said.is_some_and(|said| said.starts_with(reason) && said.len() < 1_000))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(healthy(&runtime).await, Ok("done".to_owned()));
}

/// The service takes from the cache what the other process has put there.
#[tokio::test]
async fn a_plugin_is_compiled_once_and_by_another_process() {
    let cache = tempfile::tempdir().expect("a folder");
    let mut folder = Folder::new().with("healthy", guest("builder", "hostile/builder"));
    folder.settings.cache_dir = Some(cache.path().to_owned());
    folder.settings.compiler = Some(PathBuf::from(env!("CARGO_BIN_EXE_aiagent-host")));
    assert_eq!(healthy(&folder.start().await).await, Ok("done".to_owned()));
    let code = cache.path().join("code");
    assert_eq!(files_below(&code), 1);

    // What is known to compile in time does not need the other process any more.
    folder.settings.compiler = Some(PathBuf::from("/nonexistent"));
    assert_eq!(healthy(&folder.start().await).await, Ok("done".to_owned()));
    folder.put("healthy", guest("builder", "noop"));
    let catalog = folder.start().await.catalog();
    assert!(catalog.refused[0].reason.starts_with("the compiler can't be run: "), "{:?}", catalog.refused);
}

/// Compiled plugins; beside each, wasmtime keeps a file of figures.
fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let count = |path: PathBuf| match path.is_dir() {
        true => files_below(&path),
        false => usize::from(path.extension().is_none()),
    };
    entries.map(count).sum()
}
