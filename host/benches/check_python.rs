//! A check by `check-python` against a fresh `python3` process that runs the same test.
//!
//! Twice: a test case of `unittest`, which the process has to import first, and plain functions.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

use aiagent_host::plugin::{Call, Runtime, Settings};
use aiagent_host::task::Verdict;
use aiagent_host::workspace::{Blob, Tree, TreePath};
use samples::{Samples, criterion};

#[path = "../tests/support/outside.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod outside;
#[path = "support/samples.rs"]
mod samples;
#[path = "support/service.rs"]
#[expect(dead_code, reason = "shared with the benchmarks of the whole service")]
mod service;

const SLUG: &str = r#"import re


def slugify(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("'", "")).strip("-")
"#;

const CASES: &str = r#"import unittest

from slug import slugify


class TestSlug(unittest.TestCase):
    def test_words(self):
        self.assertEqual(slugify("Hello World"), "hello-world")

    def test_punctuation(self):
        self.assertEqual(slugify("What's up, Doc?"), "whats-up-doc")

    def test_empty(self):
        self.assertEqual(slugify("  "), "")
"#;

const FUNCTIONS: &str = r#"from slug import slugify


def test_words():
    assert slugify("Hello World") == "hello-world"


def test_punctuation():
    assert slugify("What's up, Doc?") == "whats-up-doc"


def test_empty():
    assert slugify("  ") == ""
"#;

/// The same test, to be run either way.
struct Subject {
    name: &'static str,
    test: &'static str,
    /// What `python3 -c` is given.
    program: &'static str,
}

const SUBJECTS: [Subject; 2] = [
    Subject {
        name: "unittest",
        test: CASES,
        program: "import unittest; unittest.main('test_slug', argv=['test'])",
    },
    Subject {
        name: "plain functions",
        test: FUNCTIONS,
        program: "import test_slug as t; t.test_words(); t.test_punctuation(); t.test_empty()",
    },
];

impl Subject {
    fn files(&self) -> [(&'static str, &'static str); 2] {
        [("slug.py", SLUG), ("test_slug.py", self.test)]
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in self.files() {
            let path = TreePath::parse(path).expect("a path");
            tree.put(path, Blob::new(text), None).expect("it fits");
        }
        tree
    }
}

#[expect(clippy::print_stdout, reason = "the ratios are what this program is for")]
fn main() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let tokio = tokio.expect("a runtime");
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    let settings = Settings { dirs: vec![service::plugins()], cache_dir: Some(cache), ..Settings::default() };
    let runtime = tokio.block_on(Runtime::start(settings)).expect("the plugins load");
    let world = outside::World::new(outside::Model::Never);
    let mut criterion = criterion();
    let mut lines = Vec::new();
    for subject in &SUBJECTS {
        let (check, process) = (Samples::default(), Samples::default());
        let tree = subject.tree();
        criterion.bench_function(&format!("check-python, {}", subject.name), |bench| {
            bench.iter_custom(|n| {
                check.time(n, || {
                    let (tree, tests) = (tree.clone(), vec!["test_slug.py".to_owned()]);
                    let call = Call { tree, tests, settings: Vec::new(), ..world.call() };
                    let report = tokio.block_on(runtime.check("check-python", call)).result;
                    let report = black_box(report).expect("the check runs");
                    assert_eq!((report.verdict, report.counts.passed), (Verdict::Passed, 3), "{report:?}");
                })
            });
        });
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        for (path, text) in subject.files() {
            std::fs::write(folder.path().join(path), text).expect("the file is written");
        }
        let mut python = Command::new("python3");
        python.args(["-c", subject.program]).current_dir(folder.path()).stderr(Stdio::null());
        criterion.bench_function(&format!("python3 -c, {}", subject.name), |bench| {
            bench.iter_custom(|n| {
                process.time(n, || {
                    let status = python.status().expect("python3 runs");
                    assert!(black_box(status).success(), "{}: the test fails", subject.name);
                })
            });
        });
        let (check, process) = (check.median(), process.median());
        lines.push(format!(
            "a check by check-python ({}) takes {:.2} ms: {:.3} × a fresh python3 process ({:.1} ms)",
            subject.name,
            check / 1e3,
            check / process,
            process / 1e3,
        ));
    }
    criterion.final_summary();
    println!("\n{}", lines.join("\n"));
}
