//! The hostile corpus: every guest with how its call must end. Run by the tests for the outcomes, and by
//! `cargo bench --bench hostile` for the times.

use std::collections::BTreeSet;
use std::time::Duration;

use aiagent_host::model::{ModelError, Request, Wire as _, WireSettings};
use aiagent_host::plugin::{Call, Failure, Kind, Overrides, Runtime, Usage};
use aiagent_host::workspace::{Blob, Globs, Mode, Tree, TreePath};

use crate::guest::{Folder, module_with, source, wasi_builder};
use crate::outside::{Model, World};

/// Every call's, unless its case says otherwise.
pub(crate) const BUDGET: Duration = Duration::from_millis(50);

/// How a call ends, and words that its message holds.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Done,
    Step(String),
    Trap(&'static str),
    Compute,
    Deadline,
    Memory,
    Output,
    Cancelled,
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) outcome: Outcome,
    pub(crate) overrides: Overrides,
    /// Of `host/tests/guests/hostile`.
    file: Option<&'static str>,
    bytes: Vec<u8>,
    model: fn() -> Model,
    prepare: Box<dyn Fn(&mut Call) + Send + Sync>,
    /// After its call has begun.
    cancel_after: Option<Duration>,
}

/// How a call ended.
pub(crate) struct Ended {
    pub(crate) result: Result<(), Failure>,
    /// Of steps; adapters do not say.
    pub(crate) usage: Option<Usage>,
}

impl Outcome {
    pub(crate) fn is_that_of(&self, ended: &Result<(), Failure>) -> bool {
        match (self, ended) {
            (Self::Done, Ok(()))
            | (Self::Compute, Err(Failure::Compute(_)))
            | (Self::Deadline, Err(Failure::Deadline(_)))
            | (Self::Memory, Err(Failure::Memory(_)))
            | (Self::Output, Err(Failure::Output(_)))
            | (Self::Cancelled, Err(Failure::Cancelled)) => true,
            (Self::Trap(words), Err(Failure::Trap(text))) => text.contains(words),
            (Self::Step(words), Err(Failure::Step(error))) => error.to_string().contains(words),
            // An adapter's failure comes as the model door shows it.
            (Self::Trap(words), Err(Failure::Host(text))) => text.contains("trapped") && text.contains(words),
            (Self::Compute, Err(Failure::Host(text))) => text.contains("used up its compute budget of"),
            (Self::Memory, Err(Failure::Host(text))) => text.contains("wanted more than its"),
            (Self::Output, Err(Failure::Host(text))) => text.contains("more text than the response"),
            _ => false,
        }
    }
}

impl Case {
    fn new(name: impl Into<String>, kind: Kind, bytes: Vec<u8>, outcome: Outcome) -> Self {
        let overrides = Overrides { compute_ms: Some(BUDGET.as_millis() as u64), ..Overrides::default() };
        Self {
            name: name.into(),
            kind,
            outcome,
            overrides,
            file: None,
            bytes,
            model: || Model::Never,
            prepare: Box::new(|_| {}),
            cancel_after: None,
        }
    }

    /// A guest of `host/tests/guests/hostile`.
    fn file(name: &'static str, kind: Kind, outcome: Outcome) -> Self {
        let text = source(&format!("hostile/{name}"));
        let bytes = match name.starts_with("wasi_") {
            true => wasi_builder(&text),
            false => module_with(kind.as_str(), &text, &[]),
        };
        Self { file: Some(name), ..Self::new(name, kind, bytes, outcome) }
    }

    fn with(mut self, prepare: impl Fn(&mut Call) + Send + Sync + 'static) -> Self {
        self.prepare = Box::new(prepare);
        self
    }

    fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// For guests that only come to their end after a while.
    fn with_seconds(mut self, seconds: u64) -> Self {
        self.overrides.compute_ms = Some(seconds * 1000);
        self
    }

    /// What it is called with.
    pub(crate) fn call(&self) -> Call {
        let mut call = World::new((self.model)()).call();
        (self.prepare)(&mut call);
        call
    }

    pub(crate) async fn run(&self, runtime: &Runtime) -> Ended {
        self.run_with(self.call(), runtime).await.0
    }

    /// With the tree it leaves.
    pub(crate) async fn run_with(&self, call: Call, runtime: &Runtime) -> (Ended, Tree) {
        let name = &self.name;
        if let Some(after) = self.cancel_after {
            let cancel = call.cancel.clone();
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                cancel.cancel();
            });
        }
        let ended = |result, usage, tree| (Ended { result, usage: Some(usage) }, tree);
        match self.kind {
            Kind::Adapter => {
                let result = converse(runtime, name).await;
                let result = result.map_err(|error| Failure::Host(error.to_string()));
                (Ended { result, usage: None }, call.tree)
            }
            Kind::Builder => {
                let built = runtime.build(name, call).await;
                ended(built.result.map(drop), built.usage, built.tree)
            }
            Kind::Fixer => {
                let fixed = runtime.fix(name, call).await;
                ended(fixed.result.map(drop), fixed.usage, fixed.tree)
            }
            Kind::Checker => {
                let checked = runtime.check(name, call).await;
                ended(checked.result.map(drop), checked.usage, checked.tree)
            }
        }
    }
}

/// All that an adapter is ever asked, with 200 pieces of a response.
async fn converse(runtime: &Runtime, name: &str) -> Result<(), ModelError> {
    let settings = WireSettings { model: "m".into(), stream: true, extra: Vec::new() };
    let request =
        Request { messages: Vec::new(), temperature: None, max_tokens: None, stop: Vec::new(), seed: None };
    let adapter = runtime.adapter(name).map_err(|failure| ModelError::Other(failure.to_string()))?;
    adapter.describe(&settings).await?;
    adapter.encode(&request, &settings).await?;
    let mut decoder = adapter.open(200, Vec::new(), &settings).await?;
    for _ in 0..200 {
        decoder.push(b"data: x\n\n").await?;
    }
    decoder.finish().await.map(drop)
}

/// A folder with all of them, and a healthy neighbour called `healthy`.
pub(crate) fn folder(cases: &[Case]) -> Folder {
    let mut folder = Folder::new().with("healthy", module_with("builder", &source("hostile/builder"), &[]));
    for case in cases {
        folder.put(&case.name, &case.bytes);
        folder.settings.plugins.insert(case.name.clone(), case.overrides.clone());
    }
    folder
}

/// What a guest does: its imports and its own items, the body of `$deed`, and the end it comes to.
struct Deed {
    name: &'static str,
    items: &'static str,
    body: &'static str,
    outcome: Outcome,
}

fn deeds() -> [Deed; 6] {
    let deed = |name, items, body, outcome| Deed { name, items, body, outcome };
    [
        deed("spin", "", "(loop $again (br $again))", Outcome::Compute),
        deed("trap", "", "unreachable", Outcome::Trap("wasm `unreachable` instruction executed; in deed")),
        deed("recurse", "", "(call $deed)", Outcome::Trap("call stack exhausted (endless recursion?)")),
        deed("divide", "", "(drop (i32.div_u (i32.const 1) (i32.const 0)))", Outcome::Trap("divide by zero")),
        deed(
            "hog",
            "",
            "(loop $again (br_if $again (i32.ne (i32.const -1) (memory.grow (i32.const 16))))) unreachable",
            Outcome::Memory,
        ),
        deed(
            "chatter",
            r#"(import "aiagent:step/log@0.1.0" "log" (func $chat (param i32 i32 i32)))"#,
            "(loop $again (call $chat (i32.const 2) (i32.const 16) (i32.const 4)) (br $again))",
            Outcome::Compute,
        ),
    ]
}

/// Where guest code runs.
const IN_A_BUILDER: [&str; 4] = ["start", "call", "realloc", "post-return"];
const IN_AN_ADAPTER: [&str; 9] =
    ["start", "describe", "encode", "constructor", "push", "drop", "finish", "realloc", "post-return"];

fn everywhere(cases: &mut Vec<Case>) {
    for deed in deeds() {
        for (kind, places) in [(Kind::Builder, &IN_A_BUILDER[..]), (Kind::Adapter, &IN_AN_ADAPTER[..])] {
            for place in places {
                let outcome = match (deed.name, *place) {
                    // Imports are there only once all modules of a component have started.
                    ("chatter", "start") => Outcome::Trap("uninitialized element"),
                    // The canonical ABI lets no guest call out while the host puts values into it, or while
                    // it tidies up.
                    ("chatter", "realloc" | "post-return") => {
                        Outcome::Trap("cannot leave component instance")
                    }
                    _ => deed.outcome.clone(),
                };
                let source = format!(
                    "{}{}(func $deed {}){}",
                    deed.items,
                    source(&format!("hostile/{kind}")),
                    deed.body,
                    if kind == Kind::Adapter { "\n;; @start\n" } else { "" }
                );
                let text = if *place == "start" { "(start $deed)" } else { "(call $deed)" };
                let bytes = module_with(kind.as_str(), &source, &[(*place, text)]);
                cases.push(Case::new(format!("{kind}-{place}-{}", deed.name), kind, bytes, outcome));
            }
        }
    }
}

/// Values and pointers that no honest toolchain makes.
fn liars(cases: &mut Vec<Case>) {
    let (builder, checker) = (Kind::Builder, Kind::Checker);
    let realloc = |name: &str, address: &str, words| {
        let answer = format!("(return (i32.const {address}))");
        let bytes = module_with("builder", &source("hostile/builder"), &[("realloc", &answer)]);
        Case::new(name, builder, bytes, Outcome::Trap(words))
    };
    cases.extend([
        realloc("realloc-beyond-the-memory", "-16", "realloc return: beyond end of memory"),
        realloc("realloc-misaligned", "65537", "realloc return: result not aligned"),
        Case::file("claimed_list", checker, Outcome::Trap("list pointer/length out of bounds")),
        Case::file("not_utf8", builder, Outcome::Trap("invalid utf-8")),
        Case::file("misaligned", checker, Outcome::Trap("list pointer is not aligned")),
        Case::file("bad_case", builder, Outcome::Trap("unexpected discriminant: 77")),
    ]);
}

/// More than a call may have of anything.
fn gluttons(cases: &mut Vec<Case>) {
    let (builder, checker) = (Kind::Builder, Kind::Checker);
    let denied = |words: &str| Outcome::Step(words.to_owned());
    cases.extend([
        Case::file("two_memories", builder, Outcome::Memory),
        Case::file("fill", builder, Outcome::Compute),
        Case::file("million_problems", checker, Outcome::Output),
        Case::file("big_log", builder, Outcome::Output),
        Case::file("big_write", builder, denied("the tree would hold 68157440 bytes")).with_seconds(10),
        Case::file("many_files", builder, denied("the tree holds 20000 files, its limit")).with_seconds(10),
        Case::file("write_loop", builder, Outcome::Compute),
        Case::file("list_loop", builder, Outcome::Compute).with(|call| {
            for n in 0..1000 {
                put(&mut call.tree, &format!("d/{n}"), "x", Mode::Regular);
            }
        }),
        Case::file("many_edits", builder, denied("100000 edits in one call; the limit is 1000")),
        Case {
            model: || Model::Says("yes"),
            ..Case::file("ask_often", builder, denied("the model was asked 1000 times"))
        }
        .with_seconds(10),
        Case::file("wasi_handles", builder, Outcome::Trap("held more than 1000 handles")),
        Case::file("wasi_sleeps", builder, Outcome::Compute),
        Case::file("wasi_random", builder, Outcome::Trap("asked for 4294967296 random bytes at once")),
        Case::file("wasi_exit", builder, Outcome::Trap("the plugin called exit(0)")),
        Case::file("wasi_prints", builder, Outcome::Compute),
        Case::file("emits", Kind::Adapter, Outcome::Output),
        Case::file("passed_with_problems", checker, Outcome::Done),
    ]);
    let glob = "{a,b}".repeat(20_000);
    cases.push(
        Case::file("list_goal", builder, denied("a glob has at most 1024 bytes"))
            .with(move |call| call.goal.clone_from(&glob)),
    );
    // As many places to compare with as the tree can hold, and as many indents as fit.
    let edit = |name: &str, file: String, goal: String, outcome| {
        Case::file("edit_goal", builder, outcome).named(name).with_seconds(10).with(move |call| {
            put(&mut call.tree, "big.txt", &file, Mode::Regular);
            call.goal.clone_from(&goal);
        })
    };
    let stairs =
        |first: usize| (0..1_900).map(|n| format!("{}x{n}\n", " ".repeat(n + first))).collect::<String>();
    cases.extend([
        edit("edit-newlines", "\n".repeat(60 << 20), "x\n".into(), denied("is too long to be searched")),
        Case::file("edit_long", builder, denied("is too long to be searched"))
            .with_seconds(10)
            .with(|call| put(&mut call.tree, "big.txt", "x\n", Mode::Regular)),
        edit("edit-stairs", stairs(0), stairs(1), Outcome::Done),
    ]);
}

/// Out of the tree, or at what is protected in it: each as the path of a file that is written.
fn climbers(cases: &mut Vec<Case>) {
    let deep = "a/".repeat(511) + "a";
    let deeper = "a/".repeat(512) + "a";
    let paths = [
        ("path-parent", "../a", "climbs out with .."),
        ("path-parent-inside", "a/../../b", "climbs out with .."),
        ("path-of-another-task", "../01J9Z3NDEKTSV4RRFFQ69G5FAW/a.txt", "climbs out with .."),
        ("path-absolute", "/etc/passwd", "is absolute"),
        ("path-nul", "a\0b", "holds a NUL"),
        ("path-backslash", "..\\a", "holds a backslash"),
        ("path-empty", "", "is empty"),
        ("path-dot", "./a", "holds a . part"),
        ("path-double-slash", "a//b", "holds an empty part"),
        ("path-trailing-slash", "a/", "holds an empty part"),
        ("path-deeper", deeper.as_str(), "is longer than 1024 bytes"),
        ("path-git", ".git/hooks/post-checkout", "is in git's own folder"),
        ("path-git-in-capitals", "sub/.GIT/config", "is in git's own folder"),
        ("path-link", "link", "is a link"),
        ("path-below-a-link", "link/x", "is a file, not a folder"),
        ("path-folder", "folder", "is a folder"),
        ("path-below-a-file", "test_a.py/x", "is a file, not a folder"),
        ("path-test", "test_a.py", "is protected"),
        ("path-protected", "ci/run", "is protected"),
        // Names like any other: what looks like a dot, a slash or an e is none.
        ("path-deep", deep.as_str(), ""),
        ("path-dot-leader", "\u{2025}/a", ""),
        ("path-wide-slash", "..\u{ff0f}a", ""),
        ("path-cyrillic-test", "t\u{435}st_a.py", ""),
    ];
    for (name, path, words) in paths {
        let outcome = if words.is_empty() { Outcome::Done } else { Outcome::Step(words.to_owned()) };
        let path = path.to_owned();
        cases.push(Case::file("write_goal", Kind::Builder, outcome).named(name).with(move |call| {
            call.goal.clone_from(&path);
            put(&mut call.tree, "test_a.py", "assert True", Mode::Regular);
            put(&mut call.tree, "folder/a", "a", Mode::Regular);
            put(&mut call.tree, "link", "test_a.py", Mode::Link);
            call.protected = Globs::new(["ci/**"]).expect("a glob").with_path("test_a.py");
        }));
    }
}

/// Waiting and being stopped.
fn sitters(cases: &mut Vec<Case>) {
    let ask = |name: &str, outcome| {
        Case::new(name, Kind::Builder, module_with("builder", &source("ask"), &[]), outcome)
    };
    let spin = |name: &str, place: &str| {
        let source = source("hostile/builder") + "(func $deed (loop $again (br $again)))";
        let bytes = module_with("builder", &source, &[(place, "(call $deed)")]);
        let case = Case::new(name, Kind::Builder, bytes, Outcome::Cancelled).with_seconds(10);
        Case { cancel_after: Some(BUDGET), ..case }
    };
    cases.extend([
        ask("sits-past-its-deadline", Outcome::Deadline).with(|call| call.wall_left = 2 * BUDGET),
        Case { model: || Model::Takes(6 * BUDGET), ..ask("waits-longer-than-it-may-compute", Outcome::Done) },
        spin("cancelled-in-its-call", "call"),
        spin("cancelled-in-its-post-return", "post-return"),
    ]);
}

fn put(tree: &mut Tree, path: &str, content: &str, mode: Mode) {
    let path = TreePath::parse(path).expect("a path");
    tree.put(path, Blob::new(content.as_bytes().to_vec()), Some(mode)).expect("it fits");
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    everywhere(&mut cases);
    liars(&mut cases);
    gluttons(&mut cases);
    climbers(&mut cases);
    sitters(&mut cases);
    cases
}

/// The files of `host/tests/guests/hostile` that the table uses.
pub(crate) fn used(cases: &[Case]) -> BTreeSet<&'static str> {
    cases.iter().filter_map(|case| case.file).chain(["adapter", "builder"]).collect()
}
